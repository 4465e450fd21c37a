"""What predicting will do, settled before a row is predicted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.bundle.as_pandas import as_read
from scoreline.bundle.bisection import predict_or_refuse
from scoreline.bundle.bundle import Bundle, answer_type_of
from scoreline.bundle.files import is_bundle, load_bundle
from scoreline.bundle.fitted import load_fitted
from scoreline.cleaning import Cleaning, admitted
from scoreline.contract import SOURCE_FILE, SOURCE_ROW, misfits, rules_of, type_name
from scoreline.dataset.layout import Layout
from scoreline.dataset.versions import check_target
from scoreline.errors import DataError, ModelError, Problem, UsageError, nearest
from scoreline.keys import digest, recipe
from scoreline.plans.increments import Whole, planned
from scoreline.plans.training import in_order, kept_surveys, without_locations
from scoreline.scoring import PredictTask, check_names, check_output
from scoreline.stages.pull import Asked, pull
from scoreline.storage import absolute, sha256_of
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from scoreline.bundle.artifact import ArtifactConfig
    from scoreline.config.models import JobConfig, PredictConfig
    from scoreline.contract import Contract, Rule
    from scoreline.plans.training import TrainPlan
    from scoreline.sources.base import Survey
    from scoreline.stages.predict import Scoring
    from scoreline.units import Unit

PROBES, PROBE_ROWS, PROBE_BATCH = 10, 20, 1_000
"""How often an artifact from elsewhere is tried before anything runs, on how many rows of how many that are read."""


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
    if predicting.proba and not (bundle.labels and hasattr(bundle.fitted.model, "predict_proba")):
        advice = 'set "proba": false, or hand over a classifier with probabilities'
        raise ModelError(Problem("the model gives no probabilities", job.where("predict", "proba"), advice))
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
    added = {"prediction": "float64" if plan.task == "regression" else "the labels' type"}
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


def survey_handed_over(job: JobConfig, model: ArtifactConfig) -> Survey:
    """The survey of the input for artifacts that were fitted elsewhere, of which none is loaded; eager."""
    if is_bundle(model.uri):
        bundle = _bundle_from_elsewhere(job, model)
        return survey_to_predict(job, bundle.contract, bundle.needs, bundle.target)
    return pull(job.predict_source, Asked(job.contract), kept_surveys(job))


def handed_over(
    job: JobConfig, model: ArtifactConfig, modules: Sequence[Path], survey: Survey | None = None
) -> tuple[Bundle, Survey]:
    """A bundle around artifacts that were fitted elsewhere, and the survey of the input it was checked against.

    `survey` is that of `survey_handed_over` where it is known already. Raises ModelError when the artifacts may not be
    loaded, want columns that are not there after cleaning, or cannot predict the first rows.
    """
    survey = survey or survey_handed_over(job, model)
    if is_bundle(model.uri):
        return _bundle_from_elsewhere(job, model), survey
    bundle = _around(job, model, modules, survey)
    return answering(bundle, survey), replace(survey, notes=(*survey.notes, *_doubts(bundle.inputs, survey)))


def _around(job: JobConfig, model: ArtifactConfig, modules: Sequence[Path], survey: Survey) -> Bundle:
    """A bundle around artifacts, with the config's contract and cleaning; what it answers with is not known yet."""
    names = tuple(path.stem for path in modules)
    model, transformer = pinned(model), None if job.transformer is None else pinned(job.transformer)
    fitted = load_fitted(model, transformer, names)
    contract = _without_refused_nulls(survey.contract)
    everything = Cleaning(job.clean).surveyed().at("predict")
    cleaned = everything.output_schema(contract.schema)
    missing = [name for name in fitted.names if name not in cleaned.names]
    if missing:
        raise ModelError(*(_no_feature(name, model.uri, cleaned.names) for name in missing))
    cleaning, needs = everything.feeding(fitted.names, contract.schema)
    return Bundle(
        contract=contract,
        needs=in_order(needs, contract.schema),
        cleaning=cleaning,
        inputs=pa.schema([as_read(cleaned.field(name), survey.stored.get(name)) for name in fitted.names]),
        model=model,
        transformer=transformer,
        answer_type=pa.null(),
        labels=fitted.labels,
        modules=names,
        target=job.target,
        from_pandas=True,
    )


