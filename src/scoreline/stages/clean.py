"""Clean: make of the raw units the rows that training works on, once, and keep them as Parquet."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from scoreline.cleaners.base import FrameStep
from scoreline.cleaning import Cleaning, CleanPart, admitted
from scoreline.contract import SOURCE_FILE, SOURCE_ROW, Contract
from scoreline.errors import Problem, StorageError
from scoreline.population import FINGERPRINT, GROUP_HASH, HASH, ROW_GROUP_ROWS, CleanedUnit, read_fingerprints
from scoreline.refusal import first_reasons
from scoreline.sampling import identity_hashes, value_hashes
from scoreline.sinks.parquet import Parquet
from scoreline.storage import Created, create, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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

    `progress` is told the rows of each unit that is done. Memory of a task: a few batches.
    """
    done: list[CleanedUnit | None] = [None] * len(units)
    for number, cleaned in session.map(partial(clean_unit, task), units, "clean"):
        done[number] = cleaned
        progress(cleaned.rows_in)
    cleaned_units = tuple(unit for unit in done if unit is not None)
    if task.compares_rows:
        return _with_duplicates_named(session, cleaned_units)
    return cleaned_units


def clean_unit(task: CleanTask, unit: Unit) -> CleanedUnit:
    """Read, clean and keep one unit. The file's bytes depend on the unit and the config alone."""
    uri = join(task.folder, f"{unit.name}.parquet")
    tally = _Tally(Counter(), Counter(), {})
    with tempfile.TemporaryDirectory(prefix="scoreline-") as scratch:
        spool = Path(scratch) / "cleaned.parquet"
        parts = _cleaned_parts(task, unit, tally)
        first = next(parts, None)
        schema = _schema(task) if first is None else first.schema
        rows = Parquet(uri=uri).write(_chained(first, parts), schema, spool, {})
        if create(uri, spool) is Created.UNKNOWN:
            raise StorageError(
                Problem("the store did not say whether the write happened", uri, "run the same command again")
            )
    return CleanedUnit(
        unit.number, unit.name, uri, unit.rows, rows, tally.filtered["rows"], dict(tally.refused), dict(tally.hits)
    )


def _chained(first: pa.Table | None, rest: Iterator[pa.Table]) -> Iterator[pa.Table]:
    if first is not None:
        yield first
        yield from rest


def _cleaned_parts(task: CleanTask, unit: Unit, tally: _Tally) -> Iterator[pa.Table]:
    for raw in task.source.read(unit, task.contract, task.read, ROW_GROUP_ROWS):
        part = task.cleaning.extend(admitted(raw, task.contract))
        tally.refused.update(reason for reason in first_reasons(part.refusals).values())
        tally.filtered["rows"] += part.filtered
        for name, matched, looked_up in part.hits:
            before = tally.hits.get(name, (0, 0))
            tally.hits[name] = (before[0] + matched, before[1] + looked_up)
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
    return _fingerprinted(table, part)


def _fingerprinted(table: pa.Table, part: CleanPart) -> pa.Table:
    """With the fingerprints of the rows that are left of those that the step for duplicates saw."""
    if part.fingerprints is None:
        return table
    left = np.searchsorted(part.fingerprints.positions, part.positions)
    values = part.fingerprints.values[left]
    for number, name in enumerate(FINGERPRINT):
        table = table.append_column(name, pa.array(np.ascontiguousarray(values[:, number])))
    return table


def _schema(task: CleanTask) -> pa.Schema:
    """The schema of a unit without rows."""
    cleaned = task.cleaning.output_schema(task.contract.only(task.read).schema)
    fields = [cleaned.field(name) for name in task.keep]
    fields += [pa.field(SOURCE_FILE, pa.string()), pa.field(SOURCE_ROW, pa.int64()), pa.field(HASH, pa.uint64())]
    if task.group is not None:
        fields.append(pa.field(GROUP_HASH, pa.uint64()))
    if task.compares_rows:
        fields += [pa.field(name, pa.uint64()) for name in FINGERPRINT]
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

    Units come in input order and rows in record order, so the first of equal rows has the lowest identity.
    """
    import pandas as pd

    frames = [
        pd.DataFrame({name: table[name].to_numpy() for name in (*FINGERPRINT, "position")}).assign(unit=unit.number)
        for unit, table in read_fingerprints(units, bucket, buckets)
    ]
    everything = pd.concat(frames, ignore_index=True)
    copies = everything[everything.duplicated(list(FINGERPRINT), keep="first")]
    return {unit.number: copies["position"][copies["unit"] == unit.number].to_numpy() for unit in units}
