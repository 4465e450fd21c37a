"""Pull: find the input, settle its contract and cut it into units, before a row is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scoreline.errors import DataError, Problem, nearest
from scoreline.surveys import surveyed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.contract import Contract, ContractConfig
    from scoreline.sources.base import Source, Survey


@dataclass(frozen=True)
class Asked:
    """What is asked of a source: by the config, by a bundle's contract, and columns that must be there."""

    declared: ContractConfig
    known: Contract | None = None
    needed: Sequence[str] = ()


def pull(source: Source, asked: Asked, surveys: str) -> Survey:
    """Survey a source; eager, reads names and footers but no rows of Parquet.

    `surveys` is a folder where surveys that took long are kept. Raises DataError with everything that is wrong with the
    input, and for `needed` columns that it does not have.
    """
    try:
        survey = surveyed(source, asked.declared, asked.known, surveys)
    except DataError as error:
        raise DataError(*(_named(problem, source.uri) for problem in error.problems)) from error
    present = survey.contract.schema.names
    missing = [name for name in asked.needed if name not in present]
    if missing:
        raise DataError(*(_missing(name, source.uri, present) for name in missing))
    return survey


def _named(problem: Problem, uri: str) -> Problem:
    """The problem with the source named where it names files as they are called inside the source."""
    if problem.where.startswith(("/", "s3://", "$")) or uri in problem.where:
        return problem
    return replace(problem, where=f"{problem.where} in {uri}")


def _missing(name: str, uri: str, present: Sequence[str]) -> Problem:
    close = nearest(name, present)
    advice = f"the nearest is '{close[0]}'" if close else f"the columns are: {', '.join(present[:20])}"
    return Problem(f"the input has no column '{name}', which is needed", uri, advice)
