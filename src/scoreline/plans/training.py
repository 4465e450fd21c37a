"""What training will do, settled before a row is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from scoreline.catalogue import load_kind
from scoreline.cleaning import Cleaning
from scoreline.contract import in_order
from scoreline.errors import Problem, UsageError
from scoreline.features import start
from scoreline.keys import digest, library_versions, snapshot, train_key
from scoreline.plans.columns import cleaned_schema, column_problems, key_problems
from scoreline.recipe import Recipe
from scoreline.sampling import GroupSplit, TimeSplit
from scoreline.search import tried_models
from scoreline.stages.clean import CleanTask
from scoreline.stages.evaluate import EvaluateTask
from scoreline.stages.keep import KeepTask
from scoreline.stages.pull import Asked, pull
from scoreline.stages.sample import Division
from scoreline.stages.train import BundleTask, Origin
from scoreline.storage import absolute, join

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from scoreline.bundle.bundle import Bundle
    from scoreline.config.models import JobConfig, TrainConfig
    from scoreline.contract import Contract, ContractConfig
    from scoreline.features import FeatureFit
    from scoreline.metrics.base import Metric
    from scoreline.models.base import Model
    from scoreline.population import Population
    from scoreline.sources.base import Source, Survey
    from scoreline.target_counts import Counts
    from scoreline.task import Task

USUAL_METRICS: Mapping[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "f1_macro", "balanced_accuracy"),
    "regression": ("mae", "rmse", "r2"),
}

LEARNING = ("contract", "clean", "features", "target", "train")
"""Sections of a config that decide what is learned."""


@dataclass(frozen=True, eq=False)
class TrainPlan:
    """What training will do.

    Attributes
    ----------
    survey : the input
    section : the config's ``train``
    cleaning, read : the steps for training, and the columns of the input that they and the key need
    keep : columns that later passes need, after cleaning
    begun : the transformers before any data are seen
    inputs : the columns that features are made of, after cleaning
    prediction, needs : the steps that prediction needs, and the columns of the input that they read
    key : the train_key
    """

    survey: Survey
    section: TrainConfig
    task: Task
    target: str
    cleaning: Cleaning
    read: tuple[str, ...]
    keep: tuple[str, ...]
    begun: FeatureFit
    inputs: pa.Schema
    prediction: Cleaning
    needs: tuple[str, ...]
    key: str

    def clean_task(self, folder: str, survey: Survey | None = None) -> CleanTask:
        """How units are cleaned: of the training input, or of other data to evaluate on."""
        of = survey or self.survey
        split = self.section.split
        group = split.column if isinstance(split, GroupSplit) else None
        cleaning = self.cleaning.spread(join(folder, "_references"))
        read = in_order({*self.read, *of.contract.rules}, of.contract.schema)
        return CleanTask(of.source, of.contract, cleaning, read, self.keep, self.section.seed, folder, group)

    def keep_task(self, bundle: Bundle, folder: str) -> KeepTask:
        """Which intermediate data are kept, as the config asks."""
        asked = self.section.keep
        return KeepTask(
            bundle=bundle,
            columns=self.keep,
            transformed=join(folder, "transformed") if "transformed" in asked else None,
            held_out=join(folder, "held_out") if "held_out" in asked else None,
        )

    @property
    def division(self) -> Division:
        """How rows are held out and sampled."""
        section = self.section
        return Division(self.target, self.task, section.split, section.sample, section.seed)

    def recipe(self, fit: FeatureFit, sample_uri: str, population: Population) -> Recipe:
        """How the model is fitted, once the transformers are."""
        section = self.section
        return Recipe(
            model=section.model,
            task=self.task,
            fit=fit,
            inputs=self.inputs,
            target=self.target,
            seed=section.seed,
            threads=section.threads,
            sample_uri=sample_uri,
            population=population if section.fit == "incremental" else None,
        )

    def bundle_task(self, job: JobConfig, recipe: Recipe, models: str, modules: Sequence[Path]) -> BundleTask:
        """How the bundle is made."""
        names = tuple(path.stem for path in modules)
        unit = next(unit for unit in self.survey.units if unit.rows)
        origin = Origin(self.survey.source, self.survey.contract, self.needs, self.prediction, unit, names)
        return BundleTask(recipe, origin, models, self.key, self._provenance(job))

    def _provenance(self, job: JobConfig) -> dict[str, Any]:
        return {
            "name": job.name,
            "created": datetime.now(UTC).isoformat(timespec="microseconds"),
            "source": {"uri": self.survey.source.uri, "files": snapshot(self.survey.files), "rows": self.survey.rows},
            "versions": library_versions(),
            "config": _learning(job, self.survey.source),
        }

    def evaluation_key(self, job: JobConfig, other: Survey | None) -> str:
        """The identity of an evaluation of a bundle of this plan, on held-out rows or on other data."""
        files = [survey.files for survey in (self.survey, other) if survey is not None]
        return digest([job.as_json()["evaluate"], *map(snapshot, files)])

    def evaluate_task(self, job: JobConfig, bundle: Bundle, training: Counts, *, held_out: bool) -> EvaluateTask:
        """How the bundle is judged: on rows held out, or on all rows of other data."""
        return EvaluateTask(
            bundle=bundle,
            target=self.target,
            metrics=metrics_of(job, self.task),
            slices=job.evaluate.slices,
            replicates=job.evaluate.replicates,
            seed=self.section.seed,
            which="held_out" if held_out else "all",
            baseline=baseline_of(training, self.task),
        )


def metrics_of(job: JobConfig, task: Task) -> tuple[Metric, ...]:
    """The config's metrics, or the usual ones of the task."""
    if job.evaluate.metrics is not None:
        return job.evaluate.metrics
    names = USUAL_METRICS[task]
    return tuple(load_kind("metrics", name)() for name in names)  # type: ignore[misc]


