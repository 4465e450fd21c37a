"""What a command would do, told before anything runs: what is done, what is left and why, and what it will cost."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from scoreline.bundle.files import as_json, load_bundle, newest_bundle
from scoreline.dataset.commits import highest_commit
from scoreline.dataset.layout import Layout
from scoreline.dataset.manifests import finished
from scoreline.dataset.plans import differences, read_plan
from scoreline.errors import counted
from scoreline.plans.handed_over import handed_over
from scoreline.plans.prediction import output_fields, plan_prediction
from scoreline.plans.training import plan_training
from scoreline.plans.trial import try_unit
from scoreline.runs.progress import spoken
from scoreline.storage import absolute, replace
from scoreline.work import chosen_cluster

if TYPE_CHECKING:
    from scoreline.bundle.bundle import Bundle
    from scoreline.config.models import JobConfig
    from scoreline.sources.base import Survey
    from scoreline.stages.predict import Scoring
    from scoreline.units import Unit
    from scoreline.work import Context

_MIB = 2**20


@dataclass(frozen=True)
class Amount:
    """Files, units, rows and bytes of an input."""

    uri: str
    files: int
    units: int
    rows: int
    bytes: int

    def __str__(self) -> str:
        """As a person reads it."""
        sizes = f"{counted(self.files, 'file')}, {counted(self.rows, 'row')}, {self.bytes / _MIB:,.1f} MiB"
        return f"{self.uri}: {sizes} in {counted(self.units, 'unit')}"


@dataclass(frozen=True)
class Forecast:
    """What predicting is expected to cost, from a trial on some rows.

    Attributes
    ----------
    rows : rows left to predict
    seconds : wall time of predicting them, starting the cluster apart
    memory : bytes that a worker holds at most
    workers : tasks that run at the same time
    """

    rows: int
    seconds: float
    memory: int
    workers: int

    def __str__(self) -> str:
        """As a person reads it."""
        workers = counted(self.workers, "worker")
        return f"about {spoken(max(self.seconds, 1))} with {workers}, {self.memory / _MIB:,.0f} MiB in each"


@dataclass(frozen=True)
class TrainOutlook:
    """Whether training will run: not when the bundle of this train_key is there."""

    input: Amount
    bundle: str | None


@dataclass(frozen=True)
class PredictOutlook:
    """What predicting will do.

    Attributes
    ----------
    input : all of the input; what is left of it is `left`
    mode : replace or append
    done, left, left_rows : units finished already, units and rows to predict; None before the model is trained
    version : the version that would be published; the current one when nothing is left to publish
    published : True when the current version is what would come out
    why : what differs from the current version, a sentence each
    """

    input: Amount
    mode: str
    uri: str
    version: int
    published: bool = False
    done: int | None = None
    left: int | None = None
    left_rows: int | None = None
    why: tuple[str, ...] = ()
    forecast: Forecast | None = None


@dataclass(frozen=True)
class Outlook:
    """What the stages of a job will do."""

    name: str
    train: TrainOutlook | None
    predict: PredictOutlook | None

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The outlook as a person reads it."""
        return [*_train_lines(self.train), *_predict_lines(self.predict), "nothing was run"]


def overview(job: JobConfig, context: Context) -> Outlook:
    """Settle what each stage would do and why; eager.

    Reads what `check` reads and the records in the store; predicts some rows for about a second to tell time and
    memory, and writes nothing but that forecast, with which the run is compared afterwards.
    """
    if job.train is None:
        return Outlook(job.name, None, _handed_over(job, context))
    plan = plan_training(job, job.train, context.modules)
    known = newest_bundle(context.folder.models, plan.key)
    trained = TrainOutlook(_amount(plan.survey), known)
    if job.predict is None:
        return Outlook(job.name, trained, None)
    if known is None:
        survey = output_fields(job, plan)[0]
        return Outlook(job.name, trained, _before_training(job, survey))
    survey_known = plan.survey if job.predict_source == job.source else None
    return Outlook(job.name, trained, _outlook(job, context, load_bundle(known), survey_known))


