"""Passing on: a unit's row groups go out as they came in, but for the columns that are ours."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa

from scoreline.chunks.assembly import Assembly, PassedChunk, made_groups, passed_chunk
from scoreline.chunks.stored import UnusualError, footer_in_memory
from scoreline.sinks._read_back import Sample, prove, values_of
from scoreline.sinks._statistics import proven

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.chunks.assembly import Chunk
    from scoreline.chunks.stored import ReadAt, StoredGroup
    from scoreline.sinks.base import NumberedRows

ROW_GROUP_ROWS = 131_072
"""Rows of a row group that is written anew, counted from the start of the unit: a constant of the format."""

LEAST_ROWS, MOST_ROWS, MOST_BYTES = 16_384, 1 << 20, 32 << 20
"""Rows of a row group that is passed on, fewer in the unit's last one, and bytes in memory of one that has more rows
than those that are written anew: constants of the format."""

Encode = Callable[[Iterable[pa.Table], pa.Schema, Mapping[str, str], int], memoryview]
"""Makes a file of tables: its schema, its footer, and the most rows of a row group."""


@dataclass(frozen=True, eq=False)
class Passage:
    """How the rows of one unit go from its row groups to those of its file.

    Attributes
    ----------
    groups : the row groups as they lie in the input
    schema : the columns to write, plain types
    passed : those whose chunks are copied where every row of a group is written
    encode : makes files of the others, and of groups that lack rows
    """

    groups: Sequence[StoredGroup]
    schema: pa.Schema
    passed: Sequence[str]
    encode: Encode

    def write(self, rows: Iterable[NumberedRows], spool: BinaryIO, footer: Mapping[str, str]) -> int:
        """Write the unit's rows that are left, in order; return their number. Memory: one row group of the input.

        The bytes depend on the rows, the row groups and the footer alone. Raises DataError where the input is damaged.
        """
        assembly = Assembly(spool)
        for group, tables in _by_group(rows, self.groups):
            whole = sum(table.num_rows for table in tables) == group.rows
            if not (whole and self._pass_on(assembly, group, tables)):
                self._write_anew(assembly, group, tables)
        assembly.finish(self.encode((), self.schema, footer, MOST_ROWS))
        return assembly.rows

    def _pass_on(self, assembly: Assembly, group: StoredGroup, tables: Sequence[pa.Table]) -> bool:
        """Add a group of the input with our columns; False where its pages are not such as every reader takes."""
        with group.reading() as read:
            try:
                passed = {name: _passed(read, group, tables, name) for name in self.passed}
            except UnusualError:
                return False
            prove(Sample(group, tables, passed), self.encode)
            ours = pa.schema([field for field in self.schema if field.name not in self.passed])
            ((_, made),) = made_groups(self.encode(tables, ours, {}, group.rows))
            assembly.add(group.rows, self._in_order(made | {name: [chunk] for name, chunk in passed.items()}))
        return True

    def _write_anew(self, assembly: Assembly, group: StoredGroup, tables: Sequence[pa.Table]) -> None:
        for rows, made in made_groups(self.encode(tables, self.schema, {}, group.rows)):
            assembly.add(rows, self._in_order(made))

    def _in_order(self, columns: Mapping[str, Sequence[Chunk]]) -> list[Chunk]:
        return [chunk for name in self.schema.names for chunk in columns[name]]


def _passed(read: ReadAt, group: StoredGroup, tables: Sequence[pa.Table], name: str) -> PassedChunk:
    chunk = group.chunks[name]
    return passed_chunk(read, chunk, proven(chunk, values_of(tables, name)))


def passage_of(stored: Iterable[StoredGroup], schema: pa.Schema, encode: Encode) -> Passage | None:
    """The way of a unit whose row groups are of a sensible size and store some of the columns as we write them.

    None for other units; reads no more groups than it takes to see that.
    """
    groups: list[StoredGroup] = []
    for group in stored:
        if not group.chunks or not _is_sensible(group, len(schema)) or (groups and groups[-1].rows < LEAST_ROWS):
            return None
        groups.append(group)
    if not groups or groups[0].rows < LEAST_ROWS:
        return None
    meanings = footer_in_memory(encode((), schema, {}, MOST_ROWS)).meanings
    common = set.intersection(*(set(group.chunks) for group in groups)) & meanings.keys()
    same = {name for name in common if all(group.chunks[name].meaning == meanings[name] for group in groups)}
    return Passage(groups, schema, [name for name in schema.names if name in same], encode) if same else None


def _is_sensible(group: StoredGroup, columns: int) -> bool:
    """Whether a group has rows, and decoded does not need much more memory than one that is written anew."""
    sizes = [max(8 * group.rows, chunk.plain_size) for chunk in group.chunks.values()]
    size = sum(sizes) + 8 * group.rows * max(0, columns - len(sizes))
    return 0 < group.rows <= ROW_GROUP_ROWS or (group.rows <= MOST_ROWS and size <= MOST_BYTES)


def _by_group(
    rows: Iterable[NumberedRows], groups: Sequence[StoredGroup]
) -> Iterator[tuple[StoredGroup, list[pa.Table]]]:
    """Each row group with the tables of its rows that are left; lazy."""
    stops = np.cumsum([group.rows for group in groups])
    # Rows that a file has got since then are noticed where it is read.
    stops[-1] = sys.maxsize
    waiting: list[pa.Table] = []
    current = 0
    for table, numbers in rows:
        start = 0
        while (stop := int(np.searchsorted(numbers, stops[current]))) < len(numbers):
            yield groups[current], [*waiting, table.slice(start, stop - start)]
            waiting, start, current = [], stop, current + 1
        waiting.append(table.slice(start))
    yield groups[current], waiting
