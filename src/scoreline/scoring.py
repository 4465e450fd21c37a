"""Scoring one unit: read, clean, predict and write it once, with an account of every row."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from scoreline.cleaning import admitted
from scoreline.compiled.sampling import Place
from scoreline.contract import PREDICTED, SOURCE_FILE, SOURCE_ROW, Contract, has_outputs
from scoreline.dataset.receipts import Receipt, write_receipt
from scoreline.dataset.spool import Spool
from scoreline.dataset.unit_file import write_unit_file
from scoreline.errors import DataError, Problem
from scoreline.parts import even_parts
from scoreline.refusal import Refusal, refused_rows
from scoreline.sinks.base import NumberedRows
from scoreline.sinks.parquet import plain
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scoreline.bundle.bundle import Bundle, Scored
    from scoreline.cleaning import CleanPart
    from scoreline.compiled.scorer import Scorer
    from scoreline.dataset.layout import Layout
    from scoreline.dataset.receipts import StoredFile
    from scoreline.dataset.unit_file import Write
    from scoreline.sinks.base import Sink
    from scoreline.sources.base import Source
    from scoreline.units import RawPart, Unit

BLOCK_ROWS = 16_384
"""Rows of a unit that the model is given at once: a constant of the format, since numbers that BLAS adds up may differ
in their last bit with the number of rows beside them."""

REFUSAL_COLUMNS = ("_reason_code", "_reason_detail", "_stage", "_column", "_source_file", "_source_row")


@dataclass(frozen=True, eq=False)
class PredictTask:
    """What every task of this stage needs to know; small: the model is loaded where it is used.

    Attributes
    ----------
    contract : what raw rows must be
    keep : input columns that are written beside the prediction
    row_id : write the columns source_file and source_row
    proba : write a column of probabilities for each label
    batch_rows : rows that are read at a time; it decides memory and never the output
    recipe : hash of all that decides the prediction of a row, for receipts
    stop_at_refusal : end the run at the first row that is refused
    """

    source: Source
    contract: Contract
    bundle: Bundle
    sink: Sink
    layout: Layout
    keep: tuple[str, ...]
    row_id: bool
    proba: bool
    batch_rows: int
    recipe: str
    stop_at_refusal: bool = False

    def spread(self, folder: str) -> PredictTask:
        """The task with references too large for memory spread over files below `folder`; eager."""
        return replace(self, bundle=replace(self.bundle, cleaning=self.bundle.cleaning.spread(folder)))

    @property
    def read(self) -> tuple[str, ...]:
        """The input columns to read, in input order: those to keep, to predict from, and to hold to the contract."""
        wanted = {*self.keep, *self.bundle.needs, *self.contract.rules}
        return tuple(name for name in self.contract.schema.names if name in wanted)

    @property
    def output_schema(self) -> pa.Schema:
        """The columns of the predictions, plain types."""
        fields = [self.contract.schema.field(name).with_nullable(nullable=True) for name in self.keep]
        if self.row_id:
            fields += [pa.field(SOURCE_FILE, pa.string()), pa.field(SOURCE_ROW, pa.int64())]
        answer = self.bundle.answer_type
        fields += list(answer) if has_outputs(answer) else [pa.field(PREDICTED, answer)]
        if self.proba:
            fields += [pa.field(f"proba_{label}", pa.float64()) for label in self.bundle.labels or ()]
        return plain(pa.schema(fields))


def check_output(task: PredictTask) -> None:
    """Raise DataError when two output columns would have one name."""
    check_names(task.output_schema.names)


def check_names(names: Sequence[str]) -> None:
    """Raise DataError naming every output column that is there twice, or that a quarantine file would have twice."""
    twice = [name for name, count in Counter(names).items() if count > 1 or name in REFUSAL_COLUMNS]
    if twice:
        raise DataError(*map(_clash, twice))


def _clash(name: str) -> Problem:
    where, advice = f"input column '{name}'", 'leave it out with "predict.keep"'
    if name in REFUSAL_COLUMNS:
        what = f"a quarantine file would have two columns '{name}': one of the input, and one that scoreline adds"
        return Problem(what, where, f"rename it in the input, or {advice}")
    if name in (SOURCE_FILE, SOURCE_ROW):
        advice = f'{advice}, or set "predict.row_id": false'
    what = f"the output would have two columns '{name}': one of the input, and one that scoreline adds"
    return Problem(what, where, advice)


class Predicted(NamedTuple):
    """A unit that was predicted: its receipt, rows by the tier that predicted them, and why no faster tier did."""

    receipt: Receipt
    tiers: Mapping[str, int]
    reasons: tuple[str, ...]


class Done(NamedTuple):
    """A scored unit: what came of it, seconds, and the peak bytes of its process."""

    predicted: Predicted
    seconds: float
    memory: int


def score_unit(task: PredictTask, unit: Unit) -> Done:
    """Predict one unit as `predict_unit` does, and measure it."""
    started = time.perf_counter()
    predicted = predict_unit(task, unit)
    return Done(predicted, time.perf_counter() - started, most_memory())


def most_memory() -> int:
    """The most memory that this process ever held, in bytes."""
    kilobyte = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobyte


def predict_unit(task: PredictTask, unit: Unit) -> Predicted:
    """Predict one unit in this process, with one thread, and write it once. Memory: a few batches and one row group.

    The bytes depend on the unit and the score_key alone. Every row of the unit is predicted, refused or counted as
    filtered, or ScorelineError is raised. When a part shows that a fast tier answers otherwise than scikit-learn,
    nothing is written, and all parts are predicted again without it.
    """
    while True:
        try:
            return _predict_once(task, unit)
        except GivenUp:
            continue


def _predict_once(task: PredictTask, unit: Unit) -> Predicted:
    layout = task.layout
    with Spool() as refused, limited(1):
        account = Account(refused)
        rows = _by_one_tier(output_rows(task, unit, account), task.bundle.scorer)
        data, predicted = write_unit_file(writing(task, unit, rows), layout, layout.unit_file(unit.name))
        quarantine = _quarantined(task, account.refused_rows, layout.quarantine_file(unit.name))
    receipt = Receipt(
        unit=unit.name,
        rows_in=unit.rows,
        predicted=predicted,
        filtered=account.filtered,
        refused=dict(account.refused),
        data=data,
        quarantine=quarantine,
        hits=account.hits,
        files=unit.files,
        recipe=task.recipe,
    )
    return Predicted(write_receipt(layout, receipt), dict(account.tiers), task.bundle.reasons)


def writing(task: PredictTask, unit: Unit, rows: Iterable[NumberedRows]) -> Write:
    """How the rows of a unit are written: with input columns passed on as they are stored where that is possible.

    Reads footers of the input, no rows.
    """
    stored = task.source.stored(unit, task.contract, task.keep)
    passage = task.sink.passage(stored, task.output_schema)
    if passage is not None:
        return partial(passage.write, rows)
    return partial(task.sink.write, (table for table, _ in rows), task.output_schema)


class GivenUp(Exception):  # noqa: N818  no fault: the unit is predicted again
    """A tier was given up after it had answered for parts of this unit."""


def _by_one_tier(parts: Iterator[NumberedRows], scorer: Scorer) -> Iterator[NumberedRows]:
    """The parts; raises GivenUp as soon as answers for earlier ones came from a tier that is no longer trusted."""
    trusted: int | None = None
    for part in parts:
        if trusted not in (None, scorer.given_up):
            raise GivenUp
        # The part that showed it has been answered without that tier.
        trusted = scorer.given_up
        yield part
    if trusted not in (None, scorer.given_up):
        # The sample that was still owed showed it.
        raise GivenUp


def _quarantined(task: PredictTask, rows: Spool, uri: str) -> StoredFile | None:
    """The file of a unit's refused rows; none when there are none."""
    if rows.schema is None:
        return None
    return write_unit_file(partial(task.sink.write, rows.tables(), rows.schema), task.layout, uri)[0]


