"""Doing again what a run did: its units with refused rows after something was mended, or one unit to look into it."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from scoreline.bundle.files import load_bundle
from scoreline.dataset.plans import differences, read_plan
from scoreline.dataset.receipts import parsed
from scoreline.errors import DataError, Problem, UsageError, counted
from scoreline.plans.handed_over import handed_over
from scoreline.plans.increments import planned
from scoreline.plans.prediction import plan_whole, section_to_predict
from scoreline.plans.training import not_trained, plan_training
from scoreline.refusal import Reason
from scoreline.scoring import predict_unit
from scoreline.storage import exists, join, read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from scoreline.bundle.bundle import Bundle
    from scoreline.config.models import JobConfig
    from scoreline.dataset.commits import Commit
    from scoreline.dataset.layout import Layout
    from scoreline.dataset.receipts import Receipt
    from scoreline.plans.increments import Whole
    from scoreline.plans.training import TrainPlan
    from scoreline.stages.predict import Scoring
    from scoreline.units import Unit


@dataclass(frozen=True)
class UnitOfRun:
    """A unit by its name, the run that scored it, and where that run's bundle is, if it trained one."""

    name: str
    run: str
    model: str | None


@dataclass(frozen=True)
class Replayed:
    """A unit that was predicted again.

    Attributes
    ----------
    rows_in, predicted, filtered, refused : the account of its rows now
    same : whether the bytes are those of the run; None for a unit that the run did not finish
    changes : what is different now from when the run was planned, a sentence each
    """

    unit: str
    rows_in: int
    predicted: int
    filtered: int
    refused: Mapping[str, int]
    same: bool | None
    changes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """As a person reads it."""
        refused = ", ".join(f"{reason} {count:,}" for reason, count in self.refused.items()) or "none"
        told = {True: "the same as the run wrote", False: "other than the run wrote", None: "the run did not write any"}
        quarantined = sum(self.refused.values())
        parts = f"{self.predicted:,} predicted + {quarantined:,} quarantined + {self.filtered:,} filtered"
        return [
            f"unit         {self.unit}",
            f"rows         {self.rows_in:,} in = {parts}",
            f"refused      {refused}",
            f"bytes        {told[self.same]}",
            *(f"changed      {change}" for change in self.changes),
            "nothing was published",
        ]


def plan_replay(job: JobConfig, model: str | None, modules: Sequence[Path]) -> Scoring:
    """The run that predicts the units with refused rows of the current version again; see `planned`.

    Raises UsageError when there are none, or when nothing changed since they were refused; but a version that a replay
    made, which may not have come to its end, is published once more: nothing is left to predict then.
    """
    section = section_to_predict(job)
    whole = _whole(job, model, modules)
    scoring = planned(section, whole, "replay")
    base = scoring.goal.base
    if base is None:
        raise DataError(Problem("nothing is published there yet", section.sink.uri, "run the config first"))
    needless = _needless(whole, base, scoring.superseded)
    if needless is None:
        return scoring
    if base.kind == "replay":
        return replace(scoring, survey=replace(scoring.survey, units=()))
    what, advice = needless
    raise UsageError(Problem(what, section.sink.uri, advice))


def _needless(whole: Whole, base: Commit, refused: Sequence[Receipt]) -> tuple[str, str] | None:
    """Why the units with refused rows of a version need not be predicted again, and advice."""
    if not refused:
        return f"no row of version {base.version} is in quarantine", "there is nothing to replay"
    if not all(_would_be_refused_again(whole, receipt) for receipt in refused):
        return None
    rows = sum(receipt.quarantined for receipt in refused)
    what = f"nothing changed since {counted(rows, 'row')} {'was' if rows == 1 else 'were'} refused"
    return what, "mend contract, cleaning, references or input first; scoreline quarantine show tells the reasons"


def _would_be_refused_again(whole: Whole, receipt: Receipt) -> bool:
    """True for a unit of the same recipe and input, unless the model failed: that may have had a passing reason."""
    now = {(file.path, file.size, file.stamp) for file in whole.survey.files}
    same = receipt.recipe == whole.task.recipe and all(tuple(file) in now for file in receipt.files)
    return same and Reason.PREDICT_FAILED not in receipt.refused


def _whole(job: JobConfig, model: str | None, modules: Sequence[Path]) -> Whole:
    if job.model is not None:
        bundle, survey = handed_over(job, job.model, modules)
        return plan_whole(job, bundle, modules, survey)
    if model is None or job.train is None:
        raise UsageError(not_trained(job))
    plan = plan_training(job, job.train, modules)
    known = plan.survey if job.predict_source == job.source else None
    return plan_whole(job, _mended(job, load_bundle(model), plan), modules, known)


def _mended(job: JobConfig, bundle: Bundle, plan: TrainPlan) -> Bundle:
    """The bundle with contract and cleaning as the config has them now: the model stays that of the run.

    Raises UsageError when they make other features than the model takes.
    """
    if not plan.inputs.equals(bundle.inputs):
        what = "contract, cleaning or features of the config make other columns than the model takes"
        raise UsageError(Problem(what, job.where("features"), "run the config again: it trains another model"))
    contract = replace(bundle.contract, rules=plan.survey.contract.rules)
    return replace(bundle, contract=contract, cleaning=plan.prediction, needs=plan.needs)


def replayed(job: JobConfig, modules: Sequence[Path], unit: UnitOfRun) -> Replayed:
    """Predict a unit again into a scratch folder, and compare; eager.

    Raises UsageError when the run has no such unit, DataError when its input is gone.
    """
    whole = _whole(job, unit.model, modules)
    layout = whole.task.layout.of(unit.run)
    plan = read_plan(layout)
    if plan is None:
        raise DataError(Problem("the plan of this run was collected", layout.plan, "run the config again"))
    survey = whole.survey.only({path for path, _, _ in plan.files})
    now = replace(plan, recipe=whole.recipe, files=tuple((f.path, f.size, f.stamp) for f in survey.files))
    with tempfile.TemporaryDirectory(prefix="scoreline-") as scratch:
        apart = replace(layout, uri=join(scratch, "replay"))
        task = replace(whole.task.spread(join(scratch, "references")), layout=apart)
        receipt = predict_unit(task, _named(survey.units, unit.name, layout)).receipt
    changes = tuple(differences(plan, now))
    return Replayed(
        unit=unit.name,
        rows_in=receipt.rows_in,
        predicted=receipt.predicted,
        filtered=receipt.filtered,
        refused=receipt.refused,
        same=_same(layout, receipt),
        changes=changes,
    )


def _named(units: Sequence[Unit], name: str, layout: Layout) -> Unit:
    found = {unit.name: unit for unit in units}
    if name not in found:
        advice = f"its units are: {', '.join(list(found)[:10])}"
        raise UsageError(Problem(f"this run has no unit '{name}'", layout.plan, advice))
    return found[name]


def _same(layout: Layout, receipt: Receipt) -> bool | None:
    uri = layout.receipt(receipt.unit)
    if not exists(uri):
        return None
    before = parsed(read_bytes(uri), uri)
    return [file.sha256 for file in before.stored] == [file.sha256 for file in receipt.stored]
