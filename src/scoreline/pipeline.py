"""The whole job on one page: each command is one function, each stage one call."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from scoreline.bundle.files import as_json, is_bundle, load_bundle
from scoreline.config.checks import check_parameters
from scoreline.dataset.commits import check_target
from scoreline.dataset.layout import Layout
from scoreline.errors import DataError, ModelError, ScorelineError, UsageError, counted
from scoreline.evaluation import failed_rules
from scoreline.own_modules import import_modules, read_modules
from scoreline.plans.checking import checked
from scoreline.plans.prediction import foresee, handed_over, plan_prediction
from scoreline.plans.training import not_trained, plan_training, survey_to_judge
from scoreline.population import Population
from scoreline.results import RunRecord
from scoreline.stages.clean import clean
from scoreline.stages.evaluate import evaluate as judge
from scoreline.stages.evaluate import nothing_to_judge_on
from scoreline.stages.keep import keep
from scoreline.stages.predict import predict as score
from scoreline.stages.sample import divide, gather_sample
from scoreline.stages.train import search_parameters
from scoreline.stages.train import train as fit
from scoreline.stages.transform import transform
from scoreline.storage import absolute, create, delete_tree, exists, join, list_names, probe_writable, read_json
from scoreline.storage import replace as put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from scoreline.bundle.bundle import Bundle
    from scoreline.clusters.base import Cluster, Session
    from scoreline.config.models import JobConfig, TrainConfig
    from scoreline.plans.prediction import PredictPlan
    from scoreline.plans.training import TrainPlan
    from scoreline.results import CheckReport
    from scoreline.runs import Journal, RunFolder
    from scoreline.sources.base import Survey
    from scoreline.stages.sample import Divided

Found = TypeVar("Found")

INLINE_ROWS = 1_000_000
"""Below about this many rows, starting worker processes costs more than it saves."""


@dataclass(frozen=True)
class Context:
    """What a command runs in: where it tells what it does, where its files go, and the user's own modules."""

    journal: Journal
    folder: RunFolder
    modules: tuple[Path, ...] = ()


@dataclass(frozen=True, eq=False)
class Trained:
    """A bundle that is ready, where it is, the report of its evaluation, and its rows when this run saw them."""

    bundle: Bundle
    uri: str
    report: Mapping[str, Any] | None = None
    divided: Divided | None = None


@dataclass(frozen=True, eq=False)
class Work:
    """A command at work: the job, what it runs in, and the open cluster."""

    job: JobConfig
    context: Context
    session: Session

    @contextmanager
    def stage(self, name: str, message: str, rows: int) -> Iterator[Callable[[int], None]]:
        """Tell that a stage begins and ends; gives what the stage calls with the rows of every unit that is done."""
        done = 0

        def advance(more: int) -> None:
            nonlocal done
            # A stage that goes over its rows again is shown from the beginning.
            done = more if more and done >= rows else done + more
            self.context.journal.progress(name, done, rows)

        with self.context.journal.stage(name, message):
            yield advance


def _located(command: Callable[[JobConfig, Context], Found]) -> Callable[[JobConfig, Context], Found]:
    """A command whose problems name places of the config by file and line."""

    @wraps(command)
    def located(job: JobConfig, context: Context) -> Found:
        try:
            return command(job, context)
        except ScorelineError as error:
            raise type(error)(*(job.located(problem) for problem in error.problems)) from error

    return located


@_located
def check(job: JobConfig, context: Context) -> CheckReport:
    """Check a config against its data, reading no rows of Parquet; raises everything that is wrong with them."""
    _import(job, context)
    return checked(job, context.modules)


@_located
def run(job: JobConfig, context: Context) -> RunRecord:
    """All stages that the config has, in order; the same command again goes on, and trains nothing twice."""
    if job.train is None:
        return predict(job, context)
    plan = _plan(job, job.train, context)
    judged, survey = survey_to_judge(job, plan), foresee(job, plan)
    with _work(job, context, plan.survey.rows + (0 if survey is None else survey.rows)) as work:
        trained = _evaluated(work, plan, _trained(work, plan, held_out_needed=judged is None), judged)
        _pass_gate(job, trained)
        if job.predict is None:
            return _record(work, trained)
        return _predicted(work, plan_prediction(job, trained.bundle, context.modules, survey), trained)


@_located
def train(job: JobConfig, context: Context) -> RunRecord:
    """Clean, transform and train; a bundle that this config made already is used again."""
    plan = _plan(job, _train_section(job), context)
    with _work(job, context, plan.survey.rows) as work:
        return _record(work, _trained(work, plan))


@_located
def evaluate(job: JobConfig, context: Context) -> RunRecord:
    """Judge the newest bundle of this config.

    Raises UsageError when there is none, ModelError when the gate refuses it.
    """
    plan = _plan(job, _train_section(job), context)
    judged = survey_to_judge(job, plan)
    with _work(job, context, plan.survey.rows) as work:
        trained = _evaluated(work, plan, _found(work, plan), judged)
        _pass_gate(job, trained)
        return _record(work, trained)