def _doubts(inputs: pa.Schema, survey: Survey) -> Iterator[str]:
    """A sentence on columns that pandas reads in another type when they have no nulls, where nobody knows."""
    whole = [field for field in inputs if pa.types.is_integer(field.type) or pa.types.is_boolean(field.type)]
    names = ", ".join(f"'{field.name}'" for field in whole if field.nullable)
    if names and not survey.stored:
        advice = 'if they do not, say "nullable": false in the contract'
        yield f"columns that may hold null are given as pandas gives them then: {names}; {advice}"


def _without_refused_nulls(contract: Contract) -> Contract:
    """The contract with no nulls in columns where the config has them refused, whatever the files hold."""
    strict = {name for name, rule in contract.rules.items() if not rule.nullable}
    fields = [field.with_nullable(field.nullable and field.name not in strict) for field in contract.schema]
    return replace(contract, schema=pa.schema(fields))


def _bundle_from_elsewhere(job: JobConfig, model: ArtifactConfig) -> Bundle:
    """A bundle's folder named as the model: it brings its own contract and cleaning."""
    if job.clean:
        raise UsageError(
            Problem(
                "the model is a bundle, which brings its own cleaning, and the config has cleaning steps beside it",
                job.where("clean"),
                'remove "clean" from the config',
            )
        )
    return load_bundle(absolute(model.uri), given=model)


def pinned(artifact: ArtifactConfig) -> ArtifactConfig:
    """The artifact as every worker finds it: at an absolute location and, for skops, with the hash of what is there.

    Formats that run code get no hash here: without one in the config they are refused when loaded.
    """
    known = artifact.sha256 is not None or not artifact.uri.lower().endswith(".skops")
    sha256 = artifact.sha256 if known else sha256_of(artifact.uri)
    return artifact.model_copy(update={"uri": absolute(artifact.uri), "sha256": sha256})


def _no_feature(name: str, uri: str, present: Sequence[str]) -> Problem:
    close = nearest(name, present)
    hint = (
        f"the nearest column is '{close[0]}': rename it in clean"
        if close
        else f"the columns are: {', '.join(present[:30])}"
    )
    return Problem(f"the artifact wants the column '{name}', which is not there after cleaning", uri, hint)


def answering(bundle: Bundle, survey: Survey) -> Bundle:
    """The bundle with the type of its answers, found by predicting a few rows of the input.

    Raises ModelError when the artifact fails on all rows that are tried, or does not answer with one value a row.
    """
    said = ""
    for table in islice(_some_rows(bundle, survey), PROBES):
        # As when scoring; and each of a thousand trees would wait for threads that have nothing to do.
        with limited(1):
            outcome = predict_or_refuse(bundle.fitted, bundle.frame(table), proba=False)
        if len(outcome.positions):
            return replace(bundle, answer_type=answer_type_of(np.asarray(outcome.predictions)))
        said = outcome.refusals[0].detail
    if said:
        what = f"the artifact fails on every row it was tried on: {said}"
        advice = "check that it was fitted on columns of these names and types (see scoreline check CONFIG)"
        raise ModelError(Problem(what, bundle.model.uri, "; ".join([advice, *_doubts(bundle.inputs, survey)])))
    what = "no row of the input is good enough to be predicted"
    raise DataError(Problem(what, survey.source.uri, "check the contract and the data"))


def _some_rows(bundle: Bundle, survey: Survey) -> Iterator[pa.Table]:
    """A few cleaned rows at a time, from where units begin."""
    for unit in survey.units:
        yield from islice(_cleaned_rows(bundle, survey, unit), max(1, PROBES // len(survey.units)))


def _cleaned_rows(bundle: Bundle, survey: Survey, unit: Unit) -> Iterator[pa.Table]:
    contract = bundle.contract.only(bundle.needs)
    for raw in survey.source.read(unit, contract, bundle.needs, PROBE_BATCH):
        clean = bundle.cleaning.extend(admitted(raw, contract))
        if clean.table.num_rows:
            # Bad rows often stand together.
            spread = np.linspace(0, clean.table.num_rows - 1, PROBE_ROWS).astype(np.int64)
            yield clean.table.take(pa.array(np.unique(spread)))
