"""Sample: count the target of all rows, settle the split and the sample, and gather what the model is fitted on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa

from scoreline.contract import SOURCE_FILE, SOURCE_ROW
from scoreline.errors import DataError, Problem, counted
from scoreline.population import GROUP_HASH, HASH, Population
from scoreline.sampling import GroupSplit, TimeSplit
from scoreline.sinks.parquet import Parquet
from scoreline.storage import create, draft
from scoreline.target_counts import NOTHING, Counts, Question, count_rows, label_text, settled_sample, settled_split

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.clusters.base import Session
    from scoreline.population import CleanedUnit
    from scoreline.sampling import Sample, SampleConfig, SplitConfig
    from scoreline.task import Task


@dataclass(frozen=True)
class Division:
    """How rows are held out and sampled, as the config says."""

    target: str
    task: Task
    split: SplitConfig
    sample: SampleConfig
    seed: int


@dataclass(frozen=True, eq=False)
class Divided:
    """The population with its split and sample settled.

    Attributes
    ----------
    everything, training : counts of all rows with a target, and of those that are not held out
    """

    population: Population
    sample: Sample
    everything: Counts
    training: Counts

    @property
    def held_out(self) -> int:
        """How many rows are held out."""
        return self.everything.rows - self.training.rows

    def notes(self) -> list[str]:
        """What a person should know of it."""
        units, split = self.population.units, self.population.split
        refused: Counter[str] = sum((Counter(unit.refused) for unit in units), Counter())
        copies = sum(len(unit.duplicates) for unit in units)
        account = {
            "to train on": self.training.rows,
            "held out": self.held_out,
            "duplicate": copies,
            "without a target": sum(unit.rows for unit in units) - copies - self.everything.rows,
            "refused": refused.total(),
            "filtered": sum(unit.filtered for unit in units),
        }
        parts = " + ".join(f"{rows:,} {what}" for what, rows in account.items() if rows)
        found = [f"{counted(sum(unit.rows_in for unit in units), 'row')} = {parts}"]
        if refused:
            found.append(f"refused: {', '.join(f'{reason} {rows:,}' for reason, rows in refused.most_common())}")
        if split is not None and split.whole_classes:
            found.append(f"too rare to hold rows out, so all of them train: {', '.join(split.whole_classes)}")
        return found


def divide(session: Session, units: tuple[CleanedUnit, ...], division: Division) -> Divided:
    """Settle which rows are held out and which of the others the model is fitted on; eager, two passes over the target.

    Raises DataError when no row has a target, or when a classifier would see one class.
    """
    target, task, split, sample = division.target, division.task, division.split, division.sample
    whole = Population(units, target, None)
    day_column = split.column if isinstance(split, TimeSplit) else None
    everything = count(session, whole, Question(task, "all", day_column))
    if everything.rows == 0:
        raise DataError(_nothing_left(units, target))
    population = Population(units, target, settled_split(split, everything, task, target))
    training = count(session, population, Question(task, "train", with_bins=sample.rows is not None))
    _check_training(training, task)
    names = [unit.name for unit in units]
    return Divided(population, settled_sample(sample, training, names, division.seed), everything, training)


def count(session: Session, population: Population, question: Question) -> Counts:
    """Count the target over all units, in parallel."""
    units = [population.only(unit) for unit in population.units]
    found = session.map(partial(count_rows, question), units, "count")
    return sum((counts for _, counts in sorted(found, key=lambda pair: pair[0])), NOTHING)


def _nothing_left(units: Sequence[CleanedUnit], target: str) -> Problem:
    """Why there is no row to learn from: all were refused or filtered, or none has a target."""
    if any(unit.rows for unit in units):
        return Problem("no row has a target", f"column '{target}'", "check the column, or name another target")
    refused: Counter[str] = Counter()
    for unit in units:
        refused.update(unit.refused)
    became = [f"{rows:,} {reason}" for reason, rows in refused.most_common()]
    became += [f"{rows:,} filtered" for rows in [sum(unit.filtered for unit in units)] if rows]
    return Problem(
        f"no row is left after cleaning: {', '.join(became)}",
        f"all {sum(unit.rows_in for unit in units):,} rows of the input",
        "compare the data with the contract and with the steps in clean",
    )


def _check_training(training: Counts, task: Task) -> None:
    if training.rows == 0:
        what = "the split leaves no row to train on"
    elif task == "classification" and len(training.classes) < 2:
        what = f"the split leaves one class only to train on: {next(iter(training.classes))}"
    else:
        return
    advice = "hold out fewer rows, split by a column with more values, or bring more data"
    raise DataError(Problem(what, "$.train.split", advice))


def gather_sample(session: Session, divided: Divided, columns: tuple[str, ...], uri: str) -> int:
    """Write the rows that the model is fitted on as one Parquet file, in input order; return how many. Eager, one task.

    Raises DataError when the sample has no row.
    """
    task = partial(write_sample, sample=divided.sample, columns=columns, uri=uri)
    ((_, rows),) = session.map(task, [divided.population], "sample")
    if rows == 0:
        raise DataError(
            Problem(
                "the sample to train on has no row", "$.train.sample", "take more units, a larger fraction or more rows"
            )
        )
    return rows


def write_sample(population: Population, sample: Sample, columns: tuple[str, ...], uri: str) -> int:
    """Gather and write the sample in this process; memory: a few row groups."""
    chosen = replace(
        population, units=tuple(u for u in population.units if sample.units is None or u.number in sample.units)
    )
    grouped = population.split is not None and isinstance(population.split.config, GroupSplit)
    ours = (SOURCE_FILE, SOURCE_ROW, HASH, *((GROUP_HASH,) if grouped else ()))
    kept = tuple(dict.fromkeys([*columns, population.target, *ours]))
    tables = _sampled(chosen, sample, kept)
    first = next(tables, None)
    if first is None:
        return 0
    with draft(uri) as spool:
        rows = Parquet(uri=uri).write(chain([first], tables), first.schema, spool, {})
        create(uri, spool)
    return rows


def _sampled(population: Population, sample: Sample, columns: tuple[str, ...]) -> Iterator[pa.Table]:
    for unit in population.units:
        for batch in population.only(unit).batches(columns, "train"):
            labels = label_text(batch.table[population.target]) if sample.bins_by_class else None
            chosen = sample.chosen(unit.number, batch.hashes, labels)
            yield batch.table.filter(pa.array(chosen))
