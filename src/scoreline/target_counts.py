"""Counting the target: what must be known of all rows before they can be split and sampled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoreline.errors import DataError, Problem
from scoreline.sampling import (
    BINS,
    SMALL_CLASS,
    RandomSplit,
    Sample,
    Split,
    TimeSplit,
    bins_to_take,
    sample_bins,
    units_to_take,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoreline.population import Batch, Population, Which
    from scoreline.sampling import SampleConfig, SplitConfig
    from scoreline.task import Task


@dataclass(frozen=True, eq=False)
class Counts:
    """What was counted in some rows; adds up over units.

    Attributes
    ----------
    rows : rows with a target
    classes : rows by label (as text), for classification
    days : rows by day (ISO text), for a time split; rows without a day are not in it
    total : sum of the target, for regression
    bins : rows by bin of the sampling hash, by label; under "" without classes
    """

    rows: int
    classes: Mapping[str, int]
    days: Mapping[str, int]
    total: float
    bins: Mapping[str, np.ndarray]

    def __add__(self, other: Counts) -> Counts:
        names = dict.fromkeys([*self.bins, *other.bins])
        nothing = np.zeros(BINS, dtype=np.int64)
        return Counts(
            self.rows + other.rows,
            Counter(self.classes) + Counter(other.classes),
            Counter(self.days) + Counter(other.days),
            self.total + other.total,
            {name: self.bins.get(name, nothing) + other.bins.get(name, nothing) for name in names},
        )


NOTHING = Counts(0, {}, {}, 0.0, {})


@dataclass(frozen=True)
class Question:
    """What to count.

    Attributes
    ----------
    which : the rows to count
    day_column : count rows by the day in this column
    with_bins : count rows by bin of the sampling hash
    """

    task: Task
    which: Which
    day_column: str | None = None
    with_bins: bool = False


def count_rows(question: Question, population: Population) -> Counts:
    """Count the rows of a population. Eager, one pass; memory: one batch, and 512 KiB a class with bins."""
    total = NOTHING
    columns = [population.target, *([question.day_column] if question.day_column else [])]
    for batch in population.batches(columns, question.which):
        total = total + _counted(question, batch, population.target)
    return total


def _counted(question: Question, batch: Batch, target: str) -> Counts:
    table, day_column = batch.table, question.day_column
    labels = label_text(table[target]) if question.task == "classification" else None
    days = _value_counts(table[day_column].cast(pa.date32()).cast(pa.string())) if day_column else {}
    total = 0.0 if labels is not None else float(pc.sum(table[target].cast(pa.float64())).as_py() or 0.0)
    bins = _bins(batch.hashes, labels) if question.with_bins else {}
    return Counts(table.num_rows, {} if labels is None else _value_counts(labels), days, total, bins)


def label_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Class labels as text."""
    return column.cast(pa.string())


def _value_counts(column: pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(column.drop_null())
    return dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))


def _bins(hashes: np.ndarray, labels: pa.ChunkedArray | None) -> dict[str, np.ndarray]:
    bins = sample_bins(hashes)
    if labels is None:
        return {"": np.bincount(bins, minlength=BINS)}
    encoded = labels.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    return {
        label: np.bincount(bins[codes == code], minlength=BINS)
        for code, label in enumerate(encoded.dictionary.to_pylist())
    }


def settled_split(config: SplitConfig, counts: Counts, task: Task, target: str) -> Split:
    """The split with its day and undivided classes, of one row at least. Raises DataError for a target of one class.

    Only a random split leaves rare classes whole: groups are never on both sides, nor does the future train.
    """
    if task == "classification" and len(counts.classes) < 2:
        raise DataError(
            Problem(
                f"the target has one class only: {next(iter(counts.classes))}",
                f"column '{target}'",
                "a classifier needs two classes at least: check the data, or set train.task to regression",
            )
        )
    divisible = isinstance(config, RandomSplit)
    small = sorted(label for label, rows in counts.classes.items() if rows < SMALL_CLASS) if divisible else []
    day = _first_day(config, counts.days) if isinstance(config, TimeSplit) else None
    return Split(config, day, tuple(small))


def _first_day(config: TimeSplit, days: Mapping[str, int]) -> str:
    """The day from which rows are held out: the earliest one that leaves at most the asked share after it."""
    if config.at is not None:
        return config.at
    ordered = sorted(days.items(), reverse=True)
    allowed = (config.test_fraction or 0.0) * sum(days.values())
    late = 0
    for place, (_, rows) in enumerate(ordered):
        late += rows
        if late > allowed:
            return ordered[max(place - 1, 0)][0]
    raise DataError(
        Problem("no row has a date to split by", f"column '{config.column}'", "name another column, or split at random")
    )


def settled_sample(config: SampleConfig, training: Counts, names: Sequence[str], seed: int) -> Sample:
    """The sample in terms of units or bins of the sampling hash."""
    if config.units is not None:
        return Sample(units=units_to_take(config, names, seed))
    if config.fraction is not None:
        return Sample(bins=round(config.fraction * BINS))
    share = min(1.0, (config.rows or 0) / max(training.rows, 1))
    if share == 1.0:
        return Sample()
    if config.strategy == "stratified":
        by_class = {label: bins_to_take(bins, share * bins.sum()) for label, bins in training.bins.items()}
        return Sample(bins_by_class=by_class)
    together = sum(training.bins.values(), np.zeros(BINS, dtype=np.int64))
    return Sample(bins=bins_to_take(together, float(config.rows or 0)))
