"""Which part of the input a run scores, and what it becomes part of: everything, what is new, or what was refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from scoreline.dataset.commits import highest_commit
from scoreline.dataset.increments import increment, out_of_date, repaired, with_refused_rows
from scoreline.dataset.manifests import read_manifest
from scoreline.dataset.plans import RunPlan
from scoreline.dataset.publication import Goal
from scoreline.errors import DataError, Problem
from scoreline.stages.predict import Scoring
from scoreline.storage import join, open_input
from scoreline.units import InputFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scoreline.config.models import PredictConfig
    from scoreline.dataset.commits import Kind
    from scoreline.dataset.increments import Increment
    from scoreline.dataset.receipts import Receipt
    from scoreline.scoring import PredictTask
    from scoreline.sources.base import Survey


@dataclass(frozen=True, eq=False)
class Whole:
    """How any row of an input is scored: the survey of all of it, the task without a key, and the recipe."""

    survey: Survey
    task: PredictTask
    recipe: Mapping[str, Any]


def planned(section: PredictConfig, whole: Whole, kind: Kind) -> Scoring:
    """The run that scores all of the input, what is new of it, or the units with refused rows; eager.

    Reads the newest commit and, unless all is scored, the manifests of its version. Raises DataError where the version
    cannot keep what it has.
    """
    base = highest_commit(whole.task.layout)
    if base is None or kind == "replace":
        return _scoring(section, whole, Goal(base), None)
    version = {run: read_manifest(whole.task.layout.of(run.run)) for run in base.runs}
    now = {file.path: InputFile(file.path, file.size, file.stamp) for file in whole.survey.files}
    if kind == "replay":
        found = repaired(increment(version, now, with_refused_rows))
    else:
        found = increment(version, now, out_of_date(whole.task.recipe))
    again = {receipt.unit for receipt in found.superseded}
    staying = tuple(r for manifest in version.values() for r in manifest.receipts if r.unit not in again)
    _check_columns(whole.task, staying)
    scoring = _scoring(section, whole, Goal(base, kind, found.kept), found)
    return replace(scoring, beside=staying) if kind == "replay" else scoring


def _check_columns(task: PredictTask, staying: Iterable[Receipt]) -> None:
    """Raise DataError when files that the version keeps have other columns than those that the run would add."""
    others = {receipt.recipe: receipt.data.path for receipt in staying if receipt.recipe != task.recipe}
    for path in others.values():
        uri = join(task.layout.store, path)
        with open_input(uri) as file:
            columns = pq.read_schema(file).remove_metadata()
        if columns != task.output_schema:
            what = "the version has files that must stay, with other columns than this run would write"
            advice = 'score everything that is there with "mode": "replace", or write to another place'
            raise DataError(Problem(what, f"{uri} has {', '.join(columns.names[:20])}", advice))


def _scoring(section: PredictConfig, whole: Whole, goal: Goal, found: Increment | None) -> Scoring:
    survey = whole.survey
    adopted: tuple[Receipt, ...] = ()
    if found is not None:
        with_rows = {piece.path for unit in survey.units for piece in unit.pieces}
        survey, adopted = survey.only(found.paths & with_rows), found.adopted
        if found.superseded and not survey.units:
            what = "the files that must be scored again have no rows any more"
            raise DataError(Problem(what, survey.source.uri, 'score what is there with "mode": "replace"'))
    plan = RunPlan(
        recipe=whole.recipe,
        files=tuple((file.path, file.size, file.stamp) for file in survey.files),
        units=tuple(unit.name for unit in survey.units),
        rows=survey.rows,
        size=survey.size,
        adopted=tuple(receipt.data.sha256 for receipt in adopted),
    )
    # Where nothing is new, the run is the one that the current version ends with.
    key = plan.key if survey.units or goal.base is None else goal.base.run
    task = replace(whole.task, layout=whole.task.layout.of(key))
    superseded = () if found is None else found.superseded
    return Scoring(survey, task, section.error_budget, plan, goal, adopted, superseded)
