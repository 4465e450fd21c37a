"""Expressions over columns: read once, typed against a schema before any data, computed a part at a time."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from scoreline.cleaners._columns import absent, place
from scoreline.cleaners._constants import constant
from scoreline.cleaners._distinct import Distinct, distinct_of
from scoreline.cleaners._functions import FUNCTIONS, Signature, common_type
from scoreline.cleaners._grammar import Call, Column, Constant, ExpressionError, Node, columns_of, parse
from scoreline.cleaners._types import decoded, is_moment, is_text, plain
from scoreline.errors import Problem, StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class _Bound:
    """A piece of an expression whose type is known: a constant, a column, or a function of other pieces.

    `compute` makes its values from those of the arguments, or from the one column that it is.
    """

    type: pa.DataType
    columns: frozenset[str]
    compute: Callable[..., Any]
    arguments: tuple[_Bound, ...] = ()


@dataclass(frozen=True)
class Expression:
    """An expression, and where a config has it (for messages)."""

    text: str
    kind: str
    label: str

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that it reads."""
        return frozenset(column.name for column in columns_of(parse(self.text)))

    def type(self, schema: pa.Schema) -> pa.DataType:
        """The type of its values. Raises StepError with the place inside the expression."""
        return self._bound(schema).type

    def evaluate(self, part: pa.Table) -> pa.ChunkedArray:
        """One value a row. What reads a single dictionary column is computed on its distinct values."""
        bound = self._bound(part.schema)
        distinct = _distinct(bound, part)
        if distinct is not None and is_text(bound.type):
            return distinct.gather_encoded(_array(bound, _rows_of(distinct, bound)))
        return pa.chunked_array([_array(bound, part)], type=bound.type)

    def _bound(self, schema: pa.Schema) -> _Bound:
        where = f"{place(self.kind)}, {self.label}"
        missing = absent(self.kind, sorted(self.columns), schema.names)
        if missing:
            raise StepError(*(Problem(problem.what, where, problem.advice) for problem in missing))
        try:
            return _bind_all(parse(self.text), schema)
        except ExpressionError as error:
            spot = f"{where}, at character {error.at + 1} of: {self.text}"
            raise StepError(Problem(error.what, spot, error.advice)) from None


def _bind_all(node: Node, schema: pa.Schema) -> _Bound:
    bound = _bind(node, schema)
    if pa.types.is_null(bound.type):
        raise ExpressionError("the expression is always null", node.at)
    return bound


_WORDS = ("and", "or", "not", "in", "if", "negative", "positive")


def _bind(node: Node, schema: pa.Schema) -> _Bound:
    if isinstance(node, Constant):
        return _literal(pa.scalar(node.value))
    if isinstance(node, Column):
        return _column(node, schema)
    signatures = FUNCTIONS.get(node.function)
    if signatures is None:
        close = get_close_matches(node.function, FUNCTIONS, n=1)
        known = ", ".join(name for name in FUNCTIONS if name.isidentifier() and name not in _WORDS)
        guess = f"did you mean {close[0]}()? " if close else ""
        raise ExpressionError(f"there is no function {node.function}()", node.at, f"{guess}functions: {known}")
    arguments = _with_dates(node, [_bind(argument, schema) for argument in node.arguments])
    types = [argument.type for argument in arguments]
    fitting = [s for s in signatures if s.fits(types) and (not s.literal or isinstance(node.arguments[-1], Constant))]
    if not fitting:
        raise _misused(node, signatures, types)
    return _called(node, fitting[0], arguments)


def _literal(scalar: pa.Scalar) -> _Bound:
    return _Bound(scalar.type, frozenset(), lambda: scalar)


def _column(node: Column, schema: pa.Schema) -> _Bound:
    stored = plain(schema.field(node.name).type)
    read = _read_as(stored)
    if read is None:
        raise ExpressionError(f"column '{node.name}' is {stored}, which expressions cannot read", node.at)
    return _Bound(read, frozenset([node.name]), _as_read)


