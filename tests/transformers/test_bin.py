import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.preprocessing import KBinsDiscretizer

from scoreline.errors import DataError, StepError
from scoreline.transformers.bin import Bin


@pytest.mark.parametrize("n_bins", [2, 10])
@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
def test_edges_of_many_different_values_are_exact(fit, n_bins: int, strategy: str) -> None:
    frame = pd.DataFrame({"a": np.random.default_rng(1).lognormal(size=30_000)})
    ours = fit(Bin(columns=("a",), n_bins=n_bins, strategy=strategy), frame, parts=5)
    theirs = KBinsDiscretizer(n_bins, encode="onehot-dense", strategy=strategy, subsample=None).fit(frame)
    np.testing.assert_array_equal(ours.bin_edges_[0], theirs.bin_edges_[0])


def test_the_number_of_the_bin_instead_of_columns(fit) -> None:
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 10.0]})
    binner = fit(Bin(columns=("a",), n_bins=2, strategy="uniform", encode="ordinal"), frame)
    assert binner.transform(frame)[:, 0].tolist() == [0, 0, 0, 0, 1]


def test_a_constant_column_is_one_bin(fit) -> None:
    frame = pd.DataFrame({"a": [3.0] * 9})
    assert fit(Bin(columns=("a",)), frame).transform(frame).tolist() == [[1.0]] * 9


def test_nulls_and_crowded_values_are_named(fit) -> None:
    frame = pd.DataFrame({"a": [1.0, None, 2.0], "b": [1.0, 1.0 + 1e-12, 1.0 + 2e-12]})
    with pytest.raises(DataError) as caught:
        fit(Bin(columns=("a", "b")), frame)
    assert [problem.where for problem in caught.value.problems] == ["column 'a'", "column 'b'"]
    assert caught.value.problems[0].advice == "put impute before bin"


def test_booleans_are_refused() -> None:
    with pytest.raises(StepError, match="bin cannot take column 'a' of type bool"):
        Bin(columns=("a",)).check(pa.schema([("a", pa.bool_())]))
