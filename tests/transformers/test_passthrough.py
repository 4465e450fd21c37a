import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from scoreline.errors import StepError
from scoreline.transformers.passthrough import Passthrough


def test_numbers_and_nulls_come_out_as_they_went_in() -> None:
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": [3, 4]})
    made = Passthrough(columns=("a", "b")).export(("a", "b"), (None, None)).transform(frame)
    pd.testing.assert_frame_equal(made, frame)


def test_text_is_refused() -> None:
    with pytest.raises(StepError, match="passthrough cannot take column 't' of type string"):
        Passthrough(columns=("t",)).check(pa.schema([("t", pa.string())]))