@_located
def predict(job: JobConfig, context: Context) -> RunRecord:
    """Predict with the newest bundle of this config, or with the artifacts that it names.

    Raises ModelError when the gate refuses the bundle by its last evaluation; one that was never judged may predict.
    """
    if job.train is None:
        plan = _handed_over(job, context)
        with _work(job, context, plan.survey.rows) as work:
            return _predicted(work, plan, None)
    learned = _plan(job, job.train, context)
    with _work(job, context, learned.survey.rows) as work:
        trained = _found(work, learned)
        _stay_refused(job, trained)
        survey = learned.survey if job.predict_source == job.source else None
        return _predicted(work, plan_prediction(job, trained.bundle, context.modules, survey), trained)


def _import(job: JobConfig, context: Context) -> None:
    import_modules(read_modules(context.modules))
    problems = check_parameters(job)
    if problems:
        raise UsageError(*problems)


def _plan(job: JobConfig, section: TrainConfig, context: Context) -> TrainPlan:
    _import(job, context)
    with context.journal.stage("pull", f"looking at {job.source.uri}"):
        plan = plan_training(job, section, context.modules)
    context.journal.record(keys={"train": plan.key}, rows={"train": plan.survey.rows})
    _tell_notes(context, plan.survey)
    return plan


def _tell_notes(context: Context, survey: Survey) -> None:
    for note in survey.notes:
        context.journal.event("note", note)


def _train_section(job: JobConfig) -> TrainConfig:
    if job.train is None:
        raise UsageError(not_trained(job))
    return job.train


def _handed_over(job: JobConfig, context: Context) -> PredictPlan:
    _import(job, context)
    with context.journal.stage("pull", f"looking at {job.predict_source.uri}"):
        if job.model is None:
            raise UsageError(not_trained(job))
        bundle, survey = handed_over(job, job.model, context.modules)
        plan = plan_prediction(job, bundle, context.modules, survey)
    _tell_notes(context, plan.survey)
    return plan


@contextmanager
def _work(job: JobConfig, context: Context, rows: int) -> Iterator[Work]:
    """Check that the places to write to can be written, then open the cluster.

    At the end, however it comes, worker logs are kept, and scratch data that nobody asked to keep are gone.
    """
    probe_writable(context.folder.root)
    if job.predict is not None:
        layout = Layout(absolute(job.predict.sink.uri), "")
        check_target(layout)
        probe_writable(layout.store)
    create(context.folder.config, as_json(job.as_json()))
    cluster = _cluster(job, rows)
    context.journal.event("cluster", f"cluster {cluster.kind}", cluster=cluster.model_dump(mode="json"))
    with cluster.open(context.modules) as session:
        try:
            yield Work(job, context, session)
        finally:
            for name, text in session.worker_logs().items():
                create(context.folder.worker_log(name), text.encode())
            _forget_scratch(job, context.folder)


def _forget_scratch(job: JobConfig, folder: RunFolder) -> None:
    asked = () if job.train is None else job.train.keep
    if not asked:
        delete_tree(folder.data)
    for name in ("sample", "cleaned", "evaluation", "references"):
        if name not in asked:
            delete_tree(join(folder.data, name))


def _cluster(job: JobConfig, rows: int) -> Cluster:
    from scoreline.clusters.inline import Inline
    from scoreline.clusters.local import Local

    return job.cluster or (Inline() if rows < INLINE_ROWS else Local())


def _trained(work: Work, plan: TrainPlan, *, held_out_needed: bool = False) -> Trained:
    """The bundle of this config: the one that exists, or a new one."""
    known = _newest(work.context.folder.models, plan.key)
    if known is not None:
        work.context.journal.event("bundle_found", f"trained before: {known}", bundle=known)
        if not plan.section.keep:
            return _loaded(known)
    divided = _divided(work, plan)
    if held_out_needed and divided.held_out == 0:
        raise DataError(nothing_to_judge_on())
    sample_uri = join(work.context.folder.data, "sample", "sample.parquet")
    gather_sample(work.session, divided, tuple(plan.inputs.names), sample_uri)
    trained = replace(_loaded(known or _made(work, plan, divided, sample_uri)), divided=divided)
    keep(work.session, plan.keep_task(trained.bundle, work.context.folder.data), divided.population)
    return trained


def _divided(work: Work, plan: TrainPlan) -> Divided:
    """Clean the training input and settle which rows are held out."""
    scratch = join(work.context.folder.data, "cleaned")
    with work.stage("clean", f"cleaning {counted(plan.survey.rows, 'row')}", plan.survey.rows) as tell:
        units = clean(work.session, plan.clean_task(scratch), plan.survey.units, tell)
        divided = divide(work.session, units, plan.division)
    for sentence in divided.notes():
        work.context.journal.event("divided", sentence)
    return divided


