"""CSV files as they lie: delimiter, encoding, records and headers, found out before anything is asked of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scoreline.errors import DataError, Problem
from scoreline.sources._columns import repeated_names, some_files
from scoreline.sources._csv_reading import split_header
from scoreline.sources._dialect import DELIMITERS, Dialect, find_delimiter, other_format, split_by
from scoreline.sources._encoding import bom_encoding, keeps_ascii, standard_name
from scoreline.sources._scan import Scan, scan_files
from scoreline.sources._settling import settle_encoding
from scoreline.sources._streams import open_text, read_head, stream_encoding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scoreline.storage import FileInfo

AUTO = "auto"
SUFFIXES = tuple(f"{text}{packed}" for text in (".csv", ".tsv", ".txt") for packed in ("", ".gz", ".zst", ".bz2"))

_HEAD, _SAMPLE = 1 << 12, 1 << 18
_FILES_SNIFFED = 8
_THREADS = 8


@dataclass(frozen=True, eq=False)
class Inspection:
    """What CSV files turned out to be.

    Attributes
    ----------
    dialect : of all files
    scans : one for each file that has a record, in input order
    headers : the names in each of those files, by path
    notes : sentences for the log
    """

    dialect: Dialect
    scans: tuple[Scan, ...]
    headers: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def inspect_files(files: Sequence[FileInfo], wanted: Dialect) -> Inspection:
    """Find out how files are laid out; `wanted` may say "auto" for delimiter and encoding.

    Every byte is read once, in threads. Raises DataError for files that are no CSV, without a row among them, in an
    encoding or with a delimiter that cannot be, or with column names that repeat.
    """
    empty = [file.path for file in files if not file.size]
    full = [file for file in files if file.size]
    encodings = _encodings(full, wanted.encoding)
    delimiter = wanted.delimiter if wanted.delimiter != AUTO else _delimiter(full, encodings, wanted.quote)
    scans = scan_files(full, [replace(wanted, delimiter=delimiter, encoding=encoding) for encoding in encodings])
    scans = [scan for scan in scans if scan.header]
    if not any(scan.rows for scan in scans):
        where = some_files([file.path for file in files])
        raise DataError(Problem("there are no rows", where, "give at least one file with a header and a record"))
    forced = None if wanted.encoding == AUTO else standard_name(wanted.encoding)
    encoding, notes = settle_encoding(scans, forced)
    dialect = Dialect(delimiter, wanted.quote, encoding)
    headers = _headers(scans, dialect)
    problems = [*repeated_names(headers), *_unsplit(scans, dialect)]
    if problems:
        raise DataError(*problems)
    if wanted.delimiter == AUTO:
        notes = (f"delimiter: {delimiter!r}", *notes)
    return Inspection(dialect, tuple(scans), headers, (*notes, *_remarks(scans, empty)))


def _encodings(files: Sequence[FileInfo], wanted: str) -> list[str]:
    """For each file an encoding that is right as to whether bytes below 128 mean ASCII."""
    with ThreadPoolExecutor(_THREADS) as pool:
        heads = list(pool.map(lambda file: read_head(file.uri, _HEAD), files))
    problems = [
        Problem(
            f"this is {what}, not CSV", file.uri, 'correct "source.kind" or "source.uri", or the ending of its name'
        )
        for file, what in zip(files, map(other_format, heads), strict=True)
        if what is not None
    ]
    if problems:
        raise DataError(*problems)
    if wanted != AUTO:
        return [standard_name(wanted)] * len(files)
    marks = map(bom_encoding, heads)
    return ["utf-8" if mark is None or keeps_ascii(mark) else mark for mark in marks]


def _delimiter(files: Sequence[FileInfo], encodings: Sequence[str], quote: str) -> str:
    """The delimiter of the first file that has a record below its header, or else of the first file."""
    samples = [_sample(file, encoding) for file, encoding in zip(files[:_FILES_SNIFFED], encodings, strict=False)]
    telling = (sample for sample in samples if sample.strip().count(b"\n") or sample.strip().count(b"\r"))
    return find_delimiter(next(telling, samples[0] if samples else b""), quote)


def _sample(file: FileInfo, encoding: str) -> bytes:
    with open_text(file.uri, encoding) as read:
        return read(_SAMPLE)


def _headers(scans: Sequence[Scan], dialect: Dialect) -> dict[str, tuple[str, ...]]:
    stream = replace(dialect, encoding=stream_encoding(dialect.encoding))
    headers, problems = {}, []
    for scan in scans:
        try:
            headers[scan.file.path] = split_header(scan.header, stream)
        except UnicodeDecodeError:
            what = f"the header cannot be read as {dialect.encoding}"
            problems.append(Problem(what, scan.file.uri, 'set "source.encoding" to the one this file is in'))
    if problems:
        raise DataError(*problems)
    return headers


def _unsplit(scans: Sequence[Scan], dialect: Dialect) -> Iterator[Problem]:
    """A problem when the delimiter leaves the header whole and another one splits the records."""
    scan = scans[0]
    if dialect.delimiter.encode() in scan.header:
        return
    sample = _sample(scan.file, dialect.encoding)
    likely = find_delimiter(sample, dialect.quote)
    split = split_by(sample, likely, dialect.quote)
    if likely in DELIMITERS and split.is_consistent:
        what = f"delimiter {dialect.delimiter!r} does not split the header"
        advice = f'set "source.delimiter" to {likely!r}, which makes {split.fields} columns of it'
        yield Problem(what, scan.file.uri, advice)


def _remarks(scans: Sequence[Scan], empty: Sequence[str]) -> Iterator[str]:
    hollow = [*empty, *(scan.file.path for scan in scans if not scan.rows)]
    if hollow:
        yield f"files without rows: {some_files(hollow)}"
    stray = [scan.file.path for scan in scans if scan.stray]
    if stray:
        count = sum(scan.stray for scan in scans)
        yield f"{count} records have a quote that opens a field and does not close it: {some_files(stray)}"
