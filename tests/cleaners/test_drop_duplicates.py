from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.cleaners.drop_duplicates import DropDuplicates
from scoreline.errors import StepError

NAN = float("nan")
FLOATS = st.sampled_from([0.0, -0.0, 1.0, NAN, None, 5e-324, -1.0])
TEXTS = st.sampled_from(["", "a", "b", "ab", None])
ROWS = st.lists(st.tuples(FLOATS, TEXTS, TEXTS, st.sampled_from([0, 1, -1, None])), max_size=12)
TYPES = (pa.float64(), pa.string(), pa.string(), pa.int64())


def marks(table: pa.Table, **options: Any) -> list[tuple[int, int]]:
    return [tuple(pair) for pair in DropDuplicates(**options).fingerprint(table).tolist()]


def groups(keys: list[Any]) -> list[int]:
    """For each key the position of the first equal one."""
    return [keys.index(key) for key in keys]


def table_of(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * 4
    return pa.table([pa.array(values, kind) for values, kind in zip(columns, TYPES, strict=True)], names=list("abcd"))


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_rows_are_the_same_when_their_values_are(rows: list[tuple[Any, ...]]) -> None:
    keys = [repr(tuple(0.0 if value == 0.0 and isinstance(value, float) else value for value in row)) for row in rows]
    assert groups(marks(table_of(rows))) == groups(keys)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.integers(0, 12))
def test_parts_chunks_and_dictionaries_make_no_difference(rows: list[tuple[Any, ...]], cut: int) -> None:
    table = table_of(rows)
    encoded = table.set_column(1, "b", table["b"].dictionary_encode())
    parts = [encoded.slice(0, cut), encoded.slice(cut)]
    assert marks(table) == marks(pa.concat_tables(parts)) == [mark for part in parts for mark in marks(part)]


def test_values_count_with_their_column() -> None:
    table = pa.table({"a": [1, 2, None], "b": [2, 1, None], "c": ["x", "x", "x"]})
    assert groups(marks(table)) == [0, 1, 2]
    assert groups(marks(table, columns=["c"])) == [0, 0, 0]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([[1, 2], [2, 1], [1, 2], [], None, [None], [1, 2, None]], pa.list_(pa.int64()), [0, 1, 0, 3, 4, 5, 6]),
        ([[0.0, NAN], [-0.0, NAN], [NAN, 0.0]], pa.list_(pa.float32(), 2), [0, 0, 2]),
        (
            [{"x": 1, "y": "a"}, {"x": 1, "y": None}, {"x": 1, "y": "a"}, None],
            pa.struct({"x": pa.int8(), "y": pa.string()}),
            [0, 1, 0, 3],
        ),
        ([[("k", 1)], [("k", 2)], [("k", 1)], None], pa.map_(pa.string(), pa.int64()), [0, 1, 0, 3]),
        ([["a"], ["a", ""], ["", "a"]], pa.large_list(pa.string()), [0, 1, 2]),
        ([Decimal("1.50"), Decimal("1.5"), Decimal(-1)], pa.decimal128(9, 2), [0, 0, 2]),
        ([date(2020, 1, 1), date(2020, 1, 2), date(2020, 1, 1)], pa.date32(), [0, 1, 0]),
        ([timedelta(1), timedelta(2), None], pa.duration("us"), [0, 1, 2]),
        ([b"a", b"b", b"a"], pa.binary(), [0, 1, 0]),
        ([2**64 - 1, 0, 2**64 - 1], pa.uint64(), [0, 1, 0]),
        ([True, False, None, True], pa.bool_(), [0, 1, 2, 0]),
        ([None, None], pa.null(), [0, 0]),
    ],
)
def test_every_type_is_compared_by_value(values: list[Any], kind: pa.DataType, expected: list[int]) -> None:
    table = pa.table({"v": pa.array(values, kind)})
    assert groups(marks(table)) == expected
    apart = [table.slice(at, 1) for at in range(len(values))]
    assert [marks(part)[0] for part in apart] == marks(table)


def test_a_struct_of_nulls_is_not_null() -> None:
    table = pa.table({"v": pa.array([{"x": None}, None], pa.struct({"x": pa.int8()}))})
    assert groups(marks(table)) == [0, 1]


def test_the_two_hashes_are_independent_and_spread() -> None:
    hashed = DropDuplicates().fingerprint(pa.table({"v": np.arange(20_000)}))
    assert len(np.unique(hashed[:, 0] >> np.uint64(32))) > 19_990
    assert abs(np.corrcoef(hashed[:, 0].astype(float), hashed[:, 1].astype(float))[0, 1]) < 0.05


def test_a_part_without_rows_has_no_fingerprints() -> None:
    assert DropDuplicates().fingerprint(table_of([])).shape == (0, 2)
    assert DropDuplicates().fingerprint(table_of([]).schema.empty_table()).dtype == np.uint64


def test_absent_columns_are_refused() -> None:
    with pytest.raises(StepError, match="no column 'z'"):
        DropDuplicates(columns=["z"]).fingerprint(table_of([]))


def test_types_that_cannot_be_compared_are_refused_unless_they_are_left_out() -> None:
    schema = pa.schema({"a": pa.int64(), "i": pa.month_day_nano_interval()})
    with pytest.raises(StepError, match="column 'i' is month_day_nano_interval, which cannot be compared"):
        DropDuplicates().output_schema(schema)
    assert DropDuplicates(columns=["a"]).output_schema(schema) == schema


def test_it_needs_all_columns_unless_some_are_named() -> None:
    schema = table_of([]).schema
    assert DropDuplicates().needs(frozenset({"a"}), schema) == set("abcd")
    assert DropDuplicates(columns=["b"]).needs(frozenset({"a"}), schema) == {"a", "b"}
    assert DropDuplicates().narrowed(frozenset({"a"}), schema) == DropDuplicates(columns=list("abcd"))
