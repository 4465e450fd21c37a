"""Floats that programs write as text are read as the same floats, without being declared."""

from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sources.everything import everything

from scoreline.sources.csv import Csv


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_what_pandas_writes_is_read_to_the_bit(tmp_path: Path, values: list[float]) -> None:
    pd.DataFrame({"key": "k", "value": [0.5, *values]}).to_csv(tmp_path / "a.csv", index=False)
    found = everything(Csv(uri=str(tmp_path))).table["value"].to_numpy()
    np.testing.assert_array_equal(found.view(np.int64), np.array([0.5, *values]).view(np.int64))
