"""The pages of a column chunk, found by their headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scoreline.chunks.stored import CODES, ENCODINGS, OLD_CODES, RLE, DamagedPageError, UnusualError, usual, value
from scoreline.chunks.thrift import I32, LIST, STRUCT, Field, Struct, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.chunks.stored import ReadAt, StoredChunk

CRC = 4
_FIRST_READ, _LARGEST_HEADER = 512, 1 << 24
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_HEADERS = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
"""The field of a page's header that describes its kind."""

_STATISTICS = {_DATA: 5, _DATA_V2: 8}


class Page(NamedTuple):
    """One page.

    Attributes
    ----------
    header : its header, without statistics
    start, size : its bytes in the file
    kind, encoding : numbers of Parquet
    rows : values, nulls included; none in a dictionary
    """

    header: Struct
    start: int
    size: int
    kind: int
    encoding: int
    rows: int

    @property
    def plain_size(self) -> int:
        """Bytes before compression."""
        return int(value(self.header, 2))

    @property
    def is_dictionary(self) -> bool:
        """Whether it holds the distinct values."""
        return self.kind == _DICTIONARY


def pages_of(read: ReadAt, chunk: StoredChunk) -> list[Page]:
    """All pages of a chunk; reads their headers alone.

    Raises UnusualError where they are not encoded as every reader knows it, DamagedPageError where they are not as many
    values as the chunk has.
    """
    with usual():
        pages = list(_walked(read, chunk))
    if not pages or any(page.is_dictionary for page in pages[1:]):
        raise UnusualError("a dictionary is not where it should be")
    if sum(page.rows for page in pages) != chunk.rows:
        # Arrow would go on, with values of the next row group in the rows of another.
        raise DamagedPageError("pages do not have as many values as their row group has rows")
    if any(page.encoding in (OLD_CODES, CODES) for page in pages[1:]) and not pages[0].is_dictionary:
        raise UnusualError("there are codes without a dictionary")
    return pages


def _walked(read: ReadAt, chunk: StoredChunk) -> Iterator[Page]:
    at, end = chunk.start, chunk.start + chunk.size
    while at < end:
        header, size = _header(read, at, end)
        page = _page(header, at + size)
        at = page.start + page.size
        yield page
    if at != end:
        raise UnusualError("the pages do not end where their chunk does")


def _header(read: ReadAt, at: int, end: int) -> tuple[Struct, int]:
    """The header of a page, and its size; statistics may make it long."""
    size = _FIRST_READ
    while True:
        data = read(at, min(size, end - at))
        try:
            return parse(data)
        except ValueError as error:
            if len(data) < size or size >= _LARGEST_HEADER:
                raise UnusualError("a page has no header") from error
        size *= 8


def _page(header: Struct, start: int) -> Page:
    kind, size = value(header, 1), value(header, 3, -1)
    about: Struct = value(header, _HEADERS.get(kind, -1), {})
    encoding = value(about, 4 if kind == _DATA_V2 else 2)
    levels = value(about, 6) == 0 if kind == _DATA_V2 else kind == _DICTIONARY or value(about, 3) == RLE
    if encoding not in ENCODINGS or not levels or size < 0:
        raise UnusualError("a page is of another kind, or encoded in another way")
    bare = {number: field for number, field in about.items() if number != _STATISTICS.get(kind)}
    rows = 0 if kind == _DICTIONARY else value(about, 1, -1)
    return Page({**header, _HEADERS[kind]: (STRUCT, bare)}, start, size, kind, encoding, rows)


def encodings_of(pages: Sequence[Page]) -> Field:
    """The encodings that occur, as the footer lists them."""
    return LIST, (I32, sorted({RLE, *(page.encoding for page in pages)}))


def encoding_counts(pages: Sequence[Page]) -> Field:
    """How many pages there are of each kind and encoding, as the footer lists them."""
    kinds = [(page.kind, page.encoding) for page in pages]
    counts = [(kind, encoding, kinds.count((kind, encoding))) for kind, encoding in dict.fromkeys(kinds)]
    return LIST, (STRUCT, [{1: (I32, kind), 2: (I32, encoding), 3: (I32, count)} for kind, encoding, count in counts])
