"""One record in, one answer out: by the stored program where it covers the record, else as a table of one row."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from scoreline.compiled.baked.arrow import one_row
from scoreline.compiled.baked.program import Program
from scoreline.compiled.baked.slots import kind_of
from scoreline.compiled.scorer import Tier
from scoreline.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scoreline.bundle.bundle import Bundle, Scored
    from scoreline.compiled.answers import Answers

    Fast = Callable[[Mapping[str, Any], bool], Answers | None]
    """Answers for a record, with probabilities or without; None when scikit-learn must be asked."""


class Answer(NamedTuple):
    """What is predicted for a record.

    Attributes
    ----------
    prediction : a label, or a number; of several outputs a dict of them
    proba : the probability of each label, in the order of the bundle's labels; None when it was not asked for
    tier : how it was predicted: "A" compiled, "C" by scikit-learn
    """

    prediction: Any
    proba: tuple[float, ...] | None
    tier: str


def predict_one(bundle: Bundle, record: Mapping[str, Any], *, proba: bool) -> Answer:
    """The answer of a bundle for one raw record. Raises DataError as `Bundle.predict_record` does."""
    if type(record) is not dict and not _is_record(record):
        what = f"a {type(record).__name__} is no record"
        advice = "give a dict, or another mapping, with a value by column name; several rows are for `predict`"
        raise DataError(Problem(what, "record", advice))
    try:
        found = _fast(bundle)(record, proba)
    except KeyError:
        found = None
    if found is None:
        return _by_table(bundle, record, proba=proba)
    (prediction,) = found.predictions.tolist()
    return Answer(prediction, None if found.proba is None else tuple(found.proba[0].tolist()), Tier.COMPILED)


def _is_record(given: Any) -> bool:
    """Whether it holds a value by name, as mappings do, and rows of pandas and of databases."""
    return hasattr(given, "keys") and hasattr(given, "__getitem__") and getattr(given, "ndim", 1) == 1


@lru_cache(maxsize=16)
def _fast(bundle: Bundle) -> Fast:
    """The quickest way for a record, settled once for each bundle."""
    program = bundle.program
    if not isinstance(program, Program):
        return lambda _record, _proba: None
    if not bundle.cleaning.steps and all(map(_is_as_it_comes, bundle.inputs, _raw(bundle, bundle.inputs.names))):
        return lambda record, proba: program.answer(record, proba=proba)
    schema = bundle.contract.only(bundle.needs).schema

    def cleaned(record: Mapping[str, Any], proba: bool) -> Answers | None:  # noqa: FBT001  as `Fast` says
        row = one_row(record, schema)
        clean = None if row is None else bundle.cleaning.apply(row.select(bundle.needs)).table
        if clean is None or clean.num_rows != 1:
            return None
        return program.answer({name: clean[name][0].as_py() for name in bundle.inputs.names}, proba=proba)

    return cleaned


def _raw(bundle: Bundle, names: list[str]) -> list[pa.Field | None]:
    known = bundle.contract.schema.names
    return [bundle.contract.schema.field(name) if name in known else None for name in names]


def _is_as_it_comes(wanted: pa.Field, raw: pa.Field | None) -> bool:
    """Whether a value means the same in the raw column as in the clean one."""
    return raw is not None and (raw.type == wanted.type or kind_of(raw.type) == kind_of(wanted.type) == "text")


def _by_table(bundle: Bundle, record: Mapping[str, Any], *, proba: bool) -> Answer:
    missing = [name for name in bundle.needs if name not in record]
    if missing:
        what = f"the record has no value for {', '.join(missing)}"
        raise DataError(Problem(what, "record", "give every column that the bundle needs; None is null"))
    schema = bundle.contract.only(bundle.needs).schema
    try:
        row = pa.Table.from_pylist([{name: record[name] for name in schema.names}], schema=schema)
    except (pa.ArrowException, UnicodeEncodeError, OverflowError) as error:
        advice = "give values of the types in the bundle's contract.json"
        raise DataError(Problem(f"a value of another type than its column: {error}", "record", advice)) from error
    scored = bundle.predict(row, proba=proba)
    if not len(scored.positions):
        raise DataError(_unanswered(scored))
    given = None if scored.proba is None else tuple(scored.proba[0].tolist())
    return Answer(scored.predictions[0].as_py(), given, scored.tier)


def _unanswered(scored: Scored) -> Problem:
    if not scored.refusals:
        return Problem("cleaning drops this record on purpose", "record", "ask only for records that it keeps")
    first = scored.refusals[0]
    where = f"record, column '{first.column}'" if first.column else "record"
    return Problem(f"{first.reason}: {first.detail}", where, "mend the record")
