"""Row groups and column chunks as they lie in a Parquet file: what its footer says of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from scoreline.chunks.thrift import Struct, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

_MAGIC = b"PAR1"
_OPTIONAL = 1
_TYPES = {0: "boolean", 1: "int32", 2: "int64", 4: "float", 5: "double", 6: "bytes"}
"""Physical types by their number in Parquet; left out are INT96 and bytes of fixed length."""

CODECS = frozenset({0, 1, 2, 4, 6, 7})
"""Uncompressed, snappy, gzip, brotli, zstd and lz4_raw: those that mean the same to every reader."""

PLAIN, OLD_CODES, RLE, DELTAS, DELTA_LENGTHS, CODES = 0, 2, 3, 5, 6, 8
ENCODINGS = frozenset({PLAIN, OLD_CODES, RLE, DELTAS, DELTA_LENGTHS, CODES})
"""Encodings of pages that every reader knows."""

_BIT_PACKED = 4
"""Older writers list it for levels that a flat column does not have."""

_WRITERS = re.compile(rb"(parquet-cpp-arrow|parquet-rs|Polars|DuckDB|parquet-mr version 1\.[1-9][0-9])\b")
"""Writers whose files mean what they say, whoever is named as the writer: of older ones readers mend known mistakes."""

_UNITS = {1: "ms", 2: "us", 3: "ns"}
_CONVERTED: Mapping[int, tuple[Any, ...]] = {
    0: ("string",),
    6: ("date",),
    9: ("timestamp", True, "ms"),
    10: ("timestamp", True, "us"),
    **{11 + place: ("integer", 8 << place, False) for place in range(4)},
    **{15 + place: ("integer", 8 << place, True) for place in range(4)},
}
_NO_MORE_THAN_TYPE = {("int32", "integer", 32, True): ("int32",), ("int64", "integer", 64, True): ("int64",)}

ReadAt = Callable[[int, int], bytes]
"""Bytes of a file: from where, and how many; fewer at its end."""

Meaning = tuple[Any, ...]
"""What values of a column mean: the physical type and what its annotation adds, however that is spelled."""


class UnusualError(ValueError):
    """Something of a file that is not passed on, though Arrow may read it."""


@contextmanager
def usual() -> Iterator[None]:
    """Around looking at fields: raises UnusualError also where one is missing or of another type than Parquet says."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise UnusualError(f"not what Parquet says: {error}") from error


class DamagedPageError(Exception):
    """A page that is not what was written: its bytes are not those of its checksum, or it has more or fewer values."""


def value(fields: Struct, number: int, default: Any = None) -> Any:
    """The value of a field; `default` where it is not there."""
    return fields[number][1] if number in fields else default


@dataclass(frozen=True, eq=False)
class StoredChunk:
    """A flat, optional column of one row group.

    Attributes
    ----------
    metadata : what the footer says of it, a ColumnMetaData of Parquet
    meaning : what its values mean
    rows : values, nulls included
    start, size : bytes of its pages in the file
    ordered : its least and largest value were found by the order that its type defines
    """

    metadata: Struct
    meaning: Meaning
    rows: int
    start: int
    size: int
    ordered: bool

    @property
    def codec(self) -> int:
        """The number of its compression in Parquet."""
        return int(value(self.metadata, 4))

    @property
    def plain_size(self) -> int:
        """Bytes of its pages before compression."""
        return int(value(self.metadata, 6))


@dataclass(frozen=True, eq=False)
class StoredGroup:
    """A row group of a file at `uri`, with those of its columns that may be passed on.

    `reading` opens the file. It raises DataError where reading fails, where a page turns out to be damaged, and where
    the file is not the one that the footer was read from.
    """

    uri: str
    rows: int
    chunks: Mapping[str, StoredChunk]
    reading: Callable[[], AbstractContextManager[ReadAt]]


