"""Artifacts from elsewhere, tried: what columns they want, whether they can predict the input, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from scoreline.bundle.as_pandas import as_read
from scoreline.bundle.bisection import predict_or_refuse
from scoreline.bundle.bundle import Bundle, answer_type_of
from scoreline.bundle.fitted import load_fitted
from scoreline.cleaning import admitted
from scoreline.contract import in_order
from scoreline.errors import DataError, ModelError, Problem, nearest
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.bundle.artifact import ArtifactConfig
    from scoreline.bundle.fitted import Fitted
    from scoreline.cleaning import Cleaning
    from scoreline.contract import Contract
    from scoreline.sources.base import Survey
    from scoreline.units import Unit

PROBES, PROBE_ROWS, PROBE_BATCH = 10, 20, 1_000
"""How often an artifact from elsewhere is tried before anything runs, on how many rows of how many that are read."""


@dataclass(frozen=True, eq=False)
class Given:
    """What is handed over, and the input that it is tried on; small, so that a worker can try it.

    Attributes
    ----------
    model, transformer : where the artifacts lie; `transformer` is None for a whole pipeline
    modules : names of own modules that they refer to
    cleaning : all steps of the config
    target : the column that is predicted, when known
    survey : of the input
    """

    model: ArtifactConfig
    transformer: ArtifactConfig | None
    modules: tuple[str, ...]
    cleaning: Cleaning
    target: str | None
    survey: Survey

    @property
    def name(self) -> str:
        """What a worker has in hand, should it die of it."""
        return self.model.uri


def tried(given: Given) -> Bundle:
    """The bundle around artifacts, which have predicted some rows of the input; eager.

    Raises ModelError when the artifacts may not be loaded, want columns that are not there after cleaning, or cannot
    predict the rows that are tried.
    """
    return answering(_around(given), given.survey)


def _around(given: Given) -> Bundle:
    """A bundle around artifacts, with the config's contract and cleaning; what it answers with is not known yet."""
    fitted = load_fitted(given.model, given.transformer, given.modules)
    contract = _without_refused_nulls(given.survey.contract)
    cleaned = given.cleaning.output_schema(contract.schema)
    dropped = fitted.dropped
    names = [name for name in fitted.names if name in cleaned.names or name not in dropped]
    missing = [name for name in names if name not in cleaned.names]
    if missing:
        raise ModelError(*(_no_feature(name, given.model.uri, cleaned.names) for name in missing))
    cleaning, needs = given.cleaning.feeding(names, contract.schema)
    origins, stored = given.cleaning.origins(names, contract.schema), given.survey.stored
    return Bundle(
        contract=contract,
        needs=in_order(needs, contract.schema),
        cleaning=cleaning,
        inputs=pa.schema([_as_given(fitted, cleaned.field(name), stored.get(origins[name] or "")) for name in names]),
        model=given.model,
        transformer=given.transformer,
        answer_type=pa.null(),
        labels=fitted.labels,
        modules=given.modules,
        target=given.target,
        from_pandas=True,
        has_proba=fitted.gives_proba,
    )


def _as_given(fitted: Fitted, field: pa.Field, stored: pa.DataType | None) -> pa.Field:
    """A column as what was fitted takes it: arrays are of numbers, whatever dtype pandas has for a column."""
    if not fitted.named and isinstance(stored, pa.OpaqueType) and not pa.types.is_boolean(stored.storage_type):
        return as_read(field, stored.storage_type)
    return as_read(field, stored)


def _without_refused_nulls(contract: Contract) -> Contract:
    """The contract with no nulls in columns where the config has them refused, whatever the files hold."""
    strict = {name for name, rule in contract.rules.items() if not rule.nullable}
    fields = [field.with_nullable(field.nullable and field.name not in strict) for field in contract.schema]
    return replace(contract, schema=pa.schema(fields))


def _no_feature(name: str, uri: str, present: Sequence[str]) -> Problem:
    close = nearest(name, present)
    hint = (
        f"the nearest column is '{close[0]}': rename it in clean"
        if close
        else f"the columns are: {', '.join(present[:30])}"
    )
    return Problem(f"the artifact wants the column '{name}', which is not there after cleaning", uri, hint)


def doubtful_types(inputs: pa.Schema, survey: Survey) -> Iterator[str]:
    """A sentence on columns that pandas reads in another type when they have no nulls, where nobody knows."""
    whole = [field for field in inputs if pa.types.is_integer(field.type) or pa.types.is_boolean(field.type)]
    names = ", ".join(f"'{field.name}'" for field in whole if field.nullable)
    if names and not survey.stored:
        advice = 'if they do not, say "nullable": false in the contract'
        yield f"columns that may hold null are given as pandas gives them then: {names}; {advice}"


def answering(bundle: Bundle, survey: Survey) -> Bundle:
    """The bundle with the type of its answers, found by predicting a few rows of the input.

    Raises ModelError when the artifact fails on all rows that are tried, or does not answer row by row.
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
        raise ModelError(Problem(what, bundle.model.uri, "; ".join([advice, *doubtful_types(bundle.inputs, survey)])))
    what = "no row of the input is good enough to be predicted"
    raise DataError(Problem(what, survey.source.uri, "check the contract and the data"))


def _some_rows(bundle: Bundle, survey: Survey) -> Iterator[pa.Table]:
    """A few cleaned rows at a time, from where units begin, then from further and further inside of them."""
    for unit in survey.units:
        yield from islice(_apart(_cleaned_rows(bundle, survey, unit)), max(1, PROBES // len(survey.units)))


def _apart(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The first of them, the second, the third, the fifth, and so on, each twice as far on; at the end the last."""
    wanted, left = 0, None
    for number, table in enumerate(tables):
        left = table
        if number == wanted:
            wanted, left = max(1, 2 * number), None
            yield table
    if left is not None:
        yield left


def _cleaned_rows(bundle: Bundle, survey: Survey, unit: Unit) -> Iterator[pa.Table]:
    contract = bundle.contract.only(bundle.needs)
    for raw in survey.source.read(unit, contract, bundle.needs, PROBE_BATCH):
        clean = bundle.cleaning.extend(admitted(raw, contract))
        if clean.table.num_rows:
            # Bad rows often stand together.
            spread = np.linspace(0, clean.table.num_rows - 1, PROBE_ROWS).astype(np.int64)
            yield clean.table.take(pa.array(np.unique(spread)))
