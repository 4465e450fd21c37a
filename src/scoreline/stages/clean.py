"""Clean: make of the raw units the rows that training works on, once, and keep them as Parquet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.cleaners.base import FrameStep
from scoreline.cleaning import Cleaning, CleanPart, admitted
from scoreline.contract import SOURCE_FILE, SOURCE_ROW, Contract
from scoreline.errors import Problem, StorageError
from scoreline.population import (
    FINGERPRINTS,
    GROUP_HASH,
    HASH,
    ROW_GROUP_ROWS,
    CleanedUnit,
    fingerprints_of,
    read_fingerprints,
)
from scoreline.refusal import first_reasons
from scoreline.sampling import identity_hashes, value_hashes
from scoreline.sinks.parquet import Parquet
from scoreline.storage import Created, create, draft, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from scoreline.cleaning import Fingerprints
    from scoreline.clusters.base import Session
    from scoreline.sources.base import Source
    from scoreline.units import RawPart, Unit

BUCKET_ROWS = 16_000_000
"""Rows whose fingerprints one task compares; it takes about 50 bytes of memory a row."""


@dataclass(frozen=True)
class CleanTask:
    """What every task of this stage needs to know; small.

    Attributes
    ----------
    read : columns of the input that the steps need
    keep : columns after cleaning that later passes need
    group : the column whose values form groups that stay together, for a group split
    folder : where the cleaned rows are kept
    """

    source: Source
    contract: Contract
    cleaning: Cleaning
    read: tuple[str, ...]
    keep: tuple[str, ...]
    seed: int
    folder: str
    group: str | None = None

    @property
    def compares_rows(self) -> bool:
        """True when a step needs to see all units."""
        return any(isinstance(step, FrameStep) for step in self.cleaning.steps)


class _Tally(NamedTuple):
    """Counts that grow while a unit is cleaned."""

    refused: Counter[str]
    filtered: Counter[str]
    hits: dict[str, tuple[int, int]]


def clean(
    session: Session, task: CleanTask, units: Sequence[Unit], progress: Callable[[int], None]
) -> tuple[CleanedUnit, ...]:
    """Clean all units in parallel; eager. Copies are named in the result where a step removes duplicates.

    `progress` is told 0, then the rows of each unit that is done. Memory of a task: a few batches.
    Raises DataError when a join matched less than it must.
    """
    done: list[CleanedUnit | None] = [None] * len(units)
    progress(0)
    for number, cleaned in session.map(partial(clean_unit, task), units, "clean"):
        done[number] = cleaned
        progress(cleaned.rows_in)
    cleaned_units = tuple(unit for unit in done if unit is not None)
    task.cleaning.judge(unit.hits for unit in cleaned_units)
    if task.compares_rows:
        return _with_duplicates_named(session, cleaned_units)
    return cleaned_units


def clean_unit(task: CleanTask, unit: Unit) -> CleanedUnit:
    """Read, clean and keep one unit. The file's bytes depend on the unit and the config alone."""
    uri = join(task.folder, f"{unit.name}.parquet")
    tally = _Tally(Counter(), Counter(), {})
    # Fingerprints have a folder of their own, which is not made for nothing.
    with draft(uri) as spool, draft(uri) as marks:
        with pq.ParquetWriter(marks, FINGERPRINTS) as writer:
            parts = _cleaned_parts(task, unit, tally, writer)
            first = next(parts, None)
            schema = _schema(task) if first is None else first.schema
            rows = Parquet(uri=uri).write(_chained(first, parts), schema, spool, {})
        _keep(uri, spool)
        if task.compares_rows:
            _keep(fingerprints_of(uri), marks)
    return CleanedUnit(
        unit.number, unit.name, uri, unit.rows, rows, tally.filtered["rows"], dict(tally.refused), dict(tally.hits)
    )


def _keep(uri: str, spool: Path) -> None:
    if create(uri, spool) is Created.UNKNOWN:
        raise StorageError(
            Problem("the store did not say whether the write happened", uri, "run the same command again")
        )


def _chained(first: pa.Table | None, rest: Iterator[pa.Table]) -> Iterator[pa.Table]:
    if first is not None:
        yield first
        yield from rest


