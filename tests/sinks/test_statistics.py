"""Whether values are within bounds, as one finds by looking at each."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreline.sinks._statistics import _are_within

FLOATS, WHOLE = st.floats(width=32, allow_nan=False), st.integers(-128, 127)
KINDS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.float64(): FLOATS,
    pa.float32(): FLOATS,
    pa.int8(): WHOLE,
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.date32(): WHOLE,
    pa.timestamp("us"): st.integers(-(2**60), 2**60),
    pa.bool_(): st.booleans(),
    pa.binary(): st.binary(max_size=3),
}


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(data=st.data())
def test_values_are_within_bounds_when_each_of_them_is(kind: pa.DataType, data: st.DataObject) -> None:
    least, largest = data.draw(KINDS[kind]), data.draw(KINDS[kind])
    missing = st.just(float("nan")) if pa.types.is_floating(kind) else st.none()
    values = st.none() | missing | st.sampled_from([least, largest]) | KINDS[kind]
    columns = data.draw(st.lists(st.lists(values, max_size=6), min_size=1, max_size=3))
    stored = pa.int32() if pa.types.is_date(kind) else pa.int64() if pa.types.is_timestamp(kind) else kind
    arrays = [pa.array(column, stored).view(kind) for column in columns]
    every = [value for column in columns for value in column if value is not None]
    expected = not any(value < least or largest < value for value in every)
    assert _are_within(arrays, least, largest) == expected


def test_days_are_numbers_of_days() -> None:
    days = pa.array([date(1970, 1, 2), None, date(1970, 1, 5)])
    assert (_are_within([days], 1, 4), _are_within([days.drop_null()], 1, 4)) == (True, True)
    assert (_are_within([days], 1, 3), _are_within([days.drop_null()], 2, 4)) == (False, False)