class Account:
    """What became of the rows of a unit, filled while they stream by."""

    def __init__(self, refused_rows: Spool) -> None:
        self.rows = 0
        self.filtered = 0
        self.refused: Counter[str] = Counter()
        self.tiers: Counter[str] = Counter()
        self.refused_rows = refused_rows
        self.hits: dict[str, tuple[int, int]] = {}

    def add(self, raw: RawPart, refusals: Sequence[Refusal], scored: Scored) -> None:
        """Book one part."""
        self.rows += raw.table.num_rows
        self.filtered += scored.filtered
        self.tiers[scored.tier] += len(scored.positions)
        for name, matched, looked_up in scored.hits:
            before = self.hits.get(name, (0, 0))
            self.hits[name] = (before[0] + matched, before[1] + looked_up)
        if refused_rows(refusals, raw.table.num_rows).any():
            table = quarantine_table(raw, refusals)
            self.refused.update(table["_reason_code"].to_pylist())
            self.refused_rows.add(table)


def output_rows(task: PredictTask, unit: Unit, account: Account) -> Iterator[NumberedRows]:
    """The rows to write for a unit, block by block; what became of all of its rows goes into the account. Lazy."""
    names = task.output_schema.names
    for raw, passed, scored in _scored_parts(task, unit):
        moved = tuple(Refusal(passed.positions[r.rows], r.reason, r.detail, r.column, r.stage) for r in scored.refusals)
        refusals = (*passed.refusals, *moved)
        if task.stop_at_refusal and refused_rows(refusals, raw.table.num_rows).any():
            raise DataError(_stopped(raw, refusals))
        first, positions = account.rows, passed.positions[scored.positions]
        account.add(raw, refusals, scored)
        yield NumberedRows(pa.table(_output(task, raw, positions, scored), names=names), first + positions)


