"""What expressions can call: each operator and function with what it takes, what it gives and how it is computed.

Null in, null out, except for ``and`` and ``or`` (Kleene's logic), ``is_null``, ``coalesce`` and conditions, where null
counts as false.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from scoreline.cleaners import _arithmetic as arithmetic
from scoreline.cleaners._types import is_moment, is_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_INT, _FLOAT, _BOOL, _TEXT, _DATE = pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.date32()

FAMILIES: Mapping[str, Callable[[pa.DataType], bool]] = {
    "a number": lambda t: t in (_INT, _FLOAT),
    "text": is_text,
    "a condition": lambda t: t == _BOOL,
    "a date or time": is_moment,
    "a time": pa.types.is_timestamp,
    "anything": lambda _: True,
}
"""Families of types by the words of messages."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function.

    Attributes
    ----------
    takes : family of each argument
    gives : type of the result, or "common" for the common type of the arguments after a condition
    compute : the function on arrays and scalars; those of one family come with one type when `alike`
    alike : True when arguments must have a common type
    rest : True when the last argument may be repeated
    literal : True when the last argument must be a constant
    """

    takes: tuple[str, ...]
    gives: pa.DataType | str
    compute: Callable[..., Any]
    alike: bool = False
    rest: bool = False
    literal: bool = False

    def fits(self, types: Sequence[pa.DataType]) -> bool:
        """True when arguments of these types can be given; a None can stand for anything where types must be alike."""
        if len(types) < len(self.takes) or (len(types) > len(self.takes) and not self.rest):
            return False
        takes = self.takes + self.takes[-1:] * (len(types) - len(self.takes))
        return all(
            self.alike if pa.types.is_null(t) and family != "a condition" else FAMILIES[family](t)
            for family, t in zip(takes, types, strict=True)
        )


def common_type(types: Sequence[pa.DataType]) -> pa.DataType | None:
    """The type to which values of all types are brought; None when there is none.

    >>> common_type([pa.int64(), pa.null(), pa.float64()])
    DataType(double)
    """
    found = {t for t in types if not pa.types.is_null(t)}
    if len(found) == 1:
        return found.pop()
    if found == {_INT, _FLOAT}:
        return _FLOAT
    if found == {_DATE, pa.timestamp("us")}:
        return pa.timestamp("us")
    return None


def _comparison(compute: Callable[..., Any], *families: str) -> tuple[Signature, ...]:
    return tuple(Signature((family, family), _BOOL, compute, alike=True) for family in families)


def _of_number(compute: Callable[..., Any]) -> tuple[Signature, ...]:
    return (Signature(("a number",), _FLOAT, lambda a: arithmetic.finite(compute(arithmetic.as_float(a)))),)


def _of_text(compute: Callable[..., Any], gives: pa.DataType) -> tuple[Signature, ...]:
    return (Signature(("text",), gives, compute),)


def _of_text_and_pattern(compute: Callable[..., Any]) -> tuple[Signature, ...]:
    return (Signature(("text", "text"), _BOOL, lambda a, b: compute(a, pattern=b.as_py()), literal=True),)


def _of_moment(compute: Callable[..., Any], family: str = "a date or time") -> tuple[Signature, ...]:
    return (Signature((family,), _INT, lambda a: pc.cast(compute(a), _INT)),)


def _of_numbers(compute: Callable[..., Any], gives: pa.DataType | str = "common") -> tuple[Signature, ...]:
    return (Signature(("a number", "a number"), gives, compute, alike=gives == "common"),)


def _rounding(compute: Callable[..., Any]) -> tuple[Signature, ...]:
    return (Signature(("a number",), _INT, lambda a: a if a.type == _INT else arithmetic.whole(compute(a))),)


def _round(a: Any, digits: Any = None) -> Any:
    return pc.round(arithmetic.as_float(a), ndigits=digits.as_py() if digits else 0, round_mode="half_to_even")


def _choose(condition: Any, yes: Any, no: Any) -> Any:
    return pc.if_else(pc.fill_null(condition, fill_value=False), yes, no)


def _among(value: Any, *choices: Any) -> Any:
    found = pc.is_in(value, value_set=pa.array([choice.as_py() for choice in choices], value.type))
    return pc.if_else(pc.is_valid(value), found, pa.scalar(None, _BOOL))


_COMPARED = ("a number", "text", "a date or time")
_SAME = (*_COMPARED, "a condition")
_EXTREMES = ("a number", "a date or time")

FUNCTIONS: Mapping[str, tuple[Signature, ...]] = {
    "+": (
        *_of_numbers(arithmetic.add),
        Signature(("text", "text"), _TEXT, lambda a, b: pc.binary_join_element_wise(a, b, pa.scalar("", _TEXT))),
    ),
    "-": _of_numbers(arithmetic.subtract),
    "*": _of_numbers(arithmetic.multiply),
    "/": _of_numbers(arithmetic.divide, _FLOAT),
    "//": _of_numbers(arithmetic.floor_divide),
    "%": _of_numbers(arithmetic.modulo),
    "**": _of_numbers(arithmetic.power, _FLOAT),
    "negative": (Signature(("a number",), "common", arithmetic.negative),),
    "positive": (Signature(("a number",), "common", lambda a: a),),
    "==": _comparison(pc.equal, *_SAME),
    "!=": _comparison(pc.not_equal, *_SAME),
    "<": _comparison(pc.less, *_COMPARED),
    "<=": _comparison(pc.less_equal, *_COMPARED),
    ">": _comparison(pc.greater, *_COMPARED),
    ">=": _comparison(pc.greater_equal, *_COMPARED),
    "in": tuple(Signature((family, family), _BOOL, _among, alike=True, rest=True) for family in _SAME),
    "and": (Signature(("a condition", "a condition"), _BOOL, pc.and_kleene),),
    "or": (Signature(("a condition", "a condition"), _BOOL, pc.or_kleene),),
    "not": (Signature(("a condition",), _BOOL, pc.invert),),
    "if": tuple(Signature(("a condition", family, family), "common", _choose, alike=True) for family in _SAME),
    "log": _of_number(pc.ln),
    "log1p": _of_number(pc.log1p),
    "exp": _of_number(pc.exp),
    "sqrt": _of_number(pc.sqrt),
    "abs": (Signature(("a number",), "common", arithmetic.absolute),),
    "round": (
        *_rounding(_round),
        Signature(("a number", "a number"), _FLOAT, lambda a, b: arithmetic.finite(_round(a, b)), literal=True),
    ),
    "floor": _rounding(pc.floor),
    "ceil": _rounding(pc.ceil),
    "min": tuple(
        Signature((f, f), "common", lambda *a: pc.min_element_wise(*a, skip_nulls=False), alike=True, rest=True)
        for f in _EXTREMES
    ),
    "max": tuple(
        Signature((f, f), "common", lambda *a: pc.max_element_wise(*a, skip_nulls=False), alike=True, rest=True)
        for f in _EXTREMES
    ),
    "length": _of_text(lambda a: pc.cast(pc.utf8_length(a), _INT), _INT),
    "lower": _of_text(pc.utf8_lower, _TEXT),
    "upper": _of_text(pc.utf8_upper, _TEXT),
    "strip": _of_text(pc.utf8_trim_whitespace, _TEXT),
    "contains": _of_text_and_pattern(pc.match_substring),
    "startswith": _of_text_and_pattern(pc.starts_with),
    "endswith": _of_text_and_pattern(pc.ends_with),
    "year": _of_moment(pc.year),
    "quarter": _of_moment(pc.quarter),
    "month": _of_moment(pc.month),
    "day": _of_moment(pc.day),
    "weekday": _of_moment(pc.day_of_week),
    "hour": _of_moment(pc.hour, "a time"),
    "minute": _of_moment(pc.minute, "a time"),
    "date": (Signature(("a date or time",), _DATE, lambda a: pc.cast(a, _DATE)),),
    "days_between": (Signature(("a date or time",) * 2, _INT, pc.days_between, alike=True),),
    "is_null": (Signature(("anything",), _BOOL, pc.is_null),),
    "coalesce": tuple(Signature((f, f), "common", pc.coalesce, alike=True, rest=True) for f in _SAME),
}
"""Every operator and function by the name that the grammar gives it."""
