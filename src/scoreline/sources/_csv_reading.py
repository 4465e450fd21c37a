"""Pieces of CSV files as parts: every record a row, numbered as in its file and typed by the contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from scoreline.contract import type_name
from scoreline.errors import DataError, Problem
from scoreline.parts import files_column
from scoreline.refusal import Reason, Refusal
from scoreline.sources._columns import contract_names
from scoreline.sources._dialect import Dialect, split_record
from scoreline.sources._parsing import Layout, TextRows, parse, repeated_columns
from scoreline.sources._records import Records, read_records
from scoreline.sources._streams import open_text, stream_encoding
from scoreline.sources._unchanged import unchanged
from scoreline.sources._values import Spelling, read_values
from scoreline.units import RawPart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.units import Piece

_SMALLEST_BLOCK, _LARGEST_BLOCK = 1 << 16, 1 << 23
_HEADER_BLOCK = 1 << 14


@dataclass(frozen=True)
class Reading:
    """How pieces of a source are read.

    Attributes
    ----------
    dialect, spelling : how the files are laid out and how they spell values
    schema : names and types of all columns of the contract
    columns : the wanted ones
    repeated : those of them that are read as dictionaries; None when that is still to be found out
    """

    dialect: Dialect
    spelling: Spelling
    schema: pa.Schema
    columns: tuple[str, ...]
    repeated: frozenset[str] | None = None


def read_pieces(pieces: Sequence[Piece], reading: Reading, batch_rows: int) -> Iterator[RawPart]:
    """All records of some pieces, in order, in batches of about `batch_rows`. Lazy; memory: one batch."""
    stream = replace(reading.dialect, encoding=stream_encoding(reading.dialect.encoding))
    for piece in pieces:
        rows = 0
        with unchanged(piece):
            for header, records in _records(piece, reading.dialect, batch_rows):
                text = parse(records, _layout(header, stream, reading))
                if reading.repeated is None:
                    reading = replace(reading, repeated=repeated_columns(text.table))
                    text = _as_repeated(text, reading.repeated or frozenset())
                yield _typed(text, piece, rows, reading)
                rows += len(records)
            if rows != piece.rows:
                what = f"this file changed while it was worked on: {rows} records where there were {piece.rows}"
                raise DataError(Problem(what, piece.uri, "run the same command again when nothing writes to it"))


def _records(piece: Piece, dialect: Dialect, batch_rows: int) -> Iterator[tuple[tuple[str, ...], Records]]:
    """The records of a piece, block by block, with the names in the header of its file."""
    block = min(max(batch_rows * piece.size // max(piece.rows, 1), _SMALLEST_BLOCK), _LARGEST_BLOCK)
    header = None if piece.byte_range is None else read_header(piece.uri, dialect)
    with open_text(piece.uri, dialect.encoding, piece.byte_range) as read:
        for records in read_records(read, dialect.marks, block):
            if header is not None:
                yield header, records
                continue
            header = split_header(records.text_of(0), replace(dialect, encoding=stream_encoding(dialect.encoding)))
            if len(records) > 1:
                yield header, records.part(1, len(records))


def _layout(header: Sequence[str], stream: Dialect, reading: Reading) -> Layout:
    places = {name: at for at, name in enumerate(contract_names(header, reading.schema.names))}
    fields = {name: places[name] for name in reading.columns}
    return Layout(stream, len(header), fields, reading.repeated or frozenset())


def read_header(uri: str, dialect: Dialect) -> tuple[str, ...]:
    """The names in the header of a file; none when it has no record."""
    with open_text(uri, dialect.encoding) as read:
        for records in read_records(read, dialect.marks, _HEADER_BLOCK):
            return split_header(records.text_of(0), replace(dialect, encoding=stream_encoding(dialect.encoding)))
    return ()


def split_header(record: bytes, dialect: Dialect) -> tuple[str, ...]:
    """The names that a header holds. Raises UnicodeDecodeError."""
    return tuple(split_record(record.decode(dialect.encoding), dialect.delimiter, dialect.quote))


def _as_repeated(text: TextRows, repeated: frozenset[str]) -> TextRows:
    """The same text with the columns that repeat as dictionaries: they were not yet known when it was read."""
    table = text.table
    for name in repeated:
        at = table.column_names.index(name)
        table = table.set_column(at, name, table[name].chunk(0).dictionary_encode())
    return replace(text, table=table)


def _typed(text: TextRows, piece: Piece, rows_before: int, reading: Reading) -> RawPart:
    count = len(text.lines)
    columns, refusals = {}, list(text.refusals)
    for name in reading.columns:
        wanted = reading.schema.field(name).type
        typed = read_values(text.table[name].chunk(0), wanted, reading.spelling)
        columns[name] = typed.values
        if typed.bad is not None:
            what = f"not a value of type {type_name(wanted)}"
            refusals.append(Refusal(np.flatnonzero(typed.bad), Reason.BAD_VALUE, what, name, "read"))
    first = piece.first_row + rows_before
    return RawPart(
        pa.table(columns),
        files_column(piece.path, count),
        np.arange(first, first + count, dtype=np.int64),
        tuple(refusals),
        pa.table(
            {**dict(zip(reading.columns, text.table.columns, strict=True)), line_name(reading.columns): text.lines}
        ),
    )


def line_name(columns: Sequence[str]) -> str:
    """The name under which quarantine keeps a line that could not be read: ``line``, unless a column has that name.

    >>> line_name(["id", "line"])
    'line_'
    """
    name = "line"
    while name in columns:
        name += "_"
    return name
