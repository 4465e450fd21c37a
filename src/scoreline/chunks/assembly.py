"""A Parquet file put together from column chunks of others, every page with its checksum."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from scoreline.chunks.pages import CRC, encoding_counts, encodings_of, pages_of
from scoreline.chunks.stored import CODES, OLD_CODES, PLAIN, DamagedPageError, footer_in_memory, value
from scoreline.chunks.thrift import I16, I32, I64, LIST, STRUCT, Struct, serialize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.chunks.pages import Page
    from scoreline.chunks.stored import ReadAt, StoredChunk

_MAGIC = b"PAR1"

Put = Callable[[bytes | memoryview], None]
"""Writes bytes at the end of a file."""


class Chunk(Protocol):
    """A column chunk that can be put into a file."""

    def copy(self, put: Put, at: int) -> Struct:
        """Put its pages where the file has so many bytes; return what the footer says of it, sizes and places anew."""


@dataclass(frozen=True, eq=False)
class MadeChunk:
    """A chunk of a file that was just made, in memory: copied as it is."""

    pages: memoryview
    metadata: Struct
    start: int

    def copy(self, put: Put, at: int) -> Struct:
        """See `Chunk.copy`."""
        put(self.pages)
        places = self.metadata.keys() & {9, 11}
        return {**self.metadata, **{place: (I64, value(self.metadata, place) - self.start + at) for place in places}}


def made_groups(file: memoryview) -> Iterator[tuple[int, dict[str, list[MadeChunk]]]]:
    """The row groups of a file in memory: rows, and the chunks of each column, of which nested ones have several."""
    for group in footer_in_memory(file).groups:
        columns: dict[str, list[MadeChunk]] = {}
        for chunk in value(group, 1)[1]:
            metadata: Struct = value(chunk, 3)
            start = value(metadata, 11, value(metadata, 9))
            made = MadeChunk(file[start : start + value(metadata, 7)], metadata, start)
            columns.setdefault(value(metadata, 3)[1][0].decode(), []).append(made)
        yield value(group, 3), columns


@dataclass(frozen=True, eq=False)
class PassedChunk:
    """A chunk of another file with its pages: each gets a checksum, or is compared with the one that it has.

    `statistics` is what the footer is to say of its values.
    """

    read: ReadAt
    chunk: StoredChunk
    pages: Sequence[Page]
    statistics: Struct

    @property
    def kind(self) -> tuple[object, ...]:
        """How its values are stored: those of one kind are read in the same way."""
        return self.chunk.meaning, self.chunk.codec, frozenset((page.kind, page.encoding) for page in self.pages)

    @property
    def has_dictionary(self) -> bool:
        """Whether all of its values are codes of a dictionary, or what did not fit into it."""
        return self.pages[0].is_dictionary and {page.encoding for page in self.pages} <= {PLAIN, OLD_CODES, CODES}

    def copy(self, put: Put, at: int) -> Struct:
        """See `Chunk.copy`; memory: one page. Raises DamagedPageError where a page is not what its checksum is of."""
        start, plain_size, starts = at, 0, []
        for page in self.pages:
            body, header = _sealed(self.read, page)
            put(header)
            put(body)
            starts.append(at)
            at += len(header) + len(body)
            plain_size += len(header) + page.plain_size
        dictionaries = sum(page.is_dictionary for page in self.pages)
        told = self.chunk.metadata
        return {
            **{number: told[number] for number in (1, 3, 4, 5)},
            2: encodings_of(self.pages),
            6: (I64, plain_size),
            7: (I64, at - start),
            9: (I64, starts[dictionaries]),
            **({11: (I64, start)} if dictionaries else {}),
            **({12: (STRUCT, self.statistics)} if self.statistics else {}),
            13: encoding_counts(self.pages),
        }


def passed_chunk(read: ReadAt, chunk: StoredChunk, statistics: Struct) -> PassedChunk:
    """A chunk with its pages found. Raises UnusualError where they are not passed on."""
    return PassedChunk(read, chunk, pages_of(read, chunk), statistics)


def _sealed(read: ReadAt, page: Page) -> tuple[bytes, bytes]:
    """The bytes of a page, and its header with their checksum."""
    body = read(page.start, page.size)
    if len(body) != page.size:
        raise DamagedPageError("a page is cut short")
    checksum = zlib.crc32(body)
    if CRC in page.header and page.header[CRC][1] & 0xFFFFFFFF != checksum:
        raise DamagedPageError("a page does not have its checksum")
    return body, serialize({**page.header, CRC: (I32, checksum - (checksum >> 31 << 32))})


class Assembly:
    """A file that is written group by group, front to back; whole after `finish`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0
        self._groups: list[Struct] = []
        self.rows = 0
        self._put(_MAGIC)

    def add(self, rows: int, chunks: Sequence[Chunk]) -> None:
        """Add a row group of one chunk for each leaf of the schema, in order; raises as `Chunk.copy`."""
        start = self._at
        told = [chunk.copy(self._put, self._at) for chunk in chunks]
        self._groups.append(
            {
                1: (LIST, (STRUCT, [{2: (I64, 0), 3: (STRUCT, metadata)} for metadata in told])),
                2: (I64, sum(value(metadata, 6) for metadata in told)),
                3: (I64, rows),
                5: (I64, start),
                6: (I64, self._at - start),
                7: (I16, len(self._groups)),
            }
        )
        self.rows += rows

    def finish(self, empty: memoryview) -> None:
        """Write the footer: that of a file without rows in memory, with these groups put in."""
        footer = footer_in_memory(empty).fields
        told = serialize({**footer, 3: (I64, self.rows), 4: (LIST, (STRUCT, self._groups))})
        self._put(told + len(told).to_bytes(4, "little") + _MAGIC)

    def _put(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._at += len(data)
