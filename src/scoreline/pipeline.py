"""The whole job on one page: each command is one function, each stage one call."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from scoreline.bundle.files import as_json, load_bundle, newest_bundle
from scoreline.compiled.scorer import DIFFERENCE
from scoreline.config.checks import check_parameters
from scoreline.errors import DataError, ModelError, UsageError, counted
from scoreline.evaluation import failed_rules
from scoreline.own_modules import import_modules, read_modules
from scoreline.plans.checking import checked
from scoreline.plans.handed_over import handed_over, survey_handed_over
from scoreline.plans.overview import overview
from scoreline.plans.prediction import foresee, plan_prediction
from scoreline.plans.replaying import plan_replay, replayed
from scoreline.plans.training import not_trained, plan_training, survey_to_judge
from scoreline.population import Population
from scoreline.results import RunRecord
from scoreline.runs.progress import clock
from scoreline.stages.clean import clean
from scoreline.stages.evaluate import evaluate as judge
from scoreline.stages.evaluate import nothing_to_judge_on
from scoreline.stages.keep import keep
from scoreline.stages.predict import predict as score
from scoreline.stages.sample import divide, gather_sample
from scoreline.stages.train import search_parameters
from scoreline.stages.train import train as fit
from scoreline.stages.transform import transform
from scoreline.storage import create, exists, join, read_json
from scoreline.storage import replace as put
from scoreline.work import Context, Work, at_work, located

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoreline.bundle.artifact import ArtifactConfig
    from scoreline.bundle.bundle import Bundle
    from scoreline.config.models import JobConfig, TrainConfig
    from scoreline.plans.overview import Outlook
    from scoreline.plans.replaying import Replayed, UnitOfRun
    from scoreline.plans.training import TrainPlan
    from scoreline.results import CheckReport
    from scoreline.sources.base import Survey
    from scoreline.stages.predict import Published, Scoring
    from scoreline.stages.sample import Divided


@dataclass(frozen=True, eq=False)
class Trained:
    """A bundle that is ready, where it is, the report of its evaluation, and its rows when this run saw them."""

    bundle: Bundle
    uri: str
    report: Mapping[str, Any] | None = None
    divided: Divided | None = None


@located
def check(job: JobConfig, context: Context) -> CheckReport:
    """Check a config against its data, reading no rows of Parquet; raises everything that is wrong with them."""
    _import(job, context)
    return checked(job, context.modules)


@located
def run(job: JobConfig, context: Context) -> RunRecord:
    """All stages that the config has, in order; the same command again goes on, and trains nothing twice."""
    if job.train is None:
        return predict(job, context)
    plan = _plan(job, job.train, context)
    judged, survey = survey_to_judge(job, plan), foresee(job, plan)
    with at_work(job, context, plan.survey.rows + (0 if survey is None else survey.rows)) as work:
        trained = _evaluated(work, plan, _trained(work, plan, held_out_needed=judged is None), judged)
        _pass_gate(job, trained)
        if job.predict is None:
            return _record(work, trained)
        return _predicted(work, plan_prediction(job, trained.bundle, context.modules, survey), trained)


@located
def train(job: JobConfig, context: Context) -> RunRecord:
    """Clean, transform and train; a bundle that this config made already is used again."""
    plan = _plan(job, _train_section(job), context)
    with at_work(job, context, plan.survey.rows) as work:
        return _record(work, _trained(work, plan))


@located
def evaluate(job: JobConfig, context: Context) -> RunRecord:
    """Judge the newest bundle of this config.

    Raises UsageError when there is none, ModelError when the gate refuses it.
    """
    plan = _plan(job, _train_section(job), context)
    judged = survey_to_judge(job, plan)
    with at_work(job, context, plan.survey.rows) as work:
        trained = _evaluated(work, plan, _found(work, plan), judged)
        _pass_gate(job, trained)
        return _record(work, trained)


@located
def predict(job: JobConfig, context: Context) -> RunRecord:
    """Predict with the newest bundle of this config, or with the artifacts that it names.

    Raises ModelError when the gate refuses the bundle by its last evaluation; one that was never judged may predict.
    """
    if job.train is None:
        survey = _survey_handed_over(job, context)
        with at_work(job, context, survey.rows) as work:
            return _predicted(work, _handed_over(work, survey), None)
    learned = _plan(job, job.train, context)
    with at_work(job, context, learned.survey.rows) as work:
        trained = _found(work, learned)
        _stay_refused(job, trained)
        known = learned.survey if job.predict_source == job.source else None
        return _predicted(work, plan_prediction(job, trained.bundle, context.modules, known), trained)


@located
def plan(job: JobConfig, context: Context) -> Outlook:
    """What each stage would do and why, with rows, bytes, time and memory; runs nothing."""
    _import(job, context)
    return overview(job, context)


@located
def replay_quarantine(job: JobConfig, context: Context, model: str | None) -> RunRecord:
    """Predict again the units of the current version that have refused rows, and publish them with all others.

    `model` is where the bundle is that predicted them, for a job that trains. Raises UsageError when nothing is refused
    or nothing changed since, so that the same rows would be.
    """
    _import(job, context)
    with context.journal.stage("pull", f"looking at {job.predict_source.uri}"):
        scoring = plan_replay(job, model, context.modules)
    with at_work(job, context, scoring.survey.rows) as work:
        return _predicted(work, scoring, None if model is None else _loaded(model))


@located
def replay_unit(job: JobConfig, context: Context, unit: UnitOfRun) -> Replayed:
    """Predict one unit of a run again in this process, with the same code, and compare the bytes; publishes nothing."""
    _import(job, context)
    return replayed(job, context.modules, unit)


def _import(job: JobConfig, context: Context) -> None:
    import_modules(read_modules(context.modules))
    context.journal.record(modules=[str(path.absolute()) for path in context.modules])
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


def _survey_handed_over(job: JobConfig, context: Context) -> Survey:
    _import(job, context)
    with context.journal.stage("pull", f"looking at {job.predict_source.uri}"):
        return survey_handed_over(job, _model(job))


def _handed_over(work: Work, survey: Survey) -> Scoring:
    bundle, survey = handed_over(work.job, _model(work.job), work.context.modules, survey, work.session)
    plan = plan_prediction(work.job, bundle, work.context.modules, survey)
    _tell_notes(work.context, plan.survey)
    return plan


def _model(job: JobConfig) -> ArtifactConfig:
    if job.model is None:
        raise UsageError(not_trained(job))
    return job.model


def _trained(work: Work, plan: TrainPlan, *, held_out_needed: bool = False) -> Trained:
    """The bundle of this config: the one that exists, or a new one."""
    known = newest_bundle(work.context.folder.models, plan.key)
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


def _found(work: Work, plan: TrainPlan) -> Trained:
    known = newest_bundle(work.context.folder.models, plan.key)
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


def _predicted(work: Work, plan: Scoring, trained: Trained | None) -> RunRecord:
    """Predict and publish; the model's gate is behind us."""
    scoring = plan.spread(join(work.context.folder.data, "references"))
    model = None if trained is None else trained.uri
    work.context.journal.record(keys={"score": plan.key}, rows={"predict": plan.survey.rows}, model=model)
    rows, units, source = plan.survey.rows, plan.units, work.job.predict_source
    if work.job.train is not None and source != work.job.source:
        _tell_notes(work.context, plan.survey)
    create(work.context.folder.plan, as_json({"key": plan.key, "units": [asdict(unit) for unit in units]}))
    message = f"predicting {counted(rows, 'row')} of {source.uri} in {counted(len(units), 'unit')}"
    began = clock()
    with work.stage("predict", message, rows) as tell:
        published = score(work.session, scoring, tell)
    told = {**published.as_json(plan.task), "cost": _cost(work.context, plan.key, published, clock() - began)}
    version, before = published.commit.version, len(units) - published.cost.units
    known = f"; {before:,} of {counted(len(units), 'unit')} had been predicted before" if before else ""
    uri = plan.task.sink.uri
    work.context.journal.event("published", f"version {version} of {uri}{known}", version=version)
    return _record(work, trained, told)


def _cost(context: Context, key: str, published: Published, seconds: float) -> dict[str, Any]:
    """What predicting cost, beside what `plan` said it would, if it was asked."""
    known = context.folder.forecast(key)
    planned = read_json(known) if exists(known) else None
    took = {"seconds": round(seconds, 3), "unit_seconds": round(published.cost.seconds, 3)}
    tiers = {"tiers": dict(sorted(published.cost.tiers.items())), "reasons": sorted(published.cost.reasons)}
    cost = {**took, **tiers, "memory": published.cost.memory, "planned": planned}
    context.journal.record(cost=cost)
    for reason in tiers["reasons"]:
        if DIFFERENCE in reason:
            text = f"a process gave up a fast tier, and predicted the unit again without it: {reason}"
            context.journal.event("tier_given_up", text, reason=reason)
    return cost


def _record(work: Work, trained: Trained | None, predictions: Mapping[str, Any] | None = None) -> RunRecord:
    return RunRecord(
        name=work.job.name,
        run=work.context.folder.run_id,
        artifacts=work.context.folder.root,
        model=None if trained is None else {"uri": trained.uri},
        metrics=None if trained is None else trained.report,
        predictions=predictions,
    )