class StoredFooter:
    """The footer of a Parquet file of so many bytes. Raises UnusualError where there is none that can be read."""

    def __init__(self, read: ReadAt, size: int) -> None:
        with usual():
            self.fields = _footer(read, size)
            self.groups: Sequence[Struct] = value(self.fields, 4)[1]
            self.is_known = bool(_WRITERS.match(value(self.fields, 6, b""))) and 8 not in self.fields
            self._ordered = [1 in order for order in value(self.fields, 7, (0, []))[1]]
            self._columns = {column.name: column for column in _flat_columns(value(self.fields, 2)[1])}

    @property
    def meanings(self) -> dict[str, Meaning]:
        """What the values of each flat and optional column mean, where that is known."""
        return {name: column.meaning for name, column in self._columns.items()}

    def chunks(self, group: Struct) -> dict[str, StoredChunk]:
        """The flat and optional columns of one of the groups, in order, that are here and stored as every reader knows.

        Raises UnusualError.
        """
        with usual():
            found = {name: self._chunk(group, column) for name, column in self._columns.items()}
        return {name: chunk for name, chunk in found.items() if chunk is not None}

    def _chunk(self, group: Struct, column: _Column) -> StoredChunk | None:
        chunk: Struct = value(group, 1)[1][column.place]
        metadata: Struct = value(chunk, 3, {})
        is_here = value(metadata, 3, (0, []))[1] == [column.name.encode()] and not chunk.keys() & {1, 8, 9}
        is_known = value(metadata, 4) in CODECS and {*value(metadata, 2)[1]} <= ENCODINGS | {_BIT_PACKED}
        if not is_here or not is_known or value(metadata, 5) != value(group, 3):
            return None
        first, dictionary = value(metadata, 9), value(metadata, 11, 0)
        start = dictionary if 0 < dictionary < first else first
        ordered = column.place < len(self._ordered) and self._ordered[column.place]
        return StoredChunk(metadata, column.meaning, value(metadata, 5), start, value(metadata, 7), ordered)


class _Column(NamedTuple):
    """A flat, optional column: its name, its place among all leaves, and what its values mean."""

    name: str
    place: int
    meaning: Meaning


def footer_in_memory(file: memoryview) -> StoredFooter:
    """The footer of a file in memory."""
    return StoredFooter(lambda start, size: bytes(file[start : start + size]), len(file))


def _footer(read: ReadAt, end: int) -> Struct:
    tail = read(max(0, end - 8), 8)
    size = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or size > end - 12:
        raise ValueError("this is no Parquet file, or one that is encrypted")
    return parse(read(end - 8 - size, size))[0]


def _flat_columns(elements: Sequence[Struct]) -> Iterator[_Column]:
    leaves, inside = 0, 0
    for element in elements[1:]:
        children = value(element, 5, 0)
        if not inside and not children and value(element, 3) == _OPTIONAL and (meaning := _meaning(element)):
            yield _Column(value(element, 4).decode(), leaves, meaning)
        inside += children - bool(inside)
        leaves += not children


def _meaning(element: Struct) -> Meaning | None:
    """What a column's values mean; None where it is something that is not passed on."""
    physical = _TYPES.get(value(element, 1))
    if physical is None:
        return None
    if 10 in element:
        added = _logical(value(element, 10))
    elif 6 in element:
        added = _CONVERTED.get(value(element, 6))
    else:
        added = ()
    return None if added is None else _NO_MORE_THAN_TYPE.get((physical, *added), (physical, *added))


def _logical(union: Struct) -> tuple[Any, ...] | None:
    (number, (_, fields)) = next(iter(union.items()), (0, (0, {})))
    if number == 1:
        return ("string",)
    if number == 6:
        return ("date",)
    if number == 8:
        return "timestamp", value(fields, 1), _UNITS.get(next(iter(value(fields, 2)), 0))
    return ("integer", value(fields, 1), value(fields, 2)) if number == 10 else None