def _made(work: Work, plan: TrainPlan, divided: Divided, sample_uri: str) -> str:
    """Fit the transformers on the training rows of all units and the model on the sampled ones; where the bundle is."""
    section, rows = plan.section, sum(unit.rows for unit in divided.population.units)
    with work.stage("transform", f"fitting transformers on {counted(divided.training.rows, 'row')}", rows) as tell:
        fitted = transform(work.session, divided.population, plan.begun, plan.inputs, tell)
    with work.context.journal.stage("train", f"training {section.model.kind}"):
        recipe = plan.recipe(fitted, sample_uri, divided.population)
        searched = None if section.search is None else search_parameters(work.session, recipe, section.search)
        if searched is not None:
            work.context.journal.event("searched", str(searched), params=searched.best)
        task = plan.bundle_task(work.job, recipe, work.context.folder.models, work.context.modules)
        made = fit(work.session, task, searched)
    work.context.journal.event(
        "trained", f"fitted on {counted(made.rows, 'row')}", bundle=made.uri, params=dict(made.params)
    )
    return made.uri


def _newest(models: str, key: str) -> str | None:
    """The bundle of a train_key that was completed last."""
    found = [join(models, name) for name in list_names(models) if name.startswith(key[:12])]
    complete = [uri for uri in found if is_bundle(uri)]
    return max(complete, key=lambda uri: read_json(join(uri, "provenance.json"))["created"], default=None)


def _found(work: Work, plan: TrainPlan) -> Trained:
    known = _newest(work.context.folder.models, plan.key)
    if known is None:
        raise UsageError(not_trained(work.job))
    return _loaded(known)


def _loaded(uri: str) -> Trained:
    return Trained(load_bundle(uri), uri)


def _evaluated(work: Work, plan: TrainPlan, trained: Trained, other: Survey | None) -> Trained:
    """The model with its report: the one that was made for the same question, or a new one."""
    known = join(trained.uri, "metrics.json")
    key = plan.evaluation_key(work.job, other)
    report = read_json(known) if exists(known) else {}
    if report.get("key") != key:
        report = {"key": key, **_judged(work, plan, trained, other)}
        put(known, as_json(report))
    put(work.context.folder.metrics, as_json(report))
    return replace(trained, report=report)


def _judged(work: Work, plan: TrainPlan, trained: Trained, other: Survey | None) -> dict[str, Any]:
    divided = trained.divided or _divided(work, plan)
    population = divided.population
    if other is not None:
        _tell_notes(work.context, other)
        with work.stage(
            "clean", f"cleaning {counted(other.rows, 'row')} of {other.source.uri} to evaluate on", other.rows
        ) as tell:
            task = plan.clean_task(join(work.context.folder.data, "evaluation"), other)
            population = Population(clean(work.session, task, other.units, tell), divided.population.target, None)
    rows = sum(unit.rows for unit in population.units)
    judged = counted(divided.held_out if other is None else rows, "row")
    with work.stage("evaluate", f"judging on {judged} that the model never saw", rows) as tell:
        task_of_evaluation = plan.evaluate_task(work.job, trained.bundle, divided.training, held_out=other is None)
        return judge(work.session, task_of_evaluation, population, tell)


def _pass_gate(job: JobConfig, trained: Trained) -> None:
    failed = failed_rules(trained.report or {}, job.evaluate.gate)
    if failed:
        raise ModelError(*failed)


def _stay_refused(job: JobConfig, trained: Trained) -> None:
    """Judge the gate by what the bundle's last evaluation found."""
    known = join(trained.uri, "metrics.json")
    report = read_json(known) if exists(known) else {"metrics": {}}
    failed = failed_rules(report, [rule for rule in job.evaluate.gate if rule.metric in report["metrics"]])
    if failed:
        raise ModelError(*failed)


def _predicted(work: Work, plan: PredictPlan, trained: Trained | None) -> RunRecord:
    """Predict and publish; the model's gate is behind us."""
    task = plan.task.spread(join(work.context.folder.data, "references"))
    work.context.journal.record(keys={"score": plan.key}, rows={"predict": plan.survey.rows})
    rows, units, source = plan.survey.rows, plan.survey.units, work.job.predict_source
    if work.job.train is not None and source != work.job.source:
        _tell_notes(work.context, plan.survey)
    create(work.context.folder.plan, as_json({"key": plan.key, "units": [asdict(unit) for unit in units]}))
    message = f"predicting {counted(rows, 'row')} of {source.uri} in {counted(len(units), 'unit')}"
    with work.stage("predict", message, rows) as tell:
        published = score(work.session, task, units, plan.budget, tell)
    version, before = published.commit.version, len(units) - published.computed
    known = f"; {before:,} of {counted(len(units), 'unit')} had been predicted before" if before else ""
    work.context.journal.event("published", f"version {version} of {task.sink.uri}{known}", version=version)
    return _record(work, trained, published.as_json(plan.task))


def _record(work: Work, trained: Trained | None, predictions: Mapping[str, Any] | None = None) -> RunRecord:
    return RunRecord(
        name=work.job.name,
        run=work.context.folder.run_id,
        artifacts=work.context.folder.root,
        model=None if trained is None else {"uri": trained.uri},
        metrics=None if trained is None else trained.report,
        predictions=predictions,
    )
