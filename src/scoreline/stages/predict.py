"""Predict: one task a unit scores it and writes it once; a commit publishes all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from scoreline.dataset.adoption import adopt
from scoreline.dataset.commits import highest_commit
from scoreline.dataset.manifests import finished
from scoreline.dataset.plans import begin
from scoreline.dataset.publication import publish
from scoreline.dataset.receipts import refused_in_all
from scoreline.dataset.versions import lead_readers
from scoreline.errors import BudgetError, DataError, Problem, ScorelineError
from scoreline.scoring import score_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from scoreline.clusters.base import Session
    from scoreline.dataset.commits import Commit
    from scoreline.dataset.manifests import Finished
    from scoreline.dataset.plans import RunPlan
    from scoreline.dataset.publication import Goal
    from scoreline.dataset.receipts import Receipt
    from scoreline.refusal import ErrorBudget
    from scoreline.scoring import Done, PredictTask
    from scoreline.sources.base import Survey
    from scoreline.units import Unit


@dataclass(frozen=True, eq=False)
class Scoring:
    """A run before it is scored.

    Attributes
    ----------
    survey : the input; its units are those to score, which may be none when nothing is new
    task : what every task needs
    budget : how many rows may be refused
    plan : what the store keeps of it; its key is the score_key
    goal : what the run becomes part of
    adopted : units of other runs that it takes over
    superseded : units of the version before that it makes again
    beside : units of the version that are judged together with those that are scored: of a repair all that stay
    """

    survey: Survey
    task: PredictTask
    budget: ErrorBudget
    plan: RunPlan
    goal: Goal
    adopted: tuple[Receipt, ...] = ()
    superseded: tuple[Receipt, ...] = ()
    beside: tuple[Receipt, ...] = ()

    @property
    def key(self) -> str:
        """The score_key."""
        return self.task.layout.score_key

    @property
    def units(self) -> tuple[Unit, ...]:
        """The units to score."""
        return self.survey.units

    def spread(self, folder: str) -> Scoring:
        """The run with references too large for memory spread over files below `folder`; eager."""
        return replace(self, task=self.task.spread(folder))


@dataclass(frozen=True)
class Cost:
    """What units cost: how many, the seconds of all together, and the most memory that a worker held, in bytes.

    `tiers` counts their rows by how they were predicted: "A" compiled, "B" each distinct value encoded once, "C" by
    scikit-learn alone; `reasons` are why not by a faster one.
    """

    units: int = 0
    seconds: float = 0.0
    memory: int = 0
    tiers: Mapping[str, int] = field(default_factory=dict)
    reasons: frozenset[str] = frozenset()

    def plus(self, done: Done) -> Cost:
        """The cost with one more unit."""
        more = done.predicted.tiers
        tiers = {tier: self.tiers.get(tier, 0) + more.get(tier, 0) for tier in {*self.tiers, *more}}
        reasons = self.reasons.union(done.predicted.reasons)
        return Cost(self.units + 1, self.seconds + done.seconds, max(self.memory, done.memory), tiers, reasons)


@dataclass(frozen=True)
class Published:
    """What a scoring run came to.

    Attributes
    ----------
    commit : the version that readers see
    refused : rows in quarantine by reason code, of this run
    cost : of the units that this command computed; the others were finished by an earlier one
    """

    commit: Commit
    refused: Mapping[str, int]
    cost: Cost

    def as_json(self, task: PredictTask) -> dict[str, Any]:
        """The account of rows and where they are, as JSON values."""
        return {
            "uri": task.sink.uri,
            "version": self.commit.version,
            "run": self.commit.run,
            "rows_in": self.commit.rows_in,
            "predicted": self.commit.predicted,
            "quarantined": self.commit.quarantined,
            "filtered": self.commit.filtered,
            "runs": len(self.commit.runs),
            "refused": dict(self.refused),
            "quarantine": task.layout.of(self.commit.run).quarantine,
            "units_computed": self.cost.units,
        }


def predict(session: Session, scoring: Scoring, progress: Callable[[int], None]) -> Published:
    """Predict all units that have no receipt yet, then publish the run. Eager; the driver holds receipts only.

    Raises BudgetError when more rows are refused than the budget allows, DataError when input changed meanwhile:
    nothing is published then, and what is computed is kept. Raises ConflictError when another run published.
    """
    layout, base = scoring.task.layout, scoring.goal.base
    if not scoring.units and base is not None:
        return Published(lead_readers(layout, base), {}, Cost())
    begin(layout, scoring.plan)
    known = finished(layout)
    progress(sum(unit.rows for unit in scoring.units if unit.name in known.names))
    receipts: dict[str, Receipt] = {}
    cost = Cost()
    for units in _rounds(scoring, known, receipts):
        for position, done in session.map(partial(score_unit, scoring.task), units, "predict"):
            receipts[done.predicted.receipt.unit] = done.predicted.receipt
            cost = cost.plus(done)
            progress(units[position].rows)
    scored = [receipts[unit.name] for unit in scoring.units]
    _check(scoring, scored)
    everything = [*adopt(layout, scoring.adopted), *scored]
    return Published(publish(layout, everything, scoring.goal), refused_in_all(scored), cost)


def _rounds(scoring: Scoring, known: Finished, receipts: dict[str, Receipt]) -> Iterator[list[Unit]]:
    """The units to compute: those that are not finished; then those whose receipts tell of a file that is gone.

    In between `receipts` is filled up: only now, since reading many thousand of them would keep workers waiting.
    """
    yield [unit for unit in scoring.units if unit.name not in known.names]
    receipts |= known.receipts()
    yield [unit for unit in scoring.units if unit.name not in receipts]


def _check(scoring: Scoring, receipts: Sequence[Receipt]) -> None:
    """Raise what keeps a run, all of whose units are scored, from being published."""
    _check_account(scoring, receipts)
    judged = [*receipts, *scoring.beside]
    scoring.task.bundle.cleaning.judge(receipt.hits for receipt in judged)
    _check_budget(scoring.task, judged, scoring.budget)
    newest = highest_commit(scoring.task.layout)
    published = newest is not None and scoring.goal.reached(newest, scoring.key)
    changes = () if published else scoring.survey.changes()
    if changes:
        advice = "nothing was published; run the same command again: it scores the input as it is now"
        what = f"{len(changes)} input files changed or went while the run lasted"
        raise DataError(Problem(what, "; ".join(changes[:5]), advice))


def _check_account(scoring: Scoring, receipts: Sequence[Receipt]) -> None:
    wrong = [
        receipt.unit
        for receipt, unit in zip(receipts, scoring.units, strict=True)
        if not receipt.balanced() or receipt.rows_in != unit.rows
    ]
    if wrong:
        what = f"the rows of {len(wrong)} units do not add up, such as those of {wrong[0]}"
        advice = "this is a bug of ours: nothing is published; please report it with the run's log.txt"
        raise ScorelineError(Problem(what, scoring.task.layout.receipts, advice))


def _check_budget(task: PredictTask, receipts: Sequence[Receipt], budget: ErrorBudget) -> None:
    rows = sum(receipt.rows_in for receipt in receipts)
    refused = refused_in_all(receipts)
    over = budget.exceeded(refused, rows)
    if over is None:
        return
    count = sum(refused.values())
    reasons = ", ".join(f"{reason} {rows_refused:,}" for reason, rows_refused in refused.items())
    raise BudgetError(
        Problem(
            f"{count:,} of {rows:,} rows were refused ({count / rows:.2%}), more than the budget {over}: {reasons}",
            f"refused rows with their reasons: {task.layout.quarantine}",
            "mend the data or the config, or allow more with predict.error_budget; nothing was published",
        )
    )
