"""Typed values from text: many at a time, and which of them the text does not spell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from scoreline.sources._casts import cast_where_possible

if TYPE_CHECKING:
    import numpy as np

NULL_WORDS = ("-", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "#N/A")

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_FRACTION = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_DAY = r"\d{4}-\d{2}-\d{2}"
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2}|[+-]\d{2})"


@dataclass(frozen=True)
class Spelling:
    """How text spells numbers and nulls.

    Attributes
    ----------
    decimal, thousands : the marks; thousands marks must stand between groups of three digits
    null_words : text that means null, white space around it apart; empty text always does. None stands for no text in
        text columns, and `NULL_WORDS` in all others
    """

    decimal: str = "."
    thousands: str | None = None
    null_words: tuple[str, ...] | None = None


@dataclass(frozen=True, eq=False)
class Typed:
    """Values of a wanted type; null where the text spells none. `bad` marks text that spells nothing of the type."""

    values: pa.Array
    bad: np.ndarray | None = None


def can_spell(wanted: pa.DataType) -> bool:
    """Whether text can be read as a type."""
    kinds = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal128, pa.types.is_boolean)
    return any(kind(wanted) for kind in (*kinds, pa.types.is_date32, pa.types.is_timestamp))


def read_values(text: pa.Array, wanted: pa.DataType, spelling: Spelling) -> Typed:
    """Read text as values of a type; eager. Text may be a dictionary array, then each distinct text is read once.

    White space around a value does not count, except in text. Text stays text, and a dictionary of it a dictionary.

    >>> typed = read_values(pa.array(["1.234,5", " - ", "x"]), pa.float64(), Spelling(",", "."))
    >>> typed.values.to_pylist(), typed.bad.tolist()
    ([1234.5, None, None], [False, False, True])
    """
    if not pa.types.is_dictionary(text.type):
        return _read(text, wanted, spelling)
    distinct = _read(text.dictionary, wanted, spelling)
    if pa.types.is_string(wanted):
        return Typed(_with_distinct(text, distinct.values))
    bad = None
    if distinct.bad is not None:
        bad = pc.fill_null(pa.array(distinct.bad).take(text.indices), fill_value=False).to_numpy(zero_copy_only=False)
    return Typed(distinct.values.take(text.indices), bad if bad is not None and bad.any() else None)


def _with_distinct(text: pa.DictionaryArray, distinct: pa.Array) -> pa.DictionaryArray:
    """The same text with other distinct values, of which some may be null."""
    if not distinct.null_count:
        return text
    return distinct.take(text.indices).dictionary_encode()


def _read(text: pa.Array, wanted: pa.DataType, spelling: Spelling) -> Typed:
    if pa.types.is_string(wanted):
        return Typed(_without_words(text, spelling.null_words or ()) if spelling.null_words else text)
    bare = pc.utf8_trim_whitespace(text)
    words = NULL_WORDS if spelling.null_words is None else spelling.null_words
    spelled = _plain(_without_words(bare, ("", *words)), wanted, spelling)
    values = cast_where_possible(spelled.values, wanted)
    if pa.types.is_floating(wanted):
        values = _without_overflow(values, spelled.values)
    lost = pc.and_(spelled.values.is_valid(), values.is_null()).to_numpy(zero_copy_only=False)
    bad = lost if spelled.bad is None else spelled.bad | lost
    return Typed(values, bad if bad.any() else None)


def _without_words(text: pa.Array, words: tuple[str, ...]) -> pa.Array:
    bare = [word.strip() for word in words]
    missing = pc.is_in(pc.utf8_trim_whitespace(text), value_set=pa.array(bare, text.type))
    return pc.if_else(missing, pa.scalar(None, text.type), text)


def _plain(text: pa.Array, wanted: pa.DataType, spelling: Spelling) -> Typed:
    """Text as Arrow's casts read it, null where it does not have the shape of a value."""
    if pa.types.is_boolean(wanted):
        text = pc.utf8_lower(text)
    shaped = pc.match_substring_regex(text, pattern=shape_of(wanted, spelling))
    bad = pc.fill_null(pc.invert(shaped), fill_value=False).to_numpy(zero_copy_only=False)
    if bad.any():
        text = pc.if_else(shaped, text, pa.scalar(None, text.type))
    if _is_number(wanted):
        text = _plain_numbers(text, wanted, spelling)
    if pa.types.is_boolean(wanted):
        text = pc.if_else(pc.is_in(text, value_set=pa.array(_TRUE)), "true", pc.if_else(text.is_valid(), "false", text))
    return Typed(text, bad if bad.any() else None)


def _is_number(wanted: pa.DataType) -> bool:
    return any(kind(wanted) for kind in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal))


def _plain_numbers(text: pa.Array, wanted: pa.DataType, spelling: Spelling) -> pa.Array:
    if spelling.thousands is not None:
        text = pc.replace_substring(text, pattern=spelling.thousands, replacement="")
    if pa.types.is_integer(wanted):
        pattern = rf"^\+|{re.escape(spelling.decimal)}0*$"
        return pc.replace_substring_regex(text, pattern=pattern, replacement="")
    if spelling.decimal != ".":
        text = pc.replace_substring(text, pattern=spelling.decimal, replacement=".")
    return pc.utf8_ltrim(text, characters="+") if pa.types.is_decimal(wanted) else text


@cache
def shape_of(wanted: pa.DataType, spelling: Spelling) -> str:
    """The RE2 pattern that text must match to spell a value of a type; it may still be out of range."""
    if pa.types.is_boolean(wanted):
        return f"^(?:{'|'.join((*_TRUE, *_FALSE))})$"
    if pa.types.is_date(wanted):
        return f"^{_DAY}$"
    if pa.types.is_timestamp(wanted):
        return _moment_shape(wanted)
    decimal = re.escape(spelling.decimal)
    whole = r"\d+" if spelling.thousands is None else rf"(?:\d{{1,3}}(?:{re.escape(spelling.thousands)}\d{{3}})+|\d+)"
    if pa.types.is_integer(wanted):
        return rf"^[+-]?{whole}(?:{decimal}0*)?$"
    number = rf"(?:{whole}(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d{{1,4}})?"
    return rf"^[+-]?(?:{number}|(?i:inf(?:inity)?))$" if pa.types.is_floating(wanted) else f"^[+-]?{number}$"


def _moment_shape(wanted: pa.TimestampType) -> str:
    digits = _FRACTION[wanted.unit]
    fraction = rf"(?:\.\d{{1,{digits}}})?" if digits else ""
    time = rf"[ T]\d{{2}}(?::\d{{2}}(?::\d{{2}}{fraction})?)?"
    return f"^{_DAY}(?:{time})?$" if wanted.tz is None else f"^{_DAY}{time}{_ZONE}$"


def _without_overflow(values: pa.Array, text: pa.Array) -> pa.Array:
    """Null where digits spell a number that the type holds only as infinity."""
    infinite = pc.is_inf(values)
    if not pc.any(infinite).as_py():
        return values
    lost = pc.and_(infinite, pc.match_substring_regex(text, pattern=r"\d"))
    return pc.if_else(lost, pa.scalar(None, values.type), values)