def baseline_of(training: Counts, task: Task) -> str | float:
    """What a model that ignores its input answers: the commonest training label (as text), or the training mean."""
    if task == "classification":
        return min(training.classes, key=lambda label: (-training.classes[label], label))
    return training.total / training.rows


def plan_training(job: JobConfig, section: TrainConfig, modules: Sequence[Path]) -> TrainPlan:
    """Settle a training. Raises UsageError or DataError with everything that cannot be."""
    survey = pull(job.source, Asked(job.contract), kept_surveys(job))
    survey = replace(survey, contract=with_nulls(survey.contract, job.contract))
    schema = survey.contract.schema
    everything = Cleaning(job.clean).surveyed()
    cleaned = cleaned_schema(job, everything, "train", schema)
    _refuse([*key_problems(job, schema), *column_problems(job, section, cleaned)])
    task = task_of(job, section, cleaned)
    _refuse(_option_problems(job, section, task))
    begun = start(job.features, cleaned)
    names = begun.input_columns
    keep = tuple(dict.fromkeys([*names, *wanted_columns(job, section)]))
    cleaning, read = everything.at("train").feeding(keep, schema)
    prediction, needs = everything.at("predict").feeding(names, schema)
    return TrainPlan(
        survey=survey,
        section=section,
        task=task,
        target=job.target or "",
        cleaning=cleaning,
        read=in_order({*read, *survey.contract.key}, schema),
        keep=keep,
        begun=begun,
        inputs=pa.schema([cleaned.field(name) for name in names]),
        prediction=prediction,
        needs=in_order(needs, schema),
        key=train_key(survey.files, _learning(job, survey.source), everything.reference_hashes(), modules),
    )


def with_nulls(contract: Contract, declared: ContractConfig) -> Contract:
    """The contract with every column allowing nulls unless the config says otherwise: other data may have them."""
    strict = {name for name, column in declared.columns.items() if not column.nullable}
    fields = [field.with_nullable(field.name not in strict) for field in contract.schema]
    return replace(contract, schema=pa.schema(fields))


def wanted_columns(job: JobConfig, train: TrainConfig) -> tuple[str, ...]:
    """Columns after cleaning that training and evaluation need besides features."""
    wanted = [job.target or "", *job.evaluate.slices]
    if isinstance(train.split, GroupSplit | TimeSplit):
        wanted.append(train.split.column)
    return tuple(dict.fromkeys(wanted))


