"""Checking a job without running it: the schema after each step, down to the columns of the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scoreline.cleaning import Cleaning
from scoreline.contract import type_name
from scoreline.plans.handed_over import handed_over
from scoreline.plans.prediction import output_fields, plan_prediction
from scoreline.plans.training import plan_training
from scoreline.results import CheckReport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from scoreline.config.models import JobConfig
    from scoreline.sources.base import Survey


def checked(job: JobConfig, modules: Sequence[Path]) -> CheckReport:
    """Settle all of a job that can be settled without reading rows; raises everything that is wrong with it.

    An artifact from elsewhere is loaded, and tried on a few rows.
    """
    if job.train is None and job.model is not None:
        bundle, survey = handed_over(job, job.model, modules)
        plan = plan_prediction(job, bundle, modules, survey)
        schemas = _steps(Cleaning(job.clean).surveyed().at("predict"), survey.contract.schema)
        return CheckReport(job.name, {"predict": _input(survey)}, schemas, _columns(plan.task.output_schema))
    return _training_checked(job, modules)


def _training_checked(job: JobConfig, modules: Sequence[Path]) -> CheckReport:
    if job.train is None:
        return CheckReport(job.name, {}, ())
    plan = plan_training(job, job.train, modules)
    inputs = {"train": _input(plan.survey)}
    schemas = _steps(Cleaning(job.clean).surveyed().at("train"), plan.survey.contract.schema)
    output: dict[str, str] = {}
    if job.predict is not None:
        survey, output = output_fields(job, plan)
        inputs["predict"] = _input(survey)
    return CheckReport(job.name, inputs, schemas, output)


def _input(survey: Survey) -> dict[str, Any]:
    return {
        "uri": survey.source.uri,
        "files": len(survey.files),
        "units": len(survey.units),
        "rows": survey.rows,
        "notes": list(survey.notes),
    }


def _steps(cleaning: Cleaning, schema: pa.Schema) -> list[tuple[str, dict[str, str]]]:
    names = ["input", *(step.kind for step in cleaning.steps)]
    return [(name, _columns(after)) for name, after in zip(names, cleaning.schemas(schema), strict=True)]


def _columns(schema: pa.Schema) -> dict[str, str]:
    return {field.name: type_name(field.type) for field in schema}
