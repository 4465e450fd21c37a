"""Records as columns of text: which of them cannot be read, and what the others say in each field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from scoreline.refusal import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoreline.sources._dialect import Dialect
    from scoreline.sources._records import Records

TEXT = pa.string()
REPEATED_TEXT = pa.dictionary(pa.int32(), pa.string())

_REPEATS = 0.1
_MARK = "\ufeff".encode()


@dataclass(frozen=True)
class Layout:
    """How records become columns.

    Attributes
    ----------
    dialect : of the stream that the records come from
    width : fields of a record
    fields : which field each wanted column is, by name
    repeated : wanted columns whose text repeats and is read as a dictionary
    """

    dialect: Dialect
    width: int
    fields: dict[str, int]
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class TextRows:
    """Records as text, one row each.

    Attributes
    ----------
    table : the wanted columns, strings or dictionaries of strings in one chunk; empty text is null, and so is every
        field of a record that cannot be read
    refusals : the records that cannot be read
    lines : string array, the text of those records, null for all others
    """

    table: pa.Table
    refusals: tuple[Refusal, ...]
    lines: pa.Array


def parse(records: Records, layout: Layout) -> TextRows:
    """The wanted columns of some records as text; eager. Every record is a row."""
    unreadable, whole = _undecodable(records, layout.dialect.encoding)
    kept = np.flatnonzero(~(unreadable | records.stray))
    data = whole if len(kept) == len(records) else _joined(records, kept, layout.dialect.encoding)
    columns, rows, wrong = _read(data, layout)
    if rows + len(wrong) != len(kept):
        raise ValueError(f"{len(kept)} records were read as {rows + len(wrong)} rows")
    misfits = {int(kept[number]): count for number, count in wrong.items()}
    refusals = tuple(_refusals(records, unreadable, misfits, layout.width))
    if not refusals:
        return TextRows(pa.table(columns), (), pa.nulls(len(records), TEXT))
    broken = unreadable | records.stray
    broken[list(misfits)] = True
    return TextRows(_spread(columns, broken), refusals, _lines(records, broken, layout.dialect.encoding))


def repeated_columns(table: pa.Table) -> frozenset[str]:
    """Columns with at most one distinct value in ten rows: those are smaller and faster as dictionaries."""
    columns = zip(table.column_names, table.columns, strict=True)
    return frozenset(name for name, column in columns if pc.count_distinct(column).as_py() <= _REPEATS * len(table))


def _undecodable(records: Records, encoding: str) -> tuple[np.ndarray, bytes]:
    """Which records have bytes that mean nothing, and all records as UTF-8 when there are none."""
    none = np.zeros(len(records), bool)
    data = records.data[: records.stop]
    if data.isascii():
        return none, data
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return np.array([not _decodes(records.text_of(row), encoding) for row in range(len(records))], bool), b""
    return none, data if encoding == "utf-8" else text.encode()


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _joined(records: Records, kept: np.ndarray, encoding: str) -> bytes:
    bounds = zip(records.starts[kept].tolist(), records.ends[kept].tolist(), strict=True)
    data = b"".join(records.data[start:end] for start, end in bounds)
    return data if encoding == "utf-8" else data.decode(encoding).encode()


def _read(data: bytes, layout: Layout) -> tuple[dict[str, pa.Array], int, dict[int, int]]:
    """Columns and number of rows with all fields, and for each other record its number and how many fields it has."""
    wrong: dict[int, int] = {}

    def skip(row: csv.InvalidRow) -> str:
        wrong[row.number - 1] = row.actual_columns
        return "skip"

    names = [str(field) for field in range(layout.width)]
    types = {str(field): _type(name, layout) for name, field in layout.fields.items()} or {names[0]: TEXT}
    if not data:
        return {name: pa.array([], _type(name, layout)) for name in layout.fields}, 0, wrong
    # Arrow takes a mark at the very start for a byte order mark, even where it is text; an empty line is no record.
    table = csv.read_csv(
        pa.py_buffer(b"\n" + data if data.startswith(_MARK) else data),
        csv.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 1),
        csv.ParseOptions(
            delimiter=layout.dialect.delimiter,
            quote_char=layout.dialect.quote,
            newlines_in_values=True,
            invalid_row_handler=skip,
        ),
        csv.ConvertOptions(
            check_utf8=False,
            column_types=types,
            include_columns=list(types),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    return {name: _one_chunk(table[str(field)]) for name, field in layout.fields.items()}, table.num_rows, wrong


def _type(name: str, layout: Layout) -> pa.DataType:
    return REPEATED_TEXT if name in layout.repeated else TEXT


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.unify_dictionaries().combine_chunks()


def _spread(columns: dict[str, pa.Array], broken: np.ndarray) -> pa.Table:
    """The columns with a row of nulls for each broken record."""
    places = pa.array(np.cumsum(~broken) - 1, mask=broken)
    return pa.table({name: column.take(places) for name, column in columns.items()})


def _lines(records: Records, broken: np.ndarray, encoding: str) -> pa.Array:
    texts: list[str | None] = [None] * len(records)
    for row in np.flatnonzero(broken).tolist():
        texts[row] = records.text_of(row).decode(encoding, "backslashreplace")
    return pa.array(texts, TEXT)


def _refusals(records: Records, unreadable: np.ndarray, misfits: dict[int, int], width: int) -> Iterator[Refusal]:
    if unreadable.any():
        rows = np.flatnonzero(unreadable)
        yield Refusal(rows, Reason.UNREADABLE_BYTES, "bytes that mean nothing in this encoding", stage="read")
    stray = np.flatnonzero(records.stray & ~unreadable)
    if len(stray):
        yield Refusal(stray, Reason.UNREADABLE_LINE, "a quote opens a field and does not close it", stage="read")
    for count in sorted(set(misfits.values())):
        rows = np.array(sorted(row for row, fields in misfits.items() if fields == count), np.int64)
        yield Refusal(rows, Reason.UNREADABLE_LINE, f"{count} fields instead of {width}", stage="read")