def _scored_parts(task: PredictTask, unit: Unit) -> Iterator[tuple[RawPart, CleanPart, Scored]]:
    """Each part of a unit, what the contract admits of it, and its predictions.

    Where the parts that hash chose for samples were filtered away or refused, the last one that was not has one: which
    it is depends on unit and data alone.
    """
    batches = task.source.read(unit, task.contract, task.read, task.batch_rows)
    parts = -(-unit.rows // BLOCK_ROWS)
    sampled, spare = False, None
    for number, raw in enumerate(even_parts(batches, BLOCK_ROWS)):
        passed, place = admitted(raw, task.contract), Place(unit.name, number, parts)
        scored = task.bundle.predict(passed.table, proba=task.proba, place=place)
        if not sampled and scored.can_be_sampled:
            sampled = place.is_sampled
            spare = None if sampled else (passed.table, replace(place, instead=True))
        yield raw, passed, scored
    if spare is not None:
        task.bundle.predict(spare[0], proba=task.proba, place=spare[1])


def _stopped(raw: RawPart, refusals: Sequence[Refusal]) -> Problem:
    row, refusal = min(((int(r.rows[0]), r) for r in refusals if len(r.rows)), key=lambda pair: pair[0])
    column = f", column '{refusal.column}'" if refusal.column else ""
    return Problem(
        f"{refusal.reason}: {refusal.detail}",
        f"{raw.files[row].as_py()}, row {raw.rows[row]}{column}",
        'mend the row, or set "predict.on_bad_row": "quarantine" to go on without it; nothing was published',
    )


def _output(task: PredictTask, raw: RawPart, positions: np.ndarray, scored: Scored) -> list[pa.Array]:
    """The columns that are written of a part; text in dictionaries stays there."""
    taken = pa.array(positions)
    whole = len(positions) == raw.table.num_rows
    kept = raw.table.select(list(task.keep))
    columns: list[pa.Array] = (kept if whole else kept.take(taken)).columns
    if task.row_id:
        columns += [raw.files if whole else raw.files.take(taken), pa.array(raw.rows if whole else raw.rows[positions])]
    columns += scored.answers.flatten() if has_outputs(scored.answers.type) else [scored.answers]
    if scored.proba is not None:
        columns += [pa.array(np.ascontiguousarray(scored.proba[:, label])) for label in range(scored.proba.shape[1])]
    return columns


def quarantine_table(raw: RawPart, refusals: Sequence[Refusal]) -> pa.Table:
    """The refused rows of a part as they came, each with its first reason."""
    first: dict[int, Refusal] = {}
    for refusal in refusals:
        for row in refusal.rows.tolist():
            first.setdefault(row, refusal)
    rows = sorted(first)
    taken = pa.array(rows, type=pa.int64())
    reasons = [first[row] for row in rows]
    table = raw.original.take(taken)
    for name, values in zip(
        REFUSAL_COLUMNS,
        (
            pa.array([str(r.reason) for r in reasons], pa.string()),
            pa.array([r.detail for r in reasons], pa.string()),
            pa.array([r.stage for r in reasons], pa.string()),
            pa.array([r.column for r in reasons], pa.string()),
            raw.files.take(taken).cast(pa.string()),
            pa.array(raw.rows[rows]),
        ),
        strict=True,
    ):
        table = table.append_column(name, values)
    return table