def _learning(job: JobConfig, source: Source) -> dict[str, Any]:
    """What decides what is learned: the config's sections, and how the input is read, wherever it lies."""
    sections = job.as_json()
    learning = {name: sections[name] for name in LEARNING}
    learning["train"] = {key: value for key, value in learning["train"].items() if key != "keep"}
    learning["clean"] = [without_locations(step) for step in learning["clean"]]
    learning["reading"] = source.reading
    if job.train is not None:
        learning["packages"] = package_versions(job.train.model)
    return learning


def package_versions(model: Model) -> dict[str, str]:
    """Versions of the packages, besides scikit-learn, that the model's estimators come from."""
    packages = {path.partition(".")[0] for path in model.estimators.values()} - {"sklearn", "scoreline"}
    return {package: import_module(package).__version__ for package in sorted(packages)}


def without_locations(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step as far as it is part of an identity: where its reference lies is not, what is in it is (by hash)."""
    return {key: value for key, value in step.items() if key != "with"}


def kept_surveys(job: JobConfig) -> str:
    """The folder where surveys that took long are kept."""
    return join(absolute(job.artifacts), "surveys")


def survey_to_judge(job: JobConfig, plan: TrainPlan) -> Survey | None:
    """The survey of the data that the config wants to evaluate on; None for the held-out rows.

    Raises DataError for columns that it lacks.
    """
    if job.evaluate.source is None:
        return None
    needed = {name: column for name, column in job.contract.columns.items() if name in plan.read}
    declared = job.contract.model_copy(update={"columns": needed})
    asked = Asked(declared, plan.survey.contract, plan.read)
    return pull(job.evaluate.source, asked, kept_surveys(job))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise UsageError(*problems)


def _option_problems(job: JobConfig, train: TrainConfig, task: Task) -> list[Problem]:
    """What the config asks of a model that this task, or this model, does not give."""
    measured = [metric.kind for metric in metrics_of(job, task)]
    problems = [
        Problem(
            f"the gate asks for {rule.metric}, which is not evaluated",
            job.where("evaluate", "gate", number, "metric"),
            f'add "{rule.metric}" to evaluate.metrics; evaluated are {", ".join(measured)}',
        )
        for number, rule in enumerate(job.evaluate.gate)
        if rule.metric not in measured
    ]
    if task == "regression" and train.sample.strategy == "stratified":
        what = "a regression has no classes to take a stratified sample of"
        problems.append(Problem(what, job.where("train", "sample", "strategy"), 'write "strategy": "random"'))
    if not any(model.gives_probabilities(task) for model in tried_models(train.model, train.search)):
        problems += _probability_problems(job, train, task)
    return problems


def _probability_problems(job: JobConfig, train: TrainConfig, task: Task) -> Iterator[Problem]:
    what = "a regression has no probabilities"
    if task == "classification":
        what = f'the model "{train.model.kind}" gives no probabilities'
    if job.predict is not None and job.predict.proba:
        advice = 'set "proba": false, or choose a classifier with probabilities, such as "logistic_regression"'
        yield Problem(what, job.where("predict", "proba"), advice)
    for number, metric in enumerate(job.evaluate.metrics or ()):
        if metric.needs_proba:
            advice = f'leave "{metric.kind}" out, or choose a model with probabilities, such as "logistic_regression"'
            yield Problem(what, job.where("evaluate", "metrics", number), advice)


def task_of(job: JobConfig, train: TrainConfig, cleaned: pa.Schema) -> Task:
    """What to learn: as the config says, as the model can, or as the target's type tells."""
    possible = train.model.tasks()
    if train.task is not None or len(possible) == 1:
        return train.task or possible[0]
    arrow_type = cleaned.field(job.target or "").type
    plain = arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type
    if pa.types.is_floating(plain) or pa.types.is_decimal(plain):
        return "regression"
    if pa.types.is_integer(plain):
        raise UsageError(
            Problem(
                f"the target '{job.target}' is a whole number: nobody can tell labels from amounts",
                job.where("train"),
                'say "task": "classification" or "task": "regression" in train',
            )
        )
    return "classification"


def not_trained(job: JobConfig) -> Problem:
    """The problem of a command that needs a bundle which is not there."""
    if job.train is None:
        return Problem(
            "the config has no section 'train'", job.where(), "add one, or use `scoreline predict` with a 'model'"
        )
    return Problem(
        "this config, on this data, has not been trained yet", job.where("train"), "run `scoreline train` with it first"
    )
