"""Evaluate: judge the bundle on rows that the model never saw, from sums that add up over units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.cleaning import CleanPart
from scoreline.errors import DataError, Problem
from scoreline.evaluation import Judged, Tally, in_order, report, tally
from scoreline.target_counts import label_text
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scoreline.bundle.bundle import Bundle
    from scoreline.clusters.base import Session
    from scoreline.metrics.base import Metric
    from scoreline.population import Batch, Population, Which


@dataclass(frozen=True, eq=False)
class EvaluateTask:
    """What every task of this stage needs to know.

    Attributes
    ----------
    which : the rows to judge on
    baseline : what a model that ignores its input would answer: the commonest label (as text), or the mean
    """

    bundle: Bundle
    target: str
    metrics: tuple[Metric, ...]
    slices: tuple[str, ...]
    replicates: int
    seed: int
    which: Which
    baseline: str | float

    @property
    def labels(self) -> tuple[str, ...]:
        """The class labels as text, in the order of the probabilities; empty for regression."""
        return tuple(label_text(pa.chunked_array([pa.array(list(self.bundle.labels or ()))])).to_pylist())


def evaluate(
    session: Session, task: EvaluateTask, population: Population, progress: Callable[[int], None]
) -> dict[str, Any]:
    """Judge the bundle on all units; eager. The report is the same on any cluster, and for any units up to rounding.

    Raises DataError when there is no row to judge on.
    """
    parts = [population.only(unit) for unit in population.units]
    progress(0)

    def judged() -> Iterator[tuple[int, Tally | None]]:
        for number, found in session.map(partial(judge_unit, task), parts, "evaluate"):
            progress(population.units[number].rows)
            yield number, found

    total = in_order(judged())
    if total is None:
        raise DataError(nothing_to_judge_on())
    return report(total, task.metrics, task.labels)


def nothing_to_judge_on() -> Problem:
    """The problem of a split that holds out nothing, and of an evaluate.source without a row that can be used."""
    what, where = "no row is left to judge the model on", "$.train.split"
    return Problem(
        what, where, "hold out more rows (of few groups or days, a larger share), or name an evaluate.source"
    )


def judge_unit(task: EvaluateTask, population: Population) -> Tally | None:
    """Judge one unit's rows in this process; None when none of them is judged. Memory: one batch."""
    total = None
    wanted = (*task.bundle.inputs.names, task.target, *task.slices)
    with limited(1):
        for batch in population.batches(wanted, task.which):
            found = tally(_judged(task, batch), task.metrics, task.replicates, task.seed)
            total = found if total is None else total + found
    return total


def _judged(task: EvaluateTask, batch: Batch) -> Judged:
    rows = batch.table.num_rows
    needs_proba = task.bundle.labels is not None and hasattr(task.bundle.fitted.model, "predict_proba")
    scored = task.bundle.score(CleanPart(batch.table, np.arange(rows, dtype=np.int64)), proba=needs_proba)
    taken = pa.array(scored.positions)
    truth = batch.table[task.target].take(taken)
    return Judged(
        truth=_coded(task, truth),
        predicted=_coded(task, pa.chunked_array([scored.predictions])),
        baseline=_constant(task, len(scored.positions)),
        proba=scored.proba,
        labels=task.labels,
        hashes=batch.hashes[scored.positions],
        slices={name: _text(batch.table[name].take(taken)) for name in task.slices},
    )


def _coded(task: EvaluateTask, values: pa.ChunkedArray) -> np.ndarray:
    """Codes into the labels (-1 for one that training never saw), or numbers."""
    if not task.labels:
        return np.asarray(values.cast(pa.float64()).to_numpy(), dtype=np.float64)
    codes = {label: code for code, label in enumerate(task.labels)}
    return np.array([codes.get(label, -1) for label in label_text(values).to_pylist()], dtype=np.int64)


def _constant(task: EvaluateTask, rows: int) -> np.ndarray:
    if not task.labels:
        return np.full(rows, task.baseline, dtype=np.float64)
    code = task.labels.index(str(task.baseline)) if task.baseline in task.labels else -1
    return np.full(rows, code, dtype=np.int64)


def _text(column: pa.ChunkedArray) -> np.ndarray:
    return np.array(column.cast(pa.string()).to_pylist(), dtype=object)
