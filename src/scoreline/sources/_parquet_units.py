"""Units of Parquet: ranges of row groups of large files, whole files, and tiny files together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scoreline.units import Piece, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from scoreline.sources._footers import Footer

SUFFIXES = (".parquet", ".parq", ".pq")

_LARGE_BYTES, _LARGE_ROWS = 128 << 20, 4_000_000
_TINY_BYTES, _TINY_ROWS = 8 << 20, 1 << 16
_TOGETHER_BYTES, _TOGETHER_ROWS, _TOGETHER_FILES = 32 << 20, 250_000, 1000


def cut_units(footers: Iterable[Footer]) -> tuple[Unit, ...]:
    """Units in input order; tiny files go together only when their columns are of the same types. Pure."""
    groups: list[tuple[Piece, ...]] = []
    tiny = _Together()
    for footer in (footer for footer in footers if footer.rows):
        if tiny.footers and not tiny.takes(footer):
            groups.append(tuple(map(_whole, tiny.footers)))
            tiny = _Together()
        if _is_tiny(footer):
            tiny.add(footer)
        else:
            groups.extend((piece,) for piece in _ranges(footer))
    groups.append(tuple(map(_whole, tiny.footers)))
    return tuple(Unit(number, pieces) for number, pieces in enumerate(group for group in groups if group))


class _Together:
    """Tiny files that make one unit, filled one by one."""

    def __init__(self) -> None:
        self.footers: list[Footer] = []
        self._size = self._rows = 0

    def add(self, footer: Footer) -> None:
        self.footers.append(footer)
        self._size += footer.file.size
        self._rows += footer.rows

    def takes(self, footer: Footer) -> bool:
        """Whether a file can go with those that are there."""
        return (
            _is_tiny(footer)
            and len(self.footers) < _TOGETHER_FILES
            and self._size + footer.file.size <= _TOGETHER_BYTES
            and self._rows + footer.rows <= _TOGETHER_ROWS
            and _same_types(self.footers[-1].schema, footer.schema)
        )


def _is_tiny(footer: Footer) -> bool:
    return footer.file.size < _TINY_BYTES and footer.rows < _TINY_ROWS


def _same_types(first: pa.Schema, second: pa.Schema) -> bool:
    """Whether the same columns have the same types, in whichever order; equal schemas are one object mostly."""
    return first is second or _types(first) == _types(second)


def _types(schema: pa.Schema) -> dict[str, pa.DataType]:
    return {field.name: field.type for field in schema}


def _whole(footer: Footer) -> Piece:
    file = footer.file
    return Piece(
        file.uri,
        file.path,
        0,
        footer.rows,
        file.size,
        partition=footer.partition,
        stamp=file.stamp,
        file_size=file.size,
    )


def _ranges(footer: Footer) -> Iterator[Piece]:
    whole = _whole(footer)
    if footer.file.size <= _LARGE_BYTES and footer.rows <= _LARGE_ROWS:
        yield whole
        return
    chosen: list[int] = []
    first_row, rows, size = 0, 0, 0
    for number, (group_rows, group_size) in enumerate(_compressed(footer)):
        if rows and (size + group_size > _LARGE_BYTES or rows + group_rows > _LARGE_ROWS):
            yield replace(whole, first_row=first_row, rows=rows, size=size, row_groups=tuple(chosen))
            first_row, chosen, rows, size = first_row + rows, [], 0, 0
        chosen.append(number)
        rows, size = rows + group_rows, size + group_size
    if rows:
        yield replace(whole, first_row=first_row, rows=rows, size=size, row_groups=tuple(chosen))


def _compressed(footer: Footer) -> Iterator[tuple[int, int]]:
    """Rows of each row group and its share of the file's bytes."""
    every = max(1, sum(size for _, size in footer.groups))
    return ((rows, footer.file.size * size // every) for rows, size in footer.groups)
