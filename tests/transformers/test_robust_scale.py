import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.preprocessing import RobustScaler

from scoreline.transformers.robust_scale import RobustScale


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_many_different_values_are_scaled_exactly(fit, parts: int) -> None:
    column = np.random.default_rng(1).lognormal(size=30_001)
    column[::10] = np.nan
    frame = pd.DataFrame({"a": column, "b": np.round(column, 1)})
    ours, theirs = fit(RobustScale(columns=("a", "b")), frame, parts=parts), RobustScaler().fit(frame)
    np.testing.assert_array_equal(ours.center_, theirs.center_)
    np.testing.assert_array_equal(ours.scale_, theirs.scale_)


@pytest.mark.parametrize("options", [{"quantile_range": (80, 20)}, {"quantile_range": (0, 100), "unit_variance": True}])
def test_ranges_that_cannot_be_are_refused(options: dict) -> None:
    with pytest.raises(ValidationError, match="quantile_range"):
        RobustScale(columns=("a",), **options)
