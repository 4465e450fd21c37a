"""Parts of even size from batches of any size, whatever the source."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from scoreline.units import RawPart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scoreline.refusal import Refusal


@lru_cache(maxsize=4)
def every_row(count: int) -> np.ndarray:
    """The positions of all rows of a part, int64; parts of one size share them, and nobody can change them.

    >>> every_row(3).tolist()
    [0, 1, 2]
    """
    rows = np.arange(count, dtype=np.int64)
    rows.flags.writeable = False
    return rows


def files_column(path: str, count: int) -> pa.DictionaryArray:
    """The `files` of a part whose rows are all of one file.

    >>> files_column("a.csv", 2).to_pylist()
    ['a.csv', 'a.csv']
    """
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([path], pa.string()))


def even_parts(batches: Iterable[RawPart], rows: int) -> Iterator[RawPart]:
    """Parts of exactly `rows` rows, the last one shorter: batches are cut and put together, whatever their sizes.

    Lazy; holds the rows of one part and one batch.
    """
    waiting: list[RawPart] = []
    room = rows
    for batch in batches:
        start = 0
        while start < len(batch.rows):
            waiting.append(_slice(batch, start, start + room))
            start, room = start + room, room - len(waiting[-1].rows)
            if not room:
                yield _together(waiting)
                waiting, room = [], rows
    if waiting:
        yield _together(waiting)


def _slice(part: RawPart, start: int, stop: int) -> RawPart:
    if start == 0 and stop >= len(part.rows):
        return part
    count = stop - start
    return RawPart(
        part.table.slice(start, count),
        part.files.slice(start, count),
        part.rows[start:stop],
        tuple(_within(part.refusals, start, stop)),
        part.original.slice(start, count),
    )


def _within(refusals: Iterable[Refusal], start: int, stop: int) -> Iterator[Refusal]:
    for refusal in refusals:
        rows = refusal.rows[(refusal.rows >= start) & (refusal.rows < stop)]
        if len(rows):
            yield replace(refusal, rows=rows - start)


def _together(parts: Sequence[RawPart]) -> RawPart:
    if len(parts) == 1:
        return parts[0]
    before = np.cumsum([0, *(len(part.rows) for part in parts)])
    return RawPart(
        _one_table([part.table for part in parts]),
        _one_column([part.files for part in parts]),
        np.concatenate([part.rows for part in parts]),
        tuple(
            replace(refusal, rows=refusal.rows + shift)
            for part, shift in zip(parts, before.tolist(), strict=False)
            for refusal in part.refusals
        ),
        _one_table([part.original for part in parts]),
    )


def _one_column(arrays: Sequence[pa.DictionaryArray]) -> pa.DictionaryArray:
    return pa.chunked_array(arrays).unify_dictionaries().combine_chunks()


def _one_table(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()
