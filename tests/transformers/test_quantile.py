import numpy as np
import pandas as pd
from sklearn.preprocessing import QuantileTransformer

from scoreline.transformers.quantile import Quantile


def test_a_thousand_quantiles_of_many_different_values_are_exact(fit) -> None:
    column = np.random.default_rng(1).lognormal(size=60_000)
    column[::10] = np.nan
    frame = pd.DataFrame({"a": column, "b": np.round(column, 1)})
    ours = fit(Quantile(columns=("a", "b")), frame, parts=5)
    np.testing.assert_array_equal(ours.quantiles_, QuantileTransformer(subsample=None).fit(frame).quantiles_)


def test_fewer_rows_than_quantiles_give_as_many_as_rows(fit) -> None:
    ours = fit(Quantile(columns=("a",)), pd.DataFrame({"a": [5.0, None, 1.0]}))
    assert ours.quantiles_.tolist() == [[1], [3], [5]]


def test_ranks_may_be_spread_like_a_normal_distribution(fit) -> None:
    frame = pd.DataFrame({"a": np.random.default_rng(1).exponential(size=2000)})
    made = fit(Quantile(columns=("a",), output_distribution="normal"), frame).transform(frame)
    np.testing.assert_allclose([np.median(made), made.std()], [0, 1], atol=0.02)
