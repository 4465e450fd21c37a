"""Types of columns of text, from which of their values fit which type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from scoreline.sources._values import NULL_WORDS, Spelling, read_values

if TYPE_CHECKING:
    from collections.abc import Iterable

# In order of preference: the first type that all values fit is the column's. Text fits always.
TYPES = (
    pa.bool_(),
    pa.int64(),
    pa.float64(),
    pa.date32(),
    pa.timestamp("us"),
    pa.timestamp("us", "UTC"),
    pa.string(),
)

NEARLY_ALL = 0.98

_LONGEST_NUMBER = 15


@dataclass(frozen=True)
class Profile:
    """How many values of a column there are, and how many fit each of `TYPES`."""

    values: int = 0
    fits: tuple[int, ...] = (0,) * len(TYPES)

    def __add__(self, other: Profile) -> Profile:
        fits = tuple(mine + others for mine, others in zip(self.fits, other.fits, strict=True))
        return Profile(self.values + other.values, fits)

    @property
    def type(self) -> pa.DataType:
        """The first type that every value fits; string for a column without values."""
        if not self.values:
            return pa.string()
        return next(found for found, count in zip(TYPES, self.fits, strict=True) if count == self.values)

    @property
    def likely_type(self) -> pa.DataType:
        """The first type that nearly every value fits: the others may well be mistakes."""
        if not self.values:
            return pa.string()
        enough = NEARLY_ALL * self.values
        return next(found for found, count in zip(TYPES, self.fits, strict=True) if count >= enough)

    def fitting(self, wanted: pa.DataType) -> int:
        """How many values fit one of `TYPES`."""
        return self.fits[TYPES.index(wanted)]


def total(profiles: Iterable[Profile]) -> Profile:
    """The profile of several parts of a column together."""
    return sum(profiles, Profile())


def profile_of(text: pa.Array, spelling: Spelling) -> Profile:
    """Look at text: null where it is empty; words that mean null in numbers and dates are no values. Eager.

    Ids stay text: numbers with leading zeros, of more than 15 digits, or with a positive exponent after a capital E,
    which is what a spreadsheet makes of a long number; programs write a small one.

    >>> profile_of(pa.array(["4,53E+11", "007"]), Spelling(decimal=",")).type
    DataType(string)
    >>> profile_of(pa.array(["4.53e+17", "0.5"]), Spelling(decimal=".")).type
    DataType(double)
    """
    bare = pc.utf8_trim_whitespace(text.drop_null()).dictionary_encode()
    counts = pc.value_counts(bare)
    distinct = counts.field(0)
    distinct = distinct.dictionary.take(distinct.indices)
    words = NULL_WORDS if spelling.null_words is None else spelling.null_words
    real = pc.invert(pc.is_in(distinct, value_set=pa.array(["", *(word.strip() for word in words)])))
    distinct, times = distinct.filter(real), counts.field(1).filter(real)
    values = pc.sum(times, min_count=0).as_py()
    fits = (pc.sum(times.filter(_fits(distinct, wanted, spelling)), min_count=0).as_py() for wanted in TYPES[:-1])
    return Profile(values, (*fits, values))


def _fits(text: pa.Array, wanted: pa.DataType, spelling: Spelling) -> pa.BooleanArray:
    if pa.types.is_date32(wanted) or pa.types.is_timestamp(wanted):
        likely = pc.match_substring_regex(text, pattern=r"^\d{4}-\d\d-\d\d")
        if not pc.any(likely).as_py():
            return likely
        return read_values(text, wanted, spelling).values.is_valid()
    return pc.match_substring_regex(text, pattern=_shape(wanted, spelling))


@cache
def _shape(wanted: pa.DataType, spelling: Spelling) -> str:
    """As `shape_of`, without what looks like a value but is rather text: ids, and words for yes and no."""
    if pa.types.is_boolean(wanted):
        return "^(?i:true|false)$"
    longest = _LONGEST_NUMBER - 1
    whole = rf"(?:0|[1-9]\d{{0,{longest}}})"
    if spelling.thousands is not None:
        mark = re.escape(spelling.thousands)
        whole = rf"(?:0|[1-9]\d{{0,{longest}}}|[1-9]\d{{0,2}}(?:{mark}\d{{3}}){{1,4}})"
    if pa.types.is_integer(wanted):
        return f"^[+-]?{whole}$"
    decimal = re.escape(spelling.decimal)
    # Floats of one digit more are still written without an exponent.
    long = rf"[1-9]\d{{{longest + 1}}}{decimal}\d"
    return rf"^[+-]?(?:(?:{whole}(?:{decimal}\d*)?|{long}|{decimal}\d+)(?:[eE]-\d{{1,3}}|e\+\d{{2,3}})?|inf(?:inity)?)$"
