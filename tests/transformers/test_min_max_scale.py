import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from scoreline.transformers.min_max_scale import MinMaxScale

FRAME = pd.DataFrame({"a": [2.0, None, 6.0, 4.0]})


def test_the_extremes_go_to_the_ends_of_the_range(fit) -> None:
    scaled = fit(MinMaxScale(columns=("a",), feature_range=(-1, 1)), FRAME).transform(FRAME)
    np.testing.assert_allclose(scaled[:, 0], [-1, np.nan, 1, 0])


def test_new_values_beyond_the_extremes_are_clipped_when_asked(fit) -> None:
    new = pd.DataFrame({"a": [-100.0, 8.0]})
    assert fit(MinMaxScale(columns=("a",), clip=True), FRAME).transform(new)[:, 0].tolist() == [0, 1]
    assert fit(MinMaxScale(columns=("a",)), FRAME).transform(new)[:, 0].tolist() == [-25.5, 1.5]


def test_a_range_without_width_is_refused() -> None:
    with pytest.raises(ValidationError, match="feature_range"):
        MinMaxScale(columns=("a",), feature_range=(1, 1))
