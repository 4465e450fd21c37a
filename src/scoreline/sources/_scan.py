"""One pass over every byte of a CSV file, before any row is read: how many records, where to cut, which encoding."""

from __future__ import annotations

import codecs
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoreline.errors import DataError, Problem
from scoreline.sources._encoding import Evidence, evidence_of
from scoreline.sources._records import LONGEST_RECORD, RecordTooLongError, read_records
from scoreline.sources._streams import can_be_cut, open_text, read_head
from scoreline.units import Piece, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scoreline.sources._dialect import Dialect
    from scoreline.storage import FileInfo

_UNIT = 1 << 26
_BLOCK = 1 << 22
_TINY = 1 << 20
_MOST_TOGETHER = 1000
_THREADS = 8


@dataclass(frozen=True, eq=False)
class Scan:
    """What one pass over a file found.

    Attributes
    ----------
    file : the file
    encoding : the encoding under which it was scanned; what matters is only whether that keeps ASCII
    header : the bytes of the first record, empty when the file has none
    rows : how many records follow it
    cuts : byte and record number of some records, the first one among them, at which the file can be cut
    stop : the byte after the last record
    evidence : what speaks for an encoding
    stray : records in which a quote opens a field and does not close it
    """

    file: FileInfo
    encoding: str
    header: bytes = b""
    rows: int = 0
    cuts: tuple[tuple[int, int], ...] = ()
    stop: int = 0
    evidence: Evidence = Evidence()  # noqa: RUF009  a value that is never changed
    stray: int = 0


def scan_files(files: Sequence[FileInfo], dialects: Sequence[Dialect]) -> list[Scan]:
    """Scan files in threads, each under its dialect. Raises DataError with the problems of all files.

    Cost: every byte is read once, some 300 MB/s a core. Memory: some 25 MB a thread.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        pending = [pool.submit(scan_file, file, dialect) for file, dialect in zip(files, dialects, strict=True)]
    failures = [error for error in (job.exception() for job in pending) if error is not None]
    problems = [problem for error in failures if isinstance(error, DataError) for problem in error.problems]
    for error in failures:
        if not isinstance(error, DataError):
            raise error
    if problems:
        raise DataError(*problems)
    return [job.result() for job in pending]


def scan_file(file: FileInfo, dialect: Dialect) -> Scan:
    """Scan one file. Raises DataError when it cannot be decompressed or a record does not end."""
    header, evidence, cuts, stray = b"", Evidence(), [], 0
    base, stop, number = _text_start(file, dialect), 0, -1
    try:
        with open_text(file.uri, dialect.encoding) as read:
            for records in read_records(read, dialect.marks, _BLOCK):
                first = 1 if number < 0 else 0
                if first:
                    header = records.text_of(0)
                if len(records) > first:
                    cuts.append((base + records.offset + int(records.starts[first]), number + first))
                evidence += evidence_of(memoryview(records.data)[: records.stop])
                stray += int(records.stray.sum())
                stop, number = base + records.offset + records.stop, number + len(records)
    except RecordTooLongError as error:
        what = f"record {number} has no end within {LONGEST_RECORD >> 20} MiB"
        raise DataError(Problem(what, file.uri, "look for a missing line end or quote after this record")) from error
    return Scan(file, dialect.encoding, header, max(number, 0), tuple(cuts), stop, evidence, stray)


def _text_start(file: FileInfo, dialect: Dialect) -> int:
    if not can_be_cut(file.uri, dialect.encoding):
        return 0
    return len(codecs.BOM_UTF8) if read_head(file.uri, len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8) else 0


def cut_units(scans: Iterable[Scan]) -> tuple[Unit, ...]:
    """Units of some 64 MiB, in input order: ranges of large files, and tiny files together. Pure."""
    groups: list[tuple[Piece, ...]] = []
    tiny: list[Piece] = []
    room = _UNIT
    for scan in (scan for scan in scans if scan.rows):
        is_tiny = scan.file.size < min(_TINY, _UNIT)
        if tiny and (not is_tiny or scan.file.size > room or len(tiny) == _MOST_TOGETHER):
            groups.append(tuple(tiny))
            tiny, room = [], _UNIT
        if is_tiny:
            tiny.append(_whole(scan))
            room -= scan.file.size
        else:
            groups.extend((piece,) for piece in _ranges(scan))
    return tuple(Unit(number, pieces) for number, pieces in enumerate([*groups, tuple(tiny)]) if pieces)


def _whole(scan: Scan) -> Piece:
    file = scan.file
    return Piece(file.uri, file.path, 0, scan.rows, file.size, stamp=file.stamp, file_size=file.size)


def _ranges(scan: Scan) -> Iterator[Piece]:
    if not can_be_cut(scan.file.uri, scan.encoding):
        yield _whole(scan)
        return
    start = scan.cuts[0]
    for cut in scan.cuts:
        if cut[0] - start[0] >= _UNIT:
            yield _piece(scan, start, cut)
            start = cut
    yield _piece(scan, start, (scan.stop, scan.rows))


def _piece(scan: Scan, start: tuple[int, int], stop: tuple[int, int]) -> Piece:
    file, rows = scan.file, stop[1] - start[1]
    return Piece(
        file.uri,
        file.path,
        start[1],
        rows,
        stop[0] - start[0],
        byte_range=(start[0], stop[0]),
        stamp=file.stamp,
        file_size=file.size,
    )