def _handed_over(job: JobConfig, context: Context) -> PredictOutlook | None:
    if job.model is None:
        return None
    bundle, survey = handed_over(job, job.model, context.modules)
    return _outlook(job, context, bundle, survey)


def _before_training(job: JobConfig, survey: Survey) -> PredictOutlook | None:
    if job.predict is None:
        return None
    base = highest_commit(Layout(absolute(job.predict.sink.uri), ""))
    return PredictOutlook(
        input=_amount(survey),
        mode=job.predict.mode,
        uri=job.predict.sink.uri,
        version=1 if base is None else base.version + 1,
        why=("the model is not trained yet, or what it learns from changed: all rows are predicted with the new one",),
    )


def _outlook(job: JobConfig, context: Context, bundle: Bundle, survey: Survey | None) -> PredictOutlook:
    scoring = plan_prediction(job, bundle, context.modules, survey)
    base, layout = scoring.goal.base, scoring.task.layout
    whole = survey or scoring.survey
    done = finished(layout).with_data()
    left = [unit for unit in scoring.units if unit.name not in done]
    published = base is not None and (not scoring.units or scoring.goal.reached(base, scoring.key))
    forecast = _forecast(job, scoring, left)
    if forecast is not None:
        replace(context.folder.forecast(scoring.key), as_json(asdict(forecast)))
    return PredictOutlook(
        input=_amount(whole),
        mode=scoring.goal.kind,
        uri=scoring.task.sink.uri,
        version=(0 if base is None else base.version) + (0 if published else 1),
        published=published,
        done=len(scoring.units) - len(left),
        left=len(left),
        left_rows=sum(unit.rows for unit in left),
        why=() if published else tuple(_why(scoring)),
        forecast=forecast,
    )


def _why(scoring: Scoring) -> list[str]:
    """Why the current version is not what would come out."""
    base = scoring.goal.base
    if base is None:
        return ["nothing is published there yet"]
    before = read_plan(scoring.task.layout.of(base.run))
    if before is None:
        return ["the plan of the current version was collected"]
    if len(base.runs) > 1 or scoring.goal.kept or scoring.adopted:
        again = f"{counted(len(scoring.plan.files), 'input file')} new, changed, or to be predicted in another way"
        return [*differences(before, scoring.plan, files=False), again]
    return differences(before, scoring.plan) or ["the current version holds other runs"]


def _forecast(job: JobConfig, scoring: Scoring, left: list[Unit]) -> Forecast | None:
    if not left:
        return None
    trial = try_unit(scoring.task, max(left, key=lambda unit: unit.rows))
    rows = sum(unit.rows for unit in left)
    workers = min(_workers(job, scoring.survey.rows), len(left))
    return Forecast(rows, round(trial.seconds(rows, workers), 3), trial.memory, workers)


def _workers(job: JobConfig, rows: int) -> int:
    """Tasks that run at the same time; of a scheduler elsewhere nobody knows before it is asked: one."""
    cluster = chosen_cluster(job, rows)
    if cluster.kind != "local":
        return 1
    stated = cluster.model_dump()["workers"]
    return int(stated) if stated != "auto" else os.cpu_count() or 1


def _amount(survey: Survey) -> Amount:
    return Amount(survey.source.uri, len(survey.files), len(survey.units), survey.rows, survey.size)


def _train_lines(train: TrainOutlook | None) -> list[str]:
    if train is None:
        return []
    what = "will run" if train.bundle is None else f"is done: {train.bundle}"
    return [f"train        {what}", f"             {train.input}"]


def _predict_lines(predict: PredictOutlook | None) -> list[str]:
    if predict is None:
        return []
    state = "is what comes out: nothing to do" if predict.published else "will be published"
    said = [f"predict      {predict.input}", f"             version {predict.version} of {predict.uri} {state}"]
    if predict.left is not None:
        rows = counted(predict.left_rows or 0, "row")
        said.append(f"             {counted(predict.left, 'unit')} ({rows}) to predict, {predict.done:,} done already")
    said += [f"why          {sentence}" for sentence in predict.why]
    return said + ([f"cost         {predict.forecast}"] if predict.forecast is not None else [])
