"""Parquet files with plain types, fixed row groups and page checksums."""

from __future__ import annotations

import base64
import io
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.sinks._passage import ROW_GROUP_ROWS, passage_of
from scoreline.sinks._text import by_value, one_by_one, repeats
from scoreline.sinks.base import Sink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from scoreline.chunks.stored import StoredGroup
    from scoreline.sinks._passage import Passage

_BATCH_ROWS = 4_096
"""Rows between two looks at the size of a page: with fewer, statistics of text in codes take a third of the time."""


class Parquet(Sink):
    """Write predictions as Parquet."""

    kind: Literal["parquet"] = "parquet"

    def write(
        self, tables: Iterable[pa.Table], schema: pa.Schema, spool: Path | BinaryIO, footer: Mapping[str, str]
    ) -> int:
        """Write one unit; see `Sink.write`."""
        return _encode(prepare(tables, schema), spool, _as_readers_see_it(schema, footer))

    def passage(self, stored: Iterable[StoredGroup], schema: pa.Schema) -> Passage | None:
        """How row groups of Parquet go on; see `Sink.passage`."""
        return passage_of(stored, plain(schema), _in_memory)


def _encode(prepared: _Prepared, spool: Path | BinaryIO, metadata: Mapping[str, str]) -> int:
    rows = 0
    with pq.ParquetWriter(spool, prepared.schema, write_page_checksum=True, **prepared.options) as writer:
        for group in prepared.groups:
            writer.write_table(group, row_group_size=group.num_rows)
            rows += group.num_rows
        writer.add_key_value_metadata(metadata)
    return rows


def _in_memory(tables: Iterable[pa.Table], schema: pa.Schema, footer: Mapping[str, str], group_rows: int) -> memoryview:
    made = io.BytesIO()
    _encode(prepare(tables, schema, group_rows), made, _as_readers_see_it(schema, footer))
    return made.getbuffer()


class _Prepared(NamedTuple):
    """What a Parquet writer takes: a schema, options, and a table for each row group. A part of the format."""

    schema: pa.Schema
    options: Mapping[str, Any]
    groups: Iterator[pa.Table]


def prepare(tables: Iterable[pa.Table], schema: pa.Schema, group_rows: int = ROW_GROUP_ROWS) -> _Prepared:
    """Row groups of a unit, text that repeats in codes; how the columns are encoded is decided by the first of them.

    Lazy but for the first row group; memory: one. All of it depends on the rows and the schema alone.
    """
    stored = plain(schema)
    groups = _row_groups(tables, group_rows)
    first = next(groups, [])
    texts = [field.name for field in stored if pa.types.is_string(field.type)]
    coded = frozenset(name for name in texts if repeats(_chunks(first, name)))
    given = pa.schema([_in_codes(field) if field.name in coded else field for field in stored])
    return _Prepared(
        given,
        {"compression": "zstd", "store_schema": False, "write_batch_size": _BATCH_ROWS, **encodings(stored, coded)},
        (_as_given(group, given) for group in chain([first] if first else [], groups)),
    )


def encodings(schema: pa.Schema, coded: frozenset[str]) -> dict[str, Any]:
    """How the columns of plain types are encoded, as pyarrow takes it; `coded` is the text that repeats.

    A dictionary is for text alone: of numbers it costs several times the time of writing them, and most columns of
    numbers are larger with it. Whole numbers and moments are stored as differences, and so are lengths of other text.

    >>> encodings(pa.schema([("row", pa.int64()), ("id", pa.string()), ("city", pa.string())]), frozenset({"city"}))
    {'use_dictionary': ['city'], 'column_encoding': {'row': 'DELTA_BINARY_PACKED', 'id': 'DELTA_LENGTH_BYTE_ARRAY'}}
    """
    types = {field.name: field.type for field in schema}
    nested = tuple(f"{name}." for name, kind in types.items() if pa.types.is_nested(kind))
    lengths = {name for name, kind in types.items() if pa.types.is_string(kind) and name not in coded}
    dictionaries = [name for name, kind in types.items() if not pa.types.is_primitive(kind) and name not in lengths]
    whole = (pa.types.is_integer, pa.types.is_temporal)
    deltas = [name for name, kind in types.items() if any(matches(kind) for matches in whole)]
    differences = dict.fromkeys(deltas, "DELTA_BINARY_PACKED") | dict.fromkeys(lengths, "DELTA_LENGTH_BYTE_ARRAY")
    # What is inside of another column may be called alike, and would be encoded so, too.
    alone = {name: encoding for name, encoding in differences.items() if not name.startswith(nested)}
    return {"use_dictionary": dictionaries, "column_encoding": alone}


def plain(schema: pa.Schema) -> pa.Schema:
    """The schema with dictionaries replaced by their values, so that every reader meets plain types.

    >>> plain(pa.schema([("a", pa.dictionary(pa.int32(), pa.string()))])).field("a").type
    DataType(string)
    """
    return pa.schema([field.with_type(_plain_type(field.type)) for field in schema])


def _plain_type(arrow_type: pa.DataType) -> pa.DataType:
    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def _in_codes(field: pa.Field) -> pa.Field:
    return field.with_type(pa.dictionary(pa.int32(), field.type))


def _as_readers_see_it(schema: pa.Schema, footer: Mapping[str, str]) -> dict[str, str]:
    """The metadata of a file: what Arrow would store itself, had it not been given codes."""
    stored = plain(schema).with_metadata(dict(footer)).serialize()
    return {**footer, "ARROW:schema": base64.b64encode(stored).decode()}


def _row_groups(tables: Iterable[pa.Table], rows: int) -> Iterator[list[pa.Table]]:
    """Cut a stream of tables into the pieces of row groups, whatever the tables' sizes."""
    waiting: list[pa.Table] = []
    room = rows
    for table in tables:
        start = 0
        while start < table.num_rows:
            waiting.append(table.slice(start, room))
            start, room = start + room, room - waiting[-1].num_rows
            if not room:
                yield waiting
                waiting, room = [], rows
    if waiting:
        yield waiting


def _chunks(pieces: Sequence[pa.Table], name: str) -> list[pa.Array]:
    return [chunk for piece in pieces for chunk in piece[name].chunks if len(chunk)]


def _as_given(pieces: list[pa.Table], schema: pa.Schema) -> pa.Table:
    """One row group, one contiguous chunk a column. Takes the pieces out of their list, and so needs little memory."""
    waiting = [_chunks(pieces, field.name) for field in reversed(schema)]
    pieces.clear()
    return pa.table([_column(waiting.pop(), field.type) for field in schema], schema=schema)


def _column(chunks: Sequence[pa.Array], wanted: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(wanted):
        return by_value(chunks)
    if pa.types.is_string(wanted):
        return one_by_one(chunks)
    return pa.chunked_array([chunk.cast(wanted) for chunk in chunks]).combine_chunks()
