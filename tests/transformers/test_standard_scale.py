import numpy as np
import pandas as pd
import pytest

from scoreline.errors import DataError
from scoreline.transformers.standard_scale import StandardScale


def test_scaled_values_have_mean_0_and_variance_1_and_nulls_stay(fit) -> None:
    frame = pd.DataFrame({"a": np.random.default_rng(1).normal(1e9, 1, 3000), "b": np.arange(3000.0)})
    frame.loc[5, "a"] = np.nan
    scaled = fit(StandardScale(columns=("a", "b")), frame).transform(frame)
    np.testing.assert_allclose(np.nanmean(scaled, axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(np.nanstd(scaled, axis=0), 1, rtol=1e-9)
    assert np.isnan(scaled[5, 0])


def test_a_constant_column_becomes_zeros(fit) -> None:
    frame = pd.DataFrame({"a": [0.1] * 1000})
    np.testing.assert_allclose(fit(StandardScale(columns=("a",)), frame, parts=7).transform(frame), 0, atol=1e-12)


def test_values_whose_squares_overflow_are_named(fit) -> None:
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(DataError, match="squares of column 'a'"):
        fit(StandardScale(columns=("a",)), pd.DataFrame({"a": [1e200, -1e200]}))
