"""What predicting will do, settled before a row is predicted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scoreline.contract import PREDICTED, SOURCE_FILE, SOURCE_ROW, in_order, misfits, rules_of, type_name
from scoreline.dataset.layout import Layout
from scoreline.dataset.versions import check_target
from scoreline.errors import DataError, ModelError, Problem, UsageError
from scoreline.keys import digest, recipe
from scoreline.plans.increments import Whole, planned
from scoreline.plans.training import kept_surveys, without_locations
from scoreline.scoring import PredictTask, check_names, check_output
from scoreline.stages.pull import Asked, pull
from scoreline.storage import absolute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from scoreline.bundle.bundle import Bundle
    from scoreline.config.models import JobConfig, PredictConfig
    from scoreline.contract import Contract, Rule
    from scoreline.plans.training import TrainPlan
    from scoreline.sources.base import Survey
    from scoreline.stages.predict import Scoring


def plan_prediction(job: JobConfig, bundle: Bundle, modules: Sequence[Path], survey: Survey | None = None) -> Scoring:
    """Settle a scoring run. Raises DataError for columns that the input lacks and names that clash.

    `survey` is of the input where it is known already.
    """
    section = section_to_predict(job)
    return planned(section, plan_whole(job, bundle, modules, survey), section.mode)


def section_to_predict(job: JobConfig) -> PredictConfig:
    """What the config says about predicting. Raises UsageError when it says nothing."""
    if job.predict is None:
        raise UsageError(
            Problem("the config does not say what to predict", job.where(), 'add a section "predict" with a sink')
        )
    return job.predict


def plan_whole(job: JobConfig, bundle: Bundle, modules: Sequence[Path], survey: Survey | None = None) -> Whole:
    """Settle how any row of the input is scored; see `plan_prediction`."""
    predicting = section_to_predict(job)
    if predicting.proba and not bundle.gives_proba:
        what = "the model gives no probabilities, or does not name their classes (classes_)"
        advice = 'set "proba": false, or hand over a classifier with probabilities'
        raise ModelError(Problem(what, job.where("predict", "proba"), advice))
    if survey is None:
        survey = survey_to_predict(job, bundle.contract, bundle.needs, bundle.target)
    contract = _ruled(job, survey.contract, bundle.target)
    keep = tuple(contract.schema.names) if predicting.keep == "all" else predicting.keep
    _check_kept(job, keep, contract)
    options = predicting.model_dump(mode="json", include={"keep", "row_id", "proba", "on_bad_row"})
    decisive = {**_scoring(bundle, contract), "reading": survey.source.reading}
    made_by = recipe(decisive, options, bundle.cleaning.reference_hashes(), modules)
    task = PredictTask(
        source=survey.source,
        contract=contract,
        bundle=bundle,
        sink=predicting.sink,
        layout=Layout(absolute(predicting.sink.uri), ""),
        keep=in_order(keep, contract.schema) if predicting.keep == "all" else keep,
        row_id=predicting.row_id,
        proba=predicting.proba,
        batch_rows=predicting.batch_rows,
        recipe=digest(made_by),
        stop_at_refusal=predicting.on_bad_row == "fail",
    )
    check_output(task)
    return Whole(survey, task, made_by)


def survey_to_predict(job: JobConfig, known: Contract, needs: Sequence[str], target: str | None) -> Survey:
    """The survey of new data: columns that prediction does not need may be absent, the target first of all."""
    needed = {name: column for name, column in job.contract.columns.items() if name in needs}
    declared = job.contract.model_copy(update={"columns": needed, "key": None})
    asked = Asked(declared, replace(known, rules=_rules(known.rules, target), key=()), needs)
    return pull(job.predict_source, asked, kept_surveys(job))


def foresee(job: JobConfig, plan: TrainPlan) -> Survey | None:
    """The survey of the input to predict, made before training; None for a job that predicts nothing.

    What would stop predicting is raised now: columns that are missing, names that clash, a place that is taken.
    """
    if job.predict is None:
        return None
    check_target(Layout(absolute(job.predict.sink.uri), ""))
    return output_fields(job, plan)[0]


def output_fields(job: JobConfig, plan: TrainPlan) -> tuple[Survey, dict[str, str]]:
    """The input to predict and the output's columns with their types, as far as they are known before training.

    Raises DataError for names that clash.
    """
    survey, predicting = plan.survey, job.predict
    if job.predict_source != job.source:
        survey = survey_to_predict(job, plan.survey.contract, plan.needs, plan.target)
    keep = survey.contract.schema.names if predicting is None or predicting.keep == "all" else predicting.keep
    _check_kept(job, keep, survey.contract)
    columns = {name: type_name(survey.contract.schema.field(name).type) for name in keep}
    added = {PREDICTED: "float64" if plan.task == "regression" else "the labels' type"}
    if predicting is not None and predicting.row_id:
        added = {SOURCE_FILE: "string", SOURCE_ROW: "int64", **added}
    check_names([*columns, *added])
    return survey, columns | added


def _ruled(job: JobConfig, contract: Contract, target: str | None) -> Contract:
    """The contract with what the config asks of columns that prediction does not need, as far as they are there.

    Rules of a bundle count before those of the config. Raises DataError for rules that do not fit the types.
    """
    declared = {name: rule for name, rule in rules_of(job.contract).items() if name in contract.schema.names}
    ruled = replace(contract, rules=_rules(declared | dict(contract.rules), target))
    problems = tuple(misfits(ruled))
    if problems:
        raise DataError(*problems)
    return ruled


def _rules(rules: Mapping[str, Rule], target: str | None) -> dict[str, Rule]:
    return {name: rule for name, rule in rules.items() if name != target}


def _check_kept(job: JobConfig, keep: Sequence[str], contract: Contract) -> None:
    twice = [name for name, count in Counter(keep).items() if count > 1]
    if twice:
        where = job.where("predict", "keep")
        raise UsageError(*(Problem(f"predict.keep names '{name}' twice", where, "name it once") for name in twice))
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
        "model": bundle.identity,
        "transformer": None if bundle.transformer is None else bundle.transformer.sha256,
        "inputs": [[field.name, str(field.type), field.nullable] for field in bundle.inputs],
    }
