"""The bytes of a file depend on its rows, never on how they were cut into tables."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.sinks.parquet import ROW_GROUP_ROWS, Parquet, plain

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = pa.schema([("n", pa.int64()), ("t", pa.string())])
ROWS = 1_000


def written(spool: Path, tables: list[pa.Table]) -> bytes:
    Parquet(uri="out").write(iter(tables), SCHEMA, spool, {"scoreline.score_key": "k"})
    return spool.read_bytes()


def rows_of(start: int, stop: int, *, encoded: bool = False) -> pa.Table:
    text = pa.array([f"v{number % 7}" for number in range(start, stop)])
    return pa.table({"n": pa.array(range(start, stop), pa.int64()), "t": text.dictionary_encode() if encoded else text})


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, ROWS), max_size=6), encoded=st.booleans())
def test_any_cut_and_encoding_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], encoded: bool
) -> None:
    folder = tmp_path_factory.mktemp("cuts")
    edges = [0, *sorted(cuts), ROWS]
    tables = [rows_of(a, b, encoded=encoded) for a, b in pairwise(edges)]
    assert written(folder / "cut", tables) == written(folder / "whole", [rows_of(0, ROWS)])


def test_row_groups_are_cut_at_the_constant_of_the_format(tmp_path: Path) -> None:
    rows = ROW_GROUP_ROWS + 10
    written(tmp_path / "file", [rows_of(0, 5), rows_of(5, rows)])
    footer = pq.ParquetFile(tmp_path / "file").metadata
    assert [footer.row_group(group).num_rows for group in range(footer.num_row_groups)] == [ROW_GROUP_ROWS, 10]


def test_readers_meet_plain_types_and_the_key(tmp_path: Path) -> None:
    written(tmp_path / "file", [rows_of(0, 10, encoded=True)])
    table = pq.read_table(tmp_path / "file", page_checksum_verification=True)
    assert table.schema.field("t").type == pa.string()
    assert table.schema.metadata[b"scoreline.score_key"] == b"k"


def test_no_rows_make_a_file_with_the_schema(tmp_path: Path) -> None:
    written(tmp_path / "file", [])
    assert pq.read_table(tmp_path / "file").schema.names == ["n", "t"]


def test_plain_keeps_nested_types() -> None:
    nested = pa.schema([("l", pa.list_(pa.int64()))])
    assert plain(nested) == nested


NUMBERS = {
    "signed": pa.array([None, -(2**63), 2**63 - 1, 0], pa.int64()),
    "unsigned": pa.array([2**64 - 1, 0, None, 2**63], pa.uint64()),
    "small": pa.array([-128, 127, 0, None], pa.int8()),
    "short": pa.array([65_535, 0, None, 1], pa.uint16()),
    "single": pa.array([float("nan"), -0.0, None, 1e-45], pa.float32()),
    "double": pa.array([float("inf"), None, 5e-324, float("nan")], pa.float64()),
    "half": pa.array([None, 1.0, 2.0, 65_504.0], pa.float16()),
    "flag": pa.array([True, None, False, True]),
    "day": pa.array([None, -(2**31), 2**31 - 1, 0], pa.date32()),
    "moment": pa.array([-(2**63), None, 2**63 - 1, 0], pa.timestamp("us", "UTC")),
    "length": pa.array([1, None, -1, 0], pa.duration("ns")),
    "clock": pa.array([0, 86_399_999_999, None, 1], pa.time64("us")),
    "exact": pa.array([None, 1, 2, -3], pa.decimal128(30, 2)),
    "raw": pa.array([b"", None, b"\0", b"x"]),
    "list": pa.array([[1], None, [], [None]], pa.list_(pa.int64())),
    "a.b": pa.array([1, 2, 3, None]),
    "nothing": pa.nulls(4),
}


@pytest.mark.parametrize("repeated", [1, 1_000])
def test_every_type_comes_back_to_the_bit(tmp_path: Path, repeated: int) -> None:
    table = pa.concat_tables([pa.table(NUMBERS)] * repeated).combine_chunks()
    Parquet(uri="out").write(iter([table]), table.schema, tmp_path / "file", {})
    found = pq.read_table(tmp_path / "file", page_checksum_verification=True)
    for name in table.schema.names:
        assert _bits(found[name]) == _bits(table[name]), name


def _bits(column: pa.ChunkedArray) -> tuple[object, ...]:
    """Nulls, and the bytes of what is not null: numbers that are not equal to themselves are compared, too."""
    kept = column.drop_null().combine_chunks()
    if pa.types.is_primitive(kept.type) and not pa.types.is_boolean(kept.type):
        return column.is_null().to_pylist(), np.array(kept.view(f"uint{kept.type.bit_width}")).tobytes()
    return column.is_null().to_pylist(), kept.to_pylist()
