"""Plans: everything about a job that can be settled before a row is read, with all its problems at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle
from scoreline.bundle.fitted import load_fitted
from scoreline.cleaning import Cleaning
from scoreline.contract import ContractConfig, Rule
from scoreline.dataset.layout import Layout
from scoreline.errors import ModelError, Problem, StepError, UsageError
from scoreline.keys import digest, score_key, train_key
from scoreline.sampling import GroupSplit, TimeSplit
from scoreline.stages.predict import PredictTask, check_output
from scoreline.stages.pull import pull
from scoreline.storage import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from scoreline.config.models import JobConfig, TrainConfig
    from scoreline.contract import Contract
    from scoreline.models.base import Task
    from scoreline.sources.base import Survey

LEARNING = ("contract", "clean", "features", "target", "train")
"""Sections of a config that decide what is learned."""


@dataclass(frozen=True, eq=False)
class TrainPlan:
    """What training will do.

    Attributes
    ----------
    survey : the input
    cleaning : the steps for training, and of the input what they read
    keep : columns that later passes need, after cleaning
    inputs : feature columns after cleaning
    prediction, needs : the steps that prediction needs, and of the input what they read
    """

    survey: Survey
    task: Task
    cleaning: Cleaning
    read: tuple[str, ...]
    keep: tuple[str, ...]
    inputs: pa.Schema
    prediction: Cleaning
    needs: tuple[str, ...]
    key: str


def plan_training(job: JobConfig, train: TrainConfig, modules: Sequence[Path]) -> TrainPlan:
    """Settle a training. Raises UsageError or DataError with everything that cannot be."""
    survey = pull(job.source, job.contract)
    survey = replace(survey, contract=with_nulls(survey.contract, job.contract))
    schema = survey.contract.schema
    everything = Cleaning(job.clean).surveyed()
    cleaned = everything.at("train").output_schema(schema)
    _check_columns(job, train, cleaned)
    task = task_of(job, train, cleaned)
    names = tuple(dict.fromkeys(name for feature in job.features for name in feature.columns))
    keep = tuple(dict.fromkeys([*names, *wanted_columns(job, train)]))
    cleaning, read = everything.at("train").feeding(keep, schema)
    prediction, needs = everything.at("predict").feeding(names, schema)
    return TrainPlan(
        survey=survey,
        task=task,
        cleaning=cleaning,
        read=in_order({*read, *survey.contract.key}, schema),
        keep=keep,
        inputs=pa.schema([cleaned.field(name) for name in names]),
        prediction=prediction,
        needs=in_order(needs, schema),
        key=train_key(survey.files, _learning(job), everything.reference_hashes(), modules),
    )


def with_nulls(contract: Contract, declared: ContractConfig) -> Contract:
    """The contract with every column allowing nulls unless the config says otherwise: other data may have them."""
    strict = {name for name, column in declared.columns.items() if not column.nullable}
    fields = [field.with_nullable(field.name not in strict) for field in contract.schema]
    return replace(contract, schema=pa.schema(fields))


def in_order(names: Iterable[str], schema: pa.Schema) -> tuple[str, ...]:
    """Some columns in the order of a schema."""
    wanted = frozenset(names)
    return tuple(name for name in schema.names if name in wanted)


def wanted_columns(job: JobConfig, train: TrainConfig) -> tuple[str, ...]:
    """Columns after cleaning that training and evaluation need besides features."""
    wanted = [job.target or "", *job.evaluate.slices]
    if isinstance(train.split, GroupSplit | TimeSplit):
        wanted.append(train.split.column)
    return tuple(dict.fromkeys(wanted))


def _learning(job: JobConfig) -> dict[str, Any]:
    sections = job.as_json()
    learning = {name: sections[name] for name in LEARNING}
    learning["train"] = {key: value for key, value in learning["train"].items() if key != "keep"}
    learning["clean"] = [without_locations(step) for step in learning["clean"]]
    return learning


def without_locations(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step as far as it is part of an identity: where its reference lies is not, what is in it is (by hash)."""
    return {key: value for key, value in step.items() if key != "with"}


def _check_columns(job: JobConfig, train: TrainConfig, cleaned: pa.Schema) -> None:
    problems = []
    for feature in job.features:
        try:
            feature.check(cleaned)
        except StepError as error:
            problems.extend(error.problems)
    for name in wanted_columns(job, train):
        if name not in cleaned.names:
            problems.append(no_column(name, job.where("target") if name == job.target else job.where(), cleaned.names))
    if problems:
        raise UsageError(*problems)


def no_column(name: str, where: str, present: Sequence[str]) -> Problem:
    """The problem of a column that is not there after cleaning."""
    close = get_close_matches(name, present, 1)
    advice = f"did you mean '{close[0]}'?" if close else f"the columns are: {', '.join(present[:30])}"
    return Problem(f"there is no column '{name}' after cleaning", where, advice)


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


@dataclass(frozen=True, eq=False)
class PredictPlan:
    """What predicting will do: the input's units, and what every task needs."""

    survey: Survey
    task: PredictTask
    key: str


