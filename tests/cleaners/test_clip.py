import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scoreline.cleaners.clip import Clip
from scoreline.errors import StepError


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats()), st.floats(-5, 5), st.floats(-5, 5))
def test_it_agrees_with_numpy(numbers: list[float], one: float, other: float) -> None:
    low, high = sorted([one, other])
    clipped = Clip(min=low, max=high).apply(pa.table({"v": pa.array(numbers, pa.float64())})).table["v"]
    np.testing.assert_array_equal(clipped.to_numpy(), np.clip(np.array(numbers, float), low, high))


def test_columns_keep_their_type_and_nulls_stay() -> None:
    table = pa.table({"i": pa.array([-1, None, 200], pa.int16()), "s": ["x", "y", "z"]})
    clipped = Clip(min=0, max=120).apply(table).table
    assert clipped["i"].to_pylist() == [0, None, 120]
    assert clipped.schema == table.schema


def test_one_limit_is_enough() -> None:
    assert Clip(columns=["v"], max=1).apply(pa.table({"v": [-5, 5]})).table["v"].to_pylist() == [-5, 1]


@pytest.mark.parametrize("options", [{}, {"min": 2, "max": 1}])
def test_limits_must_make_sense(options: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Clip(**options)


@pytest.mark.parametrize("limits", [{"min": 0.5}, {"max": 1000}])
def test_a_limit_that_the_type_cannot_hold_is_refused(limits: dict[str, float]) -> None:
    with pytest.raises(StepError, match="is no int8"):
        Clip(**limits).output_schema(pa.schema({"v": pa.int8()}))


def test_text_is_refused() -> None:
    with pytest.raises(StepError, match="the step takes numbers"):
        Clip(columns=["s"], min=0).output_schema(pa.schema({"s": pa.string()}))


@pytest.mark.parametrize("nullable", [False, True])
def test_a_column_without_nulls_stays_one(nullable: bool) -> None:
    schema = pa.schema([pa.field("n", pa.int64(), nullable=nullable)])
    assert Clip(columns=["n"], min=0).output_schema(schema) == schema
