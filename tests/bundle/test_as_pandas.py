"""Frames for objects from elsewhere are those of `pandas.read_parquet`, whatever part of the input they hold."""

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.bundle.as_pandas import as_pandas, as_read
from scoreline.errors import DataError

MOMENT = dt.datetime.fromisoformat("2024-02-29T12:30:01.000005")
VALUES: dict[str, tuple[pa.DataType, list[Any]]] = {
    "whole": (pa.int64(), [1, 2, -3]),
    "narrow": (pa.int8(), [1, 2, -3]),
    "wide": (pa.uint64(), [1, 2, 3]),
    "real": (pa.float64(), [0.5, float("nan"), -1.0]),
    "single": (pa.float32(), [0.5, 0.25, -1.0]),
    "half": (pa.float16(), [0.5, 0.25, -1.0]),
    "flag": (pa.bool_(), [True, False, True]),
    "text": (pa.string(), ["a", "", "São Paulo"]),
    "level": (pa.dictionary(pa.int32(), pa.string()), ["low", "high", "low"]),
    "price": (pa.decimal128(12, 2), [Decimal("1.15"), Decimal("-0.10"), Decimal("7.00")]),
    "day": (pa.date32(), [MOMENT.date(), dt.date(1999, 1, 1), MOMENT.date()]),
    "fine": (pa.timestamp("ns"), [MOMENT, MOMENT, MOMENT]),
    "coarse": (pa.timestamp("ms", "America/Sao_Paulo"), [MOMENT.replace(microsecond=0, tzinfo=dt.UTC)] * 3),
    "time": (pa.time64("us"), [MOMENT.time(), dt.time(1), dt.time(2)]),
    "tags": (pa.list_(pa.string()), [["a"], [], ["b", "c"]]),
}


def read_back(table: pa.Table) -> pd.DataFrame:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return pd.read_parquet(buffer)


def table_of(nulls: bool) -> pa.Table:
    return pa.table(
        {name: pa.array([*values, values[0], *([None] * nulls)], kind) for name, (kind, values) in VALUES.items()}
    )


def schema_of(table: pa.Table) -> pa.Schema:
    """What a survey knows: which columns have nulls, and that text may be stored as a dictionary."""
    return pa.schema([as_read(f.with_nullable(table[f.name].null_count > 0), f.type) for f in table.schema])


@pytest.mark.parametrize("nulls", [False, True])
@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 5), rows=st.integers(0, 5))
def test_a_part_looks_as_the_whole_does_in_pandas(nulls: bool, start: int, rows: int) -> None:
    table = table_of(nulls)
    found = as_pandas(table.slice(start, rows), schema_of(table), {})
    expected = read_back(table).iloc[start : start + rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_categorical=False)


def test_text_is_the_same_however_it_was_read() -> None:
    table = pa.table({"text": pa.array(["a", None]).dictionary_encode(), "level": ["b", None]})
    schema = pa.schema([("text", pa.string()), ("level", pa.dictionary(pa.int32(), pa.string()))])
    found = as_pandas(table, schema, {})
    assert [str(dtype) for dtype in found.dtypes] == ["str", "category"]
    assert found["text"].tolist() == ["a", np.nan]


def test_chunks_with_dictionaries_of_their_own_make_one_category() -> None:
    chunks = [pa.array(["a", None]).dictionary_encode(), pa.array(["b", "a"]).dictionary_encode()]
    found = as_pandas(pa.table({"c": pa.chunked_array(chunks)}), pa.schema([("c", chunks[0].type)]), {})
    assert found["c"].astype(object).tolist() == ["a", np.nan, "b", "a"]


@pytest.mark.parametrize(
    ("marker", "expected"),
    [({"flag": None}, [True, None]), ({"flag": np.nan}, [1.0, np.nan]), ({}, [True, None])],
)
def test_a_marker_says_how_null_among_booleans_looks(marker: dict[str, float | None], expected: list[object]) -> None:
    found = as_pandas(pa.table({"flag": [True, None]}), pa.schema([("flag", pa.bool_())]), marker)
    assert str(found["flag"].tolist()) == str(expected)


@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]"])
def test_booleans_keep_a_dtype_of_pandas_own(dtype: str) -> None:
    kind = pa.opaque(pa.bool_(), dtype, "pandas")
    field = as_read(pa.field("flag", pa.bool_()), kind)
    found = as_pandas(pa.table({"flag": [True, None]}), pa.schema([field]), {})
    pd.testing.assert_series_equal(found["flag"], pd.Series([True, None], dtype=dtype, name="flag"))
    # Cleaning has made something else of it.
    assert as_read(pa.field("flag", pa.int64()), kind).type == pa.int64()


def test_a_marker_of_none_turns_categories_into_objects() -> None:
    schema = pa.schema([("level", pa.dictionary(pa.int32(), pa.string())), ("n", pa.int64())])
    found = as_pandas(pa.table({"level": ["a", None], "n": [1, None]}), schema, {"level": None, "n": None})
    assert found.to_numpy().tolist() == [["a", 1], [None, None]]


def test_a_null_that_nobody_expected_is_refused() -> None:
    schema = pa.schema([pa.field("n", pa.int64(), nullable=False)])
    with pytest.raises(DataError, match="null in a column that allows none"):
        as_pandas(pa.table({"n": [1, None]}), schema, {})


@pytest.mark.parametrize(
    ("declared", "stored", "expected"),
    [
        (pa.string(), pa.dictionary(pa.int8(), pa.large_string()), pa.dictionary(pa.int32(), pa.string())),
        (pa.string(), pa.string(), pa.string()),
        (pa.int64(), pa.dictionary(pa.int8(), pa.string()), pa.int64()),
        (pa.date32(), pa.date32(), pa.date32()),
        (pa.date32(), pa.string(), pa.timestamp("us")),
        (pa.date32(), None, pa.timestamp("us")),
        (pa.timestamp("ns"), None, pa.timestamp("ns")),
    ],
)
def test_only_what_files_store_is_a_category_or_a_date(
    declared: pa.DataType, stored: pa.DataType | None, expected: pa.DataType
) -> None:
    assert as_read(pa.field("c", declared, nullable=False), stored) == pa.field("c", expected, nullable=False)