def plan_prediction(job: JobConfig, bundle: Bundle, modules: Sequence[Path], survey: Survey | None = None) -> PredictPlan:
    """Settle a scoring run. Raises DataError for columns that the input lacks and names that clash.

    `survey` is of the input where it is known already.
    """
    if job.predict is None:
        raise UsageError(
            Problem("the config does not say what to predict", job.where(), 'add a section "predict" with a sink')
        )
    predicting = job.predict
    if survey is None:
        survey = pull(job.predict_source, _without_target(job, bundle), _rules_for_prediction(bundle), bundle.needs)
    contract = replace(survey.contract, rules=_rules(survey.contract.rules, bundle.target))
    keep = tuple(contract.schema.names) if predicting.keep == "all" else predicting.keep
    _check_kept(job, keep, contract)
    options = predicting.model_dump(mode="json", include={"keep", "row_id", "proba", "on_bad_row"})
    key = score_key(survey.files, _scoring(bundle, contract), options, bundle.cleaning.reference_hashes(), modules)
    task = PredictTask(
        source=survey.source,
        contract=contract,
        bundle=bundle,
        sink=predicting.sink,
        layout=Layout(predicting.sink.uri, key),
        keep=in_order(keep, contract.schema) if predicting.keep == "all" else keep,
        row_id=predicting.row_id,
        proba=predicting.proba,
        batch_rows=predicting.batch_rows,
        stop_at_refusal=predicting.on_bad_row == "fail",
    )
    check_output(task)
    return PredictPlan(survey, task, key)


def _without_target(job: JobConfig, bundle: Bundle) -> ContractConfig:
    """What the config declares of columns that prediction needs: the others may be absent from new data."""
    needed = {name: column for name, column in job.contract.columns.items() if name in bundle.needs}
    return job.contract.model_copy(update={"columns": needed, "key": None})


def _rules_for_prediction(bundle: Bundle) -> Contract:
    return replace(bundle.contract, rules=_rules(bundle.contract.rules, bundle.target))


def _rules(rules: Mapping[str, Rule], target: str | None) -> dict[str, Rule]:
    return {name: rule for name, rule in rules.items() if name != target}


def _check_kept(job: JobConfig, keep: Sequence[str], contract: Contract) -> None:
    missing = [name for name in keep if name not in contract.schema.names]
    if missing:
        present = contract.schema.names
        raise UsageError(
            *(
                Problem(
                    f"predict.keep names '{name}', which the input does not have",
                    job.where("predict", "keep"),
                    f"the input's columns are: {', '.join(present[:30])}",
                )
                for name in missing
            )
        )


def _scoring(bundle: Bundle, contract: Contract) -> dict[str, Any]:
    """What of a bundle decides predictions, wherever it lies."""
    return {
        "contract": contract.as_json(),
        "cleaning": [without_locations(step) for step in bundle.cleaning.as_json()],
        "model": bundle.model.sha256,
        "transformer": None if bundle.transformer is None else bundle.transformer.sha256,
        "inputs": [[field.name, str(field.type), field.nullable] for field in bundle.inputs],
    }


def handed_over(job: JobConfig, model: ArtifactConfig, modules: Sequence[Path]) -> tuple[Bundle, Survey]:
    """A bundle around artifacts that were fitted elsewhere, and the survey of the input it was checked against.

    Raises ModelError when the artifacts may not be loaded or want columns that are not there after cleaning.
    """
    names = tuple(path.stem for path in modules)
    model, transformer = pinned(model), None if job.transformer is None else pinned(job.transformer)
    fitted = load_fitted(model, transformer, names)
    survey = pull(job.predict_source, job.contract)
    everything = Cleaning(job.clean).surveyed().at("predict")
    cleaned = everything.output_schema(survey.contract.schema)
    missing = [name for name in fitted.names if name not in cleaned.names]
    if missing:
        raise ModelError(*(_no_feature(name, model.uri, cleaned.names) for name in missing))
    cleaning, needs = everything.feeding(fitted.names, survey.contract.schema)
    bundle = Bundle(
        contract=survey.contract,
        needs=in_order(needs, survey.contract.schema),
        cleaning=cleaning,
        inputs=pa.schema([cleaned.field(name) for name in fitted.names]),
        model=model,
        transformer=transformer,
        answer_type=pa.null(),
        labels=fitted.labels,
        modules=names,
        target=job.target,
    )
    return bundle, survey


def pinned(artifact: ArtifactConfig) -> ArtifactConfig:
    """A skops file with the hash of what is there now, so that every worker loads the same bytes.

    Formats that run code stay as they are: without a hash in the config they are refused when loaded.
    """
    if artifact.sha256 is not None or not artifact.uri.endswith(".skops"):
        return artifact
    return artifact.model_copy(update={"sha256": sha256_of(artifact.uri)})


def _no_feature(name: str, uri: str, present: Sequence[str]) -> Problem:
    close = get_close_matches(name, present, 1)
    hint = f"the nearest column is '{close[0]}': rename it in clean" if close else f"the columns are: {', '.join(present[:30])}"
    return Problem(f"the artifact wants the column '{name}', which is not there after cleaning", uri, hint)


def evaluation_key(job: JobConfig, survey: Survey) -> str:
    """The identity of an evaluation of one bundle."""
    return digest([job.as_json()["evaluate"], [[file.path, file.size, file.stamp] for file in survey.files]])
