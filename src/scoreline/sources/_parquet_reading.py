"""Pieces of Parquet files as parts: only the wanted columns and row groups, streamed, typed by the contract."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
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
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from scoreline.units import Piece

_BUFFER = 1 << 16
_REPEATS, _CODED = 0.1, 0.25
"""Text repeats when at most this share of its values is distinct; when it is read as codes, this share of codes."""
_FIRST_ROWS, _UNLIKE = 4_096, 0.9
"""Text does not repeat when so many of its first values are to more than this share distinct: none need be counted."""
_FIRST_SHARE = 4
"""One in so many values is counted first."""
_MOST_REMEMBERED = 64
_NOT_IMPLEMENTED = "Not yet implemented"
_NO_CODES = f"{_NOT_IMPLEMENTED}: DecodeArrow of DictAccumulator"
"""What Arrow says of text that is stored by differences, as in our own output, and asked for as codes."""


@dataclass(frozen=True)
class Reading:
    """How pieces of a source are read: the wanted columns with the types of the contract, and which text repeats."""

    schema: pa.Schema
    batch_rows: int
    repeated: frozenset[str] = frozenset()


def read_pieces(pieces: Sequence[Piece], schema: pa.Schema, batch_rows: int) -> Iterator[RawPart]:
    """All rows of some pieces, in order, at most `batch_rows` a part. Lazy; memory: one batch and one page a column."""
    reading = None
    for piece in pieces:
        with unchanged(piece):
            if reading is None:
                reading, batches = _begun(piece, schema, batch_rows)
            else:
                batches = _batches(piece, reading)
            yield from _parts(piece, reading, batches)


def _parts(piece: Piece, reading: Reading, batches: Iterable[pa.RecordBatch]) -> Iterator[RawPart]:
    rows = 0
    for batch in batches:
        yield _typed(batch, piece, rows, reading)
        rows += batch.num_rows
    if rows != piece.rows:
        what = f"this file changed while it was worked on: {rows} rows where there were {piece.rows}"
        raise DataError(Problem(what, piece.uri, "run the same command again when nothing writes to it"))


def _begun(piece: Piece, schema: pa.Schema, batch_rows: int) -> tuple[Reading, Iterable[pa.RecordBatch]]:
    """How all pieces are read, found by the first batch of one, and the batches of that one.

    Text that repeats is read as codes. It is read as if it did where it did so before, and where nobody knows, and the
    batch is read again if that was wrong: it decides the time it takes, and no value.
    """
    carried = {name for name, _ in piece.partition}
    texts = [field.name for field in schema if pa.types.is_string(field.type) and field.name not in carried]
    reading = Reading(schema, batch_rows, frozenset(texts) - _unlike.get(tuple(texts), frozenset()))
    batches = _batches(piece, reading)
    first = next(batches, None)
    if first is None:
        return reading, ()
    repeated = frozenset(name for name in texts if _repeats(first[name]))
    _remember(texts, repeated)
    if repeated == reading.repeated:
        return reading, chain([first], batches)
    batches.close()
    reading = replace(reading, repeated=repeated)
    return reading, _batches(piece, reading)


_unlike: dict[tuple[str, ...], frozenset[str]] = {}
"""Of columns of text that this process has read those that did not repeat."""


def _remember(texts: Sequence[str], repeated: frozenset[str]) -> None:
    if len(_unlike) >= _MOST_REMEMBERED:
        _unlike.clear()
    _unlike[tuple(texts)] = frozenset(texts) - repeated


def _repeats(column: pa.Array) -> bool:
    most = _REPEATS * len(column)
    if pa.types.is_dictionary(column.type):
        # To take codes apart costs more than to carry some that hardly repeat; and some of them no row may have.
        return len(column.dictionary) <= _CODED * len(column) or _has_at_most(most, column.indices)
    first = column[:_FIRST_ROWS]
    return _distinct(first) <= _UNLIKE * len(first) and _has_at_most(most, column)


def _has_at_most(most: float, values: pa.Array) -> bool:
    """Whether no more than so many are distinct; the first values alone may tell that there are more."""
    return _distinct(values[: len(values) // _FIRST_SHARE]) <= most and _distinct(values) <= most


def _distinct(values: pa.Array) -> int:
    # Of views, and where all are null, Arrow has no count.
    if pa.types.is_null(values.type):
        return 0
    return int(pc.count_distinct(values.cast(pa.string()) if pa.types.is_string_view(values.type) else values).as_py())


def _batches(piece: Piece, reading: Reading) -> Generator[pa.RecordBatch]:
    rows = 0
    with readable(piece):
        try:
            for batch in _read(piece, reading, reading.repeated):
                yield batch
                rows += batch.num_rows
        except OSError as error:
            if _NO_CODES not in str(error):
                raise
            yield from _after(rows, _read(piece, reading, frozenset()))


def _read(piece: Piece, reading: Reading, coded: frozenset[str]) -> Iterator[pa.RecordBatch]:
    """The batches of a piece, some of its text as codes."""
    carried = {name for name, _ in piece.partition}
    stored = [name for name in reading.schema.names if name not in carried]
    with open_input(piece.uri) as file, _opened(file, coded) as opened:
        groups = list(piece.row_groups) if piece.row_groups is not None else None
        yield from opened.iter_batches(reading.batch_rows, groups, stored, use_threads=False)


def _after(rows: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What comes after so many rows."""
    for batch in batches:
        if rows < batch.num_rows:
            yield batch.slice(rows)
        rows = max(0, rows - batch.num_rows)


def _opened(file: object, coded: frozenset[str]) -> pq.ParquetFile:
    # Read ahead, a row group would be in memory whole.
    return pq.ParquetFile(
        file,
        read_dictionary=list(coded),
        pre_buffer=False,
        buffer_size=_BUFFER,
        page_checksum_verification=True,
    )


@contextmanager
def readable(piece: Piece) -> Iterator[None]:
    """Around reading bytes of a piece: raises DataError where they are damaged, or are nothing that Arrow reads."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if not isinstance(error, pa.ArrowNotImplementedError) and _NOT_IMPLEMENTED not in str(error):
            raise damaged(piece, error) from error
        what = f"Arrow cannot read a column of this file in parts: {str(error).splitlines()[0].rstrip('.')}"
        advice = (
            "write it without dictionaries inside lists and structs or in another encoding, or leave the column out"
        )
        raise DataError(Problem(what, piece.uri, advice)) from error


def damaged(piece: Piece, error: Exception) -> DataError:
    """The error of a piece whose bytes are not what was written."""
    what = f"this file is damaged: {str(error).splitlines()[0].rstrip('.')}"
    return DataError(Problem(what, piece.uri, "write it again or get another copy"))


def _typed(batch: pa.RecordBatch, piece: Piece, rows_before: int, reading: Reading) -> RawPart:
    carried, count = dict(piece.partition), batch.num_rows
    table, original, refusals = {}, {}, []
    for field in reading.schema:
        if field.name in carried:
            table[field.name] = original[field.name] = _constant(carried[field.name], field.type, count)
            continue
        found = batch[field.name]
        values = cast_values(found, field.type)
        if field.name in reading.repeated and pa.types.is_string(values.type):
            # Other files of the unit may not store it by differences.
            values = values.dictionary_encode()
        table[field.name] = values
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
