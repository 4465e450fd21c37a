"""Pieces of Parquet files as parts: only the wanted columns and row groups, streamed, typed by the contract."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scoreline.contract import type_name
from scoreline.errors import DataError, Problem
from scoreline.parts import files_column
from scoreline.refusal import Reason, Refusal
from scoreline.sources._casts import Cast, cast_between, cast_values, plain
from scoreline.sources._unchanged import unchanged
from scoreline.sources._values import Spelling, read_values
from scoreline.storage import open_input
from scoreline.units import RawPart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.units import Piece

_BUFFER = 1 << 16
_REPEATS = 0.1


@dataclass(frozen=True)
class Reading:
    """How pieces of a source are read: the wanted columns with the types of the contract, and which text repeats."""

    schema: pa.Schema
    batch_rows: int
    repeated: frozenset[str] = frozenset()


def read_pieces(pieces: Sequence[Piece], schema: pa.Schema, batch_rows: int) -> Iterator[RawPart]:
    """All rows of some pieces, in order, at most `batch_rows` a part. Lazy; memory: one batch and one page a column."""
    with unchanged(pieces[0]):
        repeated = repeated_columns(pieces[0], schema, batch_rows)
    reading = Reading(schema, batch_rows, repeated)
    for piece in pieces:
        with unchanged(piece):
            yield from _parts(piece, reading)


def _parts(piece: Piece, reading: Reading) -> Iterator[RawPart]:
    rows = 0
    for batch in _batches(piece, reading, reading.schema.names):
        yield _typed(batch, piece, rows, reading)
        rows += batch.num_rows
    if rows != piece.rows:
        what = f"this file changed while it was worked on: {rows} rows where there were {piece.rows}"
        raise DataError(Problem(what, piece.uri, "run the same command again when nothing writes to it"))


def repeated_columns(piece: Piece, schema: pa.Schema, batch_rows: int) -> frozenset[str]:
    """Columns of text with at most one distinct value in ten rows, in the first batch of a piece."""
    carried = {name for name, _ in piece.partition}
    texts = [field.name for field in schema if pa.types.is_string(field.type) and field.name not in carried]
    reading = Reading(schema, batch_rows, frozenset(texts))
    batch = next(_batches(piece, reading, texts), None) if texts else None
    if batch is None:
        return frozenset()
    return frozenset(name for name in batch.schema.names if _distinct(batch[name]) <= _REPEATS * batch.num_rows)


def _distinct(column: pa.Array) -> int:
    values = column.indices if pa.types.is_dictionary(column.type) else column
    return int(pc.count_distinct(values).as_py())


def _batches(piece: Piece, reading: Reading, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    carried = {name for name, _ in piece.partition}
    stored = [name for name in names if name not in carried]
    with _readable(piece), open_input(piece.uri) as file, _opened(file, reading.repeated) as opened:
        groups = list(piece.row_groups) if piece.row_groups is not None else None
        yield from opened.iter_batches(reading.batch_rows, groups, stored, use_threads=False)


def _opened(file: object, repeated: frozenset[str]) -> pq.ParquetFile:
    # Read ahead, a row group would be in memory whole.
    return pq.ParquetFile(
        file,
        read_dictionary=list(repeated),
        pre_buffer=False,
        buffer_size=_BUFFER,
        page_checksum_verification=True,
    )


@contextmanager
def _readable(piece: Piece) -> Iterator[None]:
    try:
        yield
    except pa.ArrowNotImplementedError as error:
        what = f"Arrow cannot read a column of this file in parts: {str(error).splitlines()[0].rstrip('.')}"
        advice = "write it without dictionaries inside lists and structs, or leave the column out"
        raise DataError(Problem(what, piece.uri, advice)) from error
    except (pa.ArrowException, OSError) as error:
        what = f"this file is damaged: {str(error).splitlines()[0].rstrip('.')}"
        raise DataError(Problem(what, piece.uri, "write it again or get another copy")) from error


def _typed(batch: pa.RecordBatch, piece: Piece, rows_before: int, reading: Reading) -> RawPart:
    carried, count = dict(piece.partition), batch.num_rows
    table, original, refusals = {}, {}, []
    for field in reading.schema:
        if field.name in carried:
            table[field.name] = original[field.name] = _constant(carried[field.name], field.type, count)
            continue
        found = batch[field.name]
        values = table[field.name] = cast_values(found, field.type)
        lossy = cast_between(found.type, field.type) is Cast.CHECKED
        original[field.name] = found if lossy else values
        if lossy and values.null_count > found.null_count:
            rows = np.flatnonzero(pc.and_(values.is_null(), found.is_valid()))
            what = f"{type_name(plain(found.type))} that {type_name(field.type)} does not hold"
            refusals.append(Refusal(rows, Reason.BAD_VALUE, what, field.name, "read"))
    first = piece.first_row + rows_before
    numbers = np.arange(first, first + count, dtype=np.int64)
    return RawPart(pa.table(table), files_column(piece.path, count), numbers, tuple(refusals), pa.table(original))


def _constant(value: str | None, wanted: pa.DataType, count: int) -> pa.Array:
    """A column of one value, which a folder's name carries."""
    if value is None:
        return pa.nulls(count, wanted)
    typed = read_values(pa.array([value], pa.string()), wanted, Spelling(null_words=())).values
    return pa.repeat(typed[0], count)
