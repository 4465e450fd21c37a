"""The rows of CSV files that are looked at to find out about types: the same ones for the same files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from scoreline.sources._parsing import Layout, TextRows, parse
from scoreline.sources._records import Records, read_records
from scoreline.sources._streams import can_be_cut, open_text, stream_encoding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.sources._dialect import Dialect
    from scoreline.sources._inspection import Inspection
    from scoreline.sources._scan import Scan

T = TypeVar("T")

_FILES, _SPOTS = 16, 16
_ROWS, _ROWS_OF_OTHERS = 65_536, 200
_LARGEST_BLOCK = 1 << 22


@dataclass(frozen=True)
class _Spot:
    scan: Scan
    byte_range: tuple[int, int] | None
    rows: int


def sample_texts(inspection: Inspection) -> Iterator[tuple[str, TextRows]]:
    """Some rows of every file as text, all columns under the names of the header, with the file's path. Lazy.

    Of up to 16 files spread over the source some 65 thousand rows, from several spots of the large ones; of every other
    file the first 200.
    """
    for spot in _spots(inspection.scans, inspection.dialect):
        path = spot.scan.file.path
        yield path, _read(spot, inspection.headers[path], inspection.dialect)


def _spots(scans: Sequence[Scan], dialect: Dialect) -> Iterator[_Spot]:
    telling = [scan for scan in scans if scan.rows]
    chosen = {scan.file.path for scan in spread(telling, _FILES)}
    in_each = max(1, _SPOTS // len(chosen))
    for scan in telling:
        if scan.file.path not in chosen:
            yield _Spot(scan, _range(scan, scan.cuts[0], dialect), _ROWS_OF_OTHERS)
        elif not can_be_cut(scan.file.uri, dialect.encoding):
            yield _Spot(scan, None, _ROWS // len(chosen))
        else:
            cuts = spread(scan.cuts, in_each)
            yield from (_Spot(scan, _range(scan, cut, dialect), _ROWS // len(chosen) // len(cuts)) for cut in cuts)


def _range(scan: Scan, cut: tuple[int, int], dialect: Dialect) -> tuple[int, int] | None:
    return (cut[0], scan.stop) if can_be_cut(scan.file.uri, dialect.encoding) else None


def spread(items: Sequence[T], count: int) -> Sequence[T]:
    """At most `count` of the items, evenly spread, the first one among them."""
    if len(items) <= count:
        return items
    return [items[number * len(items) // count] for number in range(count)]


def _read(spot: _Spot, header: Sequence[str], dialect: Dialect) -> TextRows:
    stream = replace(dialect, encoding=stream_encoding(dialect.encoding))
    layout = Layout(stream, len(header), {name: at for at, name in enumerate(header)})
    bytes_a_row = (spot.scan.stop - spot.scan.cuts[0][0]) // spot.scan.rows + 1
    with open_text(spot.scan.file.uri, dialect.encoding, spot.byte_range) as read:
        blocks = read_records(read, stream.marks, min(bytes_a_row * (spot.rows + 1), _LARGEST_BLOCK))
        found = next(blocks if spot.byte_range else _below_header(blocks))
    return parse(found.part(0, spot.rows), layout)


def _below_header(blocks: Iterator[Records]) -> Iterator[Records]:
    first = next(blocks)
    if len(first) > 1:
        yield first.part(1, len(first))
    yield from blocks
