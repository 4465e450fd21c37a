"""Parquet files with plain types, fixed row groups and page checksums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.sinks.base import Sink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

ROW_GROUP_ROWS = 131_072
"""Rows of a row group, counted from the start of the unit: a constant of the format."""


class Parquet(Sink):
    """Write predictions as Parquet."""

    kind: Literal["parquet"] = "parquet"

    def write(
        self, tables: Iterable[pa.Table], schema: pa.Schema, spool: Path | BinaryIO, footer: Mapping[str, str]
    ) -> int:
        """Write one unit; see `Sink.write`."""
        stored = plain(schema).with_metadata(dict(footer))
        rows = 0
        with pq.ParquetWriter(
            spool, stored, compression="zstd", write_page_checksum=True, **encodings(stored)
        ) as writer:
            for group in row_groups(tables, stored):
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
                rows += group.num_rows
        return rows


def encodings(schema: pa.Schema) -> dict[str, Any]:
    """How the columns of plain types are encoded, as pyarrow takes it; a part of the format.

    A dictionary is for text alone: of numbers it costs several times the time of writing them, and most columns of
    numbers are larger with it. Whole numbers and moments are stored as differences.

    >>> encodings(pa.schema([("row", pa.int64()), ("price", pa.float64()), ("city", pa.string())]))
    {'use_dictionary': ['city'], 'column_encoding': {'row': 'DELTA_BINARY_PACKED'}}
    """
    types = {field.name: field.type for field in schema}
    dictionaries = [name for name, kind in types.items() if not pa.types.is_primitive(kind)]
    whole = (pa.types.is_integer, pa.types.is_temporal)
    deltas = [name for name, kind in types.items() if any(matches(kind) for matches in whole)]
    return {"use_dictionary": dictionaries, "column_encoding": dict.fromkeys(deltas, "DELTA_BINARY_PACKED")}


def plain(schema: pa.Schema) -> pa.Schema:
    """The schema with dictionaries replaced by their values, so that every reader meets plain types.

    >>> plain(pa.schema([("a", pa.dictionary(pa.int32(), pa.string()))])).field("a").type
    DataType(string)
    """
    return pa.schema([field.with_type(_plain_type(field.type)) for field in schema])


def _plain_type(arrow_type: pa.DataType) -> pa.DataType:
    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def row_groups(tables: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """Cut a stream of tables into row groups of one contiguous chunk a column, whatever the tables' sizes."""
    waiting: list[pa.Table] = []
    count = 0
    for table in tables:
        waiting.append(_as_stored(table, schema))
        count += table.num_rows
        while count >= ROW_GROUP_ROWS:
            together = pa.concat_tables(waiting)
            yield together.slice(0, ROW_GROUP_ROWS).combine_chunks()
            waiting, count = [together.slice(ROW_GROUP_ROWS)], count - ROW_GROUP_ROWS
    if count:
        yield pa.concat_tables(waiting).combine_chunks()


def _as_stored(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return pa.table([table[field.name].cast(field.type) for field in schema], schema=schema)
