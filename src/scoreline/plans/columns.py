"""What a job asks of its columns after cleaning; every problem is told with its place in the config."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from scoreline.contract import SOURCE_FILE, SOURCE_ROW, type_name
from scoreline.errors import Problem, StepError, nearest
from scoreline.features import faults
from scoreline.frame import family
from scoreline.sampling import GroupSplit, TimeSplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.cleaning import Cleaning
    from scoreline.config.models import JobConfig, TrainConfig


def cleaned_schema(
    job: JobConfig, everything: Cleaning, moment: Literal["train", "predict"], schema: pa.Schema
) -> pa.Schema:
    """The columns after the steps of a moment; `everything` are all steps of the config.

    Raises StepError of the first step that cannot work on what reaches it.
    """
    for number, step in enumerate(everything.steps):
        if step.on in ("both", moment):
            try:
                schema = step.output_schema(schema)
            except StepError as error:
                raise StepError(*(_placed(job, "clean", number, problem) for problem in error.problems)) from error
    return schema


def column_problems(job: JobConfig, train: TrainConfig, cleaned: pa.Schema) -> list[Problem]:
    """Everything that is wrong with the columns that training and evaluation need."""
    found = [_placed(job, "features", number, problem) for number, problem in faults(job.features, cleaned)]
    found += _target_problems(job, train, cleaned)
    found += _identity_problems(job, train)
    split = train.split
    if isinstance(split, TimeSplit):
        found += _problems(split.column, "days", cleaned, job.where("train", "split", "column"))
    if isinstance(split, GroupSplit):
        found += _problems(split.column, "values", cleaned, job.where("train", "split", "column"))
    for number, name in enumerate(job.evaluate.slices):
        found += _problems(name, "values", cleaned, job.where("evaluate", "slices", number))
    return found


def key_problems(job: JobConfig, schema: pa.Schema) -> list[Problem]:
    """What is wrong with the columns of the contract's key, before cleaning."""
    found: list[Problem] = []
    for name in job.contract.key_columns:
        found += _problems(name, "values", schema, job.where("contract", "key"))
    return found


def no_column(name: str, where: str, present: Sequence[str]) -> Problem:
    """The problem of a column that is not there after cleaning."""
    close = nearest(name, present)
    advice = f"did you mean '{close[0]}'?" if close else f"the columns are: {', '.join(present[:30])}"
    return Problem(f"there is no column '{name}' after cleaning", where, advice)


def _placed(job: JobConfig, section: str, number: int, problem: Problem) -> Problem:
    return replace(problem, where=f"{job.where(section, number)}, {problem.where.removeprefix(f'{section}, ')}")


def _target_problems(job: JobConfig, train: TrainConfig, cleaned: pa.Schema) -> Iterator[Problem]:
    target = job.target or ""
    if target not in cleaned.names:
        yield no_column(target, job.where("target"), cleaned.names)
        return
    found = cleaned.field(target).type
    if family(found) == "other" and not pa.types.is_null(found):
        advice = "derive a number or a text from it while cleaning, and name that as the target"
        yield Problem(
            f"the target '{target}' is {type_name(found)}, which no model learns", job.where("target"), advice
        )
    elif family(found) == "text" and (train.task or train.model.tasks()[0]) == "regression":
        advice = "turn it into numbers while cleaning (parse_numbers, cast), or learn labels with a classifier"
        yield Problem(f"the target '{target}' is text, and a regression learns numbers", job.where("target"), advice)


def _identity_problems(job: JobConfig, train: TrainConfig) -> Iterator[Problem]:
    """Columns that training keeps, and that are called as row identity is beside them."""
    kept = {name for feature in job.features for name in feature.columns}
    kept.update((job.target or "", *job.evaluate.slices, getattr(train.split, "column", "")))
    for name in (SOURCE_FILE, SOURCE_ROW):
        if name in kept:
            advice = "give the column another name while cleaning (rename)"
            yield Problem(f"row identity has the name '{name}' too", f"column '{name}'", advice)


def _problems(name: str, asked: Literal["days", "values"], cleaned: pa.Schema, where: str) -> Iterator[Problem]:
    """What is wrong with a column of which days, or values that can be compared, are asked."""
    if name not in cleaned.names:
        yield no_column(name, where, cleaned.names)
        return
    found = cleaned.field(name).type
    of_time = pa.types.is_date(found) or pa.types.is_timestamp(found)
    if asked == "days" and not of_time:
        what = f"column '{name}' is {type_name(found)}, and a split by time needs dates"
        yield Problem(what, where, "turn it into dates while cleaning (parse_dates), or name another column")
    elif not of_time and family(found) == "other" and not pa.types.is_null(found):
        what = f"column '{name}' is {type_name(found)}, whose values cannot be told apart"
        yield Problem(what, where, "name a column of text, numbers or dates")
