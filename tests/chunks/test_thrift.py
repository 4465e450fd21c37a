"""Thrift's compact protocol: what is parsed is written again to the same bytes."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreline.chunks.thrift import BINARY, BYTE, DOUBLE, I16, I32, I64, LIST, STRUCT, TRUE, parse, serialize

PLAIN: list[st.SearchStrategy[tuple[int, Any]]] = [
    st.tuples(st.just(BYTE), st.integers(-128, 127)),
    st.tuples(st.just(I16), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just(I32), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(I64), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(DOUBLE), st.floats(allow_nan=False)),
    st.tuples(st.just(BINARY), st.binary(max_size=300)),
]
BOOLEANS = st.booleans().map(lambda flag: (1 if flag else 2, flag))


def _structs(inner: st.SearchStrategy[tuple[int, Any]]) -> st.SearchStrategy[tuple[int, Any]]:
    fields = st.dictionaries(st.integers(1, 2**15 - 1), st.one_of(inner, BOOLEANS), max_size=6)
    return fields.map(lambda struct: (STRUCT, dict(sorted(struct.items()))))


def _lists(inner: st.SearchStrategy[tuple[int, Any]]) -> st.SearchStrategy[tuple[int, Any]]:
    alike = st.one_of(st.lists(each, max_size=20) for each in (*PLAIN, st.tuples(st.just(TRUE), st.booleans())))
    structs = st.lists(_structs(inner), max_size=3)
    return st.one_of(alike, structs).map(
        lambda each: (LIST, (each[0][0] if each else STRUCT, [value for _, value in each]))
    )


VALUES = st.recursive(st.one_of(PLAIN), lambda inner: st.one_of(_structs(inner), _lists(inner)), max_leaves=12)


@given(fields=st.dictionaries(st.integers(1, 2**15 - 1), VALUES, max_size=8), around=st.binary(max_size=9))
def test_any_struct_comes_back(fields: dict[int, tuple[int, Any]], around: bytes) -> None:
    made = serialize(fields)
    assert parse(around + made + around, len(around)) == (fields, len(around) + len(made))


@given(fields=st.dictionaries(st.integers(1, 40), VALUES, min_size=1, max_size=5), share=st.floats(0, 1))
def test_a_struct_that_is_cut_short_is_refused(fields: dict[int, tuple[int, Any]], share: float) -> None:
    made = serialize(fields)
    with pytest.raises(ValueError, match="cut short"):
        parse(made[: int(share * (len(made) - 1))])


@given(st.binary(max_size=80))
def test_no_bytes_do_anything_else_than_parse_or_be_refused(data: bytes) -> None:
    try:
        fields, end = parse(data)
    except ValueError:
        return
    assert parse(serialize(fields))[0].keys() == fields.keys()
    assert 0 < end <= len(data)


def test_depth_has_an_end() -> None:
    with pytest.raises(ValueError, match="deep"):
        parse(b"\x1c" * 10_000)
    with pytest.raises(ValueError, match="deep"):
        parse(b"\x19" + b"\x19" * 10_000)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "none", "write_page_index": True, "write_page_checksum": True},
        {"version": "1.0", "use_dictionary": False, "data_page_version": "2.0", "write_statistics": False},
        {"row_group_size": 3, "bloom_filter_options": {"text": {"ndv": 10}}, "column_encoding": None},
    ],
)
def test_footers_and_headers_of_pages_come_back_to_the_byte(options: dict[str, Any]) -> None:
    file = io.BytesIO()
    columns = {
        "whole": [1, None, -(2**62)] * 7,
        "text": ["é", "", None] * 7,
        "flag": [True, None, False] * 7,
        "lists": [[1.5], None, []] * 7,
        "exact": pa.array([None, 1, 2] * 7, pa.decimal128(30, 2)),
        "when": pa.array([None, 1, 2] * 7, pa.timestamp("us", "Asia/Tokyo")),
    }
    pq.write_table(pa.table(columns), file, **options)
    data = file.getvalue()
    size = int.from_bytes(data[-8:-4], "little")
    footer = data[-8 - size : -8]
    fields, end = parse(footer)
    assert (serialize(fields), end) == (footer, len(footer))
    header, end = parse(data, 4)
    assert serialize(header) == data[4:end]
