"""Where records begin and end in delimited text: a quote-aware pass over bytes, many at a time.

A quote opens a field only at the field's start, as in Python's csv module; a quote further on is text. Two of our own
rules keep a stray quote from swallowing the lines after it. A quote counts as stray when no other quote follows within
`LONGEST_QUOTED` bytes or before the end, or when the field that it opens runs over a line end and does not close right
before a delimiter or a line end. The line of a stray quote ends where the line ends, and is marked.

A line without any byte is no record: it has no number. Lines end with LF, CR or CRLF, which may be mixed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST_QUOTED = 1 << 20
LONGEST_RECORD = 1 << 24

_LF, _CR = 10, 13
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class Marks:
    """The delimiter and the quote, as byte values."""

    delimiter: int
    quote: int

    @classmethod
    def of(cls, delimiter: str, quote: str) -> Marks:
        """The marks of two ASCII characters."""
        return cls(ord(delimiter), ord(quote))

    def at_edges(self) -> np.ndarray:
        """Boolean array of 256: True for bytes next to which a field may begin or end."""
        table = np.zeros(256, bool)
        table[[self.delimiter, _LF, _CR]] = True
        return table


@dataclass(frozen=True, eq=False)
class Records:
    """Complete records, one after the other.

    Attributes
    ----------
    data : the bytes; what follows `stop` belongs to a record that is not complete yet
    starts : int64 array, where in `data` each record begins
    stop : where the last record and the line ends after it have ended
    stray : boolean array, True for records in which a quote opens a field and does not close it
    offset : where in the stream `data` begins
    """

    data: bytes
    starts: np.ndarray
    stop: int
    stray: np.ndarray
    offset: int = 0

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def ends(self) -> np.ndarray:
        """int64 array, where each record ends: its line end, and empty lines after it, included."""
        return np.append(self.starts[1:], self.stop)

    def part(self, first: int, stop: int) -> Records:
        """The records from number `first` to before number `stop`."""
        bounds = np.append(self.starts, self.stop)
        begin, end = int(bounds[min(first, len(self))]), int(bounds[min(stop, len(self))])
        starts = self.starts[first:stop] - begin
        return Records(self.data[begin:end], starts, end - begin, self.stray[first:stop], self.offset + begin)

    def text_of(self, number: int) -> bytes:
        """The bytes of one record without its line end."""
        return self.data[self.starts[number] : self.ends[number]].rstrip(b"\r\n")


class RecordTooLongError(ValueError):
    """A record has no end within `LONGEST_RECORD` bytes."""


def read_records(read: Callable[[int], bytes], marks: Marks, block: int) -> Iterator[Records]:
    """Cut a stream that begins at a record into complete records, some `block` bytes at a time.

    Memory: a few times the block, or the longest record. Raises RecordTooLongError.
    """
    rest, offset = b"", 0
    while fresh := read(block):
        found = split_records(rest + fresh, marks, final=False)
        if len(found):
            yield replace(found, offset=offset)
        rest, offset = found.data[found.stop :], offset + found.stop
        if len(rest) > LONGEST_RECORD:
            raise RecordTooLongError
    found = split_records(rest, marks, final=True)
    if len(found):
        yield replace(found, offset=offset)


def split_records(data: bytes, marks: Marks, *, final: bool) -> Records:
    r"""The complete records of `data`, which begins at a record; with `final` the last one is complete as it is.

    >>> split_records(b'1;"a\nb"\n\n2;c\n3', Marks.of(";", '"'), final=False).starts.tolist()
    [0, 9]
    """
    codes = np.frombuffer(data, np.uint8)
    ends = (codes == _LF) | (codes == _CR)
    opens, closes, stray, open_end = _quoted(data, codes, marks, final=final)
    if len(opens):
        ends[_inside(np.flatnonzero(ends), opens, closes)] = False
    ends[open_end:] = False
    begins = ~ends
    begins[1:] &= ends[:-1]
    starts, stop = np.flatnonzero(begins), len(data)
    if not final and len(starts) and not ends[-1]:
        starts, stop = starts[:-1], int(starts[-1])
    marked = np.zeros(len(starts) + 1, bool)
    marked[np.searchsorted(starts, stray[stray < stop], side="right") - 1] = True
    return Records(data, starts, stop, marked[: len(starts)])


def _inside(positions: np.ndarray, opens: np.ndarray, closes: np.ndarray) -> np.ndarray:
    """The positions that lie within quotes."""
    field = np.searchsorted(opens, positions) - 1
    return positions[(field >= 0) & (positions < closes[field])]


_Quoted = tuple[np.ndarray, np.ndarray, np.ndarray, int]


def _quoted(data: bytes, codes: np.ndarray, marks: Marks, *, final: bool) -> _Quoted:
    """Where quoted stretches open and close, where stray quotes are, and from where on it cannot be known yet."""
    quotes = np.flatnonzero(codes == marks.quote)
    if not len(quotes):
        return _NONE, _NONE, _NONE, len(data)
    opens, closes = quotes[0::2], quotes[1::2]
    open_end = int(opens[-1]) if len(opens) > len(closes) else len(data)
    if _is_regular(codes, marks, opens, closes) and (open_end == len(data) or _may_close(data, open_end, final=final)):
        return opens[: len(closes)], closes, _NONE, open_end
    return _walk(data, quotes, marks, final=final)


def _is_regular(codes: np.ndarray, marks: Marks, opens: np.ndarray, closes: np.ndarray) -> bool:
    """Whether quotes simply alternate: each opens where a field starts (or doubles the last), and closes at its end."""
    at_edges = marks.at_edges()
    at_edges[marks.quote] = True
    before = at_edges[codes[opens - 1]]
    before[0] |= opens[0] == 0
    after = at_edges[codes[closes[closes + 1 < len(codes)] + 1]]
    return bool(before.all() and after.all()) and not np.any(closes - opens[: len(closes)] > LONGEST_QUOTED)


def _may_close(data: bytes, last_quote: int, *, final: bool) -> bool:
    return not final and len(data) - last_quote <= LONGEST_QUOTED


def _walk(data: bytes, quotes: np.ndarray, marks: Marks, *, final: bool) -> _Quoted:
    """As `_quoted`, one quote after the other: for text in which quotes do not simply alternate."""
    starts_field = marks.at_edges()[np.frombuffer(data, np.uint8)[quotes - 1]]
    starts_field[0] |= quotes[0] == 0
    positions, starts = quotes.tolist(), starts_field.tolist()
    opens, closes, stray = [], [], []
    at, count, open_end = 0, len(positions), len(data)
    while at < count:
        if not starts[at]:
            at += 1
            continue
        close = _closing(positions, at)
        if close == count and _may_close(data, positions[-1], final=final):
            open_end = positions[at]
            break
        if close is None or close == count or _is_stray(data, marks, positions[at], positions[close]):
            stray.append(positions[at])
            at += 1
            continue
        opens.append(positions[at])
        closes.append(positions[close])
        at = close + 1
    return np.array(opens, np.int64), np.array(closes, np.int64), np.array(stray, np.int64), open_end


def _closing(positions: list[int], at: int) -> int | None:
    """Which quote closes the field that quote `at` opens; doubled ones do not.

    The number of quotes when that one is still to come, None when it is too far away.
    """
    close, count = at + 1, len(positions)
    while close < count:
        if positions[close] - positions[close - 1] > LONGEST_QUOTED:
            return None
        if close + 1 == count or positions[close + 1] != positions[close] + 1:
            return close
        close += 2
    return count


def _is_stray(data: bytes, marks: Marks, opened: int, closed: int) -> bool:
    after = data[closed + 1 : closed + 2]
    if not after or after[0] in (marks.delimiter, _LF, _CR):
        return False
    return data.find(b"\n", opened, closed) >= 0 or data.find(b"\r", opened, closed) >= 0