def _read_as(stored: pa.DataType) -> pa.DataType | None:
    if pa.types.is_integer(stored) and stored != pa.uint64():
        return pa.int64()
    if pa.types.is_integer(stored) or pa.types.is_floating(stored) or pa.types.is_decimal(stored):
        return pa.float64()
    if pa.types.is_timestamp(stored):
        return pa.timestamp("us", stored.tz)
    if pa.types.is_date(stored):
        return pa.date32()
    if pa.types.is_boolean(stored):
        return pa.bool_()
    return pa.string() if is_text(stored) else None


def _with_dates(node: Call, arguments: list[_Bound]) -> list[_Bound]:
    """Constants of text beside dates, as dates."""
    moments = [a.type for a in arguments if is_moment(a.type)]
    if not moments:
        return arguments
    return [
        _date(written, moments[0]) if isinstance(written, Constant) and isinstance(written.value, str) else argument
        for written, argument in zip(node.arguments, arguments, strict=True)
    ]


def _date(written: Constant, arrow_type: pa.DataType) -> _Bound:
    for wanted in (arrow_type, pa.timestamp("us")) if pa.types.is_date(arrow_type) else (arrow_type,):
        try:
            return _literal(constant(written.value, wanted))
        except ValueError:
            continue
    raise ExpressionError(f"'{written.value}' is no date", written.at, "write it like 2020-01-31")


def _called(node: Call, signature: Signature, arguments: Sequence[_Bound]) -> _Bound:
    first = 1 if node.function == "if" else 0
    compared = arguments[first:]
    common = common_type([argument.type for argument in compared])
    if signature.alike and common is None and any(not pa.types.is_null(a.type) for a in compared):
        raise ExpressionError("dates with and without a time zone do not go together", node.at)
    if signature.alike and common is not None:
        compared = [_brought(argument, common) for argument in compared]
    pieces = (*arguments[:first], *compared)
    gives = (common or pa.null()) if signature.gives == "common" else signature.gives
    return _Bound(gives, frozenset[str]().union(*(p.columns for p in pieces)), signature.compute, pieces)


def _brought(bound: _Bound, wanted: pa.DataType) -> _Bound:
    if bound.type == wanted:
        return bound
    return _Bound(wanted, bound.columns, lambda values: pc.cast(values, wanted, safe=False), (bound,))


def _misused(node: Call, signatures: Sequence[Signature], types: Sequence[pa.DataType]) -> ExpressionError:
    ways = " or ".join(
        " and ".join(s.takes) + (" written out" if s.literal else "") + (", or more" if s.rest else "")
        for s in signatures
    )
    given = ", ".join("None" if pa.types.is_null(t) else str(t) for t in types) or "nothing"
    name = (
        f"{node.function}()" if node.function.isidentifier() and node.function not in _WORDS else f"'{node.function}'"
    )
    return ExpressionError(f"{name} takes {ways}; here it is given {given}", node.at)


def _array(bound: _Bound, part: pa.Table) -> pa.Array:
    values = _values(bound, part)
    values = pa.repeat(values, part.num_rows) if isinstance(values, pa.Scalar) else values
    return values.cast(bound.type)


def _values(bound: _Bound, part: pa.Table) -> Any:
    distinct = _distinct(bound, part)
    if distinct is not None:
        return distinct.gather(_array(bound, _rows_of(distinct, bound))).combine_chunks()
    if bound.columns and not bound.arguments:
        (name,) = bound.columns
        return bound.compute(decoded(part[name]).combine_chunks())
    return bound.compute(*(_values(argument, part) for argument in bound.arguments))


def _distinct(bound: _Bound, part: pa.Table) -> Distinct | None:
    if len(bound.columns) != 1:
        return None
    (name,) = bound.columns
    return distinct_of(part[name], with_null=True)


def _rows_of(distinct: Distinct, bound: _Bound) -> pa.Table:
    return pa.table([distinct.values], names=list(bound.columns))


def _as_read(values: pa.Array) -> pa.Array:
    read = values.cast(_read_as(values.type), safe=False)
    if pa.types.is_floating(read.type):
        return pc.if_else(pc.is_nan(read), pa.scalar(None, read.type), read)
    return read