def _cleaned_parts(task: CleanTask, unit: Unit, tally: _Tally, marks: pq.ParquetWriter) -> Iterator[pa.Table]:
    rows = 0
    for raw in task.source.read(unit, task.contract, task.read, ROW_GROUP_ROWS):
        part = task.cleaning.extend(admitted(raw, task.contract))
        tally.refused.update(reason for reason in first_reasons(part.refusals).values())
        tally.filtered["rows"] += part.filtered
        for name, matched, looked_up in part.hits:
            before = tally.hits.get(name, (0, 0))
            tally.hits[name] = (before[0] + matched, before[1] + looked_up)
        if part.fingerprints is not None:
            marks.write_table(_fingerprints(part.fingerprints, part.positions, rows))
        rows += part.table.num_rows
        yield _identified(task, raw, part)


def _identified(task: CleanTask, raw: RawPart, part: CleanPart) -> pa.Table:
    """The columns to keep, with row identity, its hash and what the later passes compare."""
    files, rows = raw.files.take(pa.array(part.positions)), raw.rows[part.positions]
    table = part.table.select(list(task.keep))
    table = table.append_column(SOURCE_FILE, files).append_column(SOURCE_ROW, pa.array(rows))
    if task.contract.key:
        keys = [raw.table[name].take(pa.array(part.positions)) for name in task.contract.key]
        table = table.append_column(HASH, pa.array(value_hashes(keys, task.seed)))
    else:
        table = table.append_column(HASH, pa.array(identity_hashes(files, rows, task.seed)))
    if task.group is not None:
        table = table.append_column(GROUP_HASH, pa.array(value_hashes([part.table[task.group]], task.seed)))
    return table


def _fingerprints(seen: Fingerprints, left: np.ndarray, start: int) -> pa.Table:
    """What the step for duplicates saw, and where in the unit's file it is; -1 for rows that later steps took away."""
    places = np.full(len(seen.positions), -1, dtype=np.int64)
    places[np.searchsorted(seen.positions, left)] = start + np.arange(len(left))
    columns = [np.ascontiguousarray(seen.values[:, 0]), np.ascontiguousarray(seen.values[:, 1]), places]
    return pa.table([pa.array(column) for column in columns], schema=FINGERPRINTS)


def _schema(task: CleanTask) -> pa.Schema:
    """The schema of a unit without rows."""
    cleaned = task.cleaning.output_schema(task.contract.only(task.read).schema)
    fields = [cleaned.field(name) for name in task.keep]
    fields += [pa.field(SOURCE_FILE, pa.string()), pa.field(SOURCE_ROW, pa.int64()), pa.field(HASH, pa.uint64())]
    if task.group is not None:
        fields.append(pa.field(GROUP_HASH, pa.uint64()))
    return pa.schema(fields)


def _with_duplicates_named(session: Session, units: tuple[CleanedUnit, ...]) -> tuple[CleanedUnit, ...]:
    """Compare the fingerprints of all units, a bucket a task."""
    buckets = 1 + sum(unit.rows for unit in units) // BUCKET_ROWS
    found: dict[int, list[np.ndarray]] = {unit.number: [] for unit in units}
    for _, copies in session.map(partial(duplicates_in, units, buckets), range(buckets), "duplicates"):
        for number, positions in copies.items():
            found[number].append(positions)
    return tuple(
        unit.without(np.sort(np.concatenate(found[unit.number]))) if found[unit.number] else unit for unit in units
    )


def duplicates_in(units: Sequence[CleanedUnit], buckets: int, bucket: int) -> dict[int, np.ndarray]:
    """Positions, by unit number, of the rows of one bucket that are copies of a row with a lower identity.

    Units come in input order and rows in record order, so the first of equal rows has the lowest identity. A row that
    a later step took away stands for its copies all the same, as if the steps had seen all rows one after the other.
    """
    found = [(unit.number, table) for unit, table in read_fingerprints(units, bucket, buckets)]
    first, second, position = (
        np.concatenate([table[name].to_numpy() for _, table in found]) for name in FINGERPRINTS.names
    )
    number = np.repeat([number for number, _ in found], [table.num_rows for _, table in found])
    # Equal rows keep their order, so each but the first of them is a copy.
    order = np.lexsort((second, first))
    equal = (first[order[1:]] == first[order[:-1]]) & (second[order[1:]] == second[order[:-1]])
    copies = np.sort(order[1:][equal])
    copies = copies[position[copies] >= 0]
    return {unit.number: position[copies[number[copies] == unit.number]] for unit in units}
