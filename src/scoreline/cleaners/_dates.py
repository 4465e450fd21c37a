"""Dates and times from text by strptime formats, many values at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)

# What each directive reads: the same texts as Python's strptime in an English locale.
_DIRECTIVES = {
    "Y": r"\d\d\d\d",
    "y": r"\d\d",
    "m": r"1[0-2]|0[1-9]|[1-9]",
    "d": r"3[01]|[12]\d|0[1-9]|[1-9]| [1-9]",
    "H": r"2[0-3]|[01]\d|\d",
    "I": r"1[0-2]|0[1-9]|[1-9]",
    "M": r"[0-5]\d|\d",
    "S": r"[0-5]\d|\d",
    "f": r"\d{1,6}",
    "p": "am|pm",
    "B": "|".join(_MONTHS),
    "b": "|".join(month[:3] for month in _MONTHS),
    "j": r"36[0-6]|3[0-5]\d|[12]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9]",
    "z": r"[-+]\d\d:?[0-5]\d|Z",
}
_SHORTHANDS = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y", "%e": "%d", "%h": "%b"}
_TIMES = frozenset("HIMSfpz")
_MICROSECONDS = {"H": 3_600_000_000, "I": 3_600_000_000, "M": 60_000_000, "S": 1_000_000}
_DAY = np.int64(86_400_000_000)


@dataclass(frozen=True)
class DateFormat:
    """A strptime format, ready to read.

    Attributes
    ----------
    pattern : RE2 pattern with one named group for each directive
    directives : the letters of the directives, in order
    """

    pattern: str
    directives: tuple[str, ...]

    @property
    def has_time(self) -> bool:
        """True when the format reads more than a date."""
        return not _TIMES.isdisjoint(self.directives)

    @property
    def has_zone(self) -> bool:
        """True when the format reads an offset from UTC."""
        return "z" in self.directives


@lru_cache(maxsize=256)
def compile_format(spelled: str) -> DateFormat:
    """Read a strptime format. Raises ValueError for directives that are unknown, given twice, or do not make a date.

    >>> compile_format("%d.%m.%Y").directives
    ('d', 'm', 'Y')
    """
    for short, long in _SHORTHANDS.items():
        spelled = spelled.replace(short, long)
    pattern, directives = "", []
    for piece in re.findall(r"%.|\s+|[^%\s]+|%", spelled, flags=re.DOTALL):
        if piece.startswith("%") and piece != "%%":
            directives.append(piece[1:])
            pattern += f"(?P<{piece[1:]}>{_directive(piece)})"
        else:
            pattern += r"\s+" if piece.isspace() else re.escape("%" if piece == "%%" else piece)
    _check_directives(spelled, directives)
    return DateFormat(f"(?i)^{pattern}$", tuple(directives))


def _directive(piece: str) -> str:
    if piece[1:] not in _DIRECTIVES:
        known = ", ".join(f"%{letter}" for letter in _DIRECTIVES)
        raise ValueError(f"'{piece}' is not a directive of date formats; there are {known}")
    return _DIRECTIVES[piece[1:]]


def _check_directives(spelled: str, directives: list[str]) -> None:
    if len(set(directives)) < len(directives):
        raise ValueError(f"format '{spelled}' reads the same thing twice")
    found = frozenset(directives)
    months, rest = found & {"m", "b", "B"}, found & {"d", "j"}
    if len(found & {"Y", "y"}) != 1 or len(months) > 1 or (rest and rest != ({"d"} if months else {"j"})):
        needed = "one year, and one month with or without a day, or a day of the year"
        raise ValueError(f"format '{spelled}' does not make a date: it needs {needed}")
    if ("I" in found) != ("p" in found) or {"H", "I"} <= found:
        raise ValueError(f"format '{spelled}' needs both %I and %p, or %H alone")


def read_moments(text: pa.Array, formats: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds since 1970 as int64 (in UTC where the format reads an offset), and which texts could be read.

    The first format that reads a text counts. Impossible dates such as 30 February are not read. Eager, one pass a
    format.
    """
    micros, read = np.zeros(len(text), np.int64), np.zeros(len(text), bool)
    for spelled in formats:
        todo = np.flatnonzero(~read)
        if len(todo):
            found, possible = _read(text.take(pa.array(todo)), compile_format(spelled))
            micros[todo[possible]], read[todo[possible]] = found[possible], True
    return micros, read


def _read(text: pa.Array, date_format: DateFormat) -> tuple[np.ndarray, np.ndarray]:
    groups = pc.extract_regex(text, pattern=date_format.pattern)
    matched = groups.is_valid().to_numpy(zero_copy_only=False)
    found = groups.filter(pa.array(matched))
    numbers = {letter: _number(letter, found.field(i)) for i, letter in enumerate(date_format.directives)}
    days, possible = _days(numbers)
    micros = np.zeros(len(text), np.int64)
    micros[matched] = days * _DAY + _time(numbers)
    matched[matched] = possible
    return micros, matched


def _number(letter: str, digits: pa.Array) -> np.ndarray:
    text = pc.utf8_ltrim_whitespace(pc.utf8_lower(digits))
    if letter in "Bb":
        names = pa.array([month if letter == "B" else month[:3] for month in _MONTHS], text.type)
        return _integers(pc.add(pc.index_in(text, value_set=names), 1))
    if letter == "p":
        return _integers(pc.equal(text, "pm"))
    if letter == "z":
        return _offset(text)
    return _integers(pc.utf8_rpad(text, width=6, padding="0") if letter == "f" else text)


def _integers(values: pa.Array) -> np.ndarray:
    integers: np.ndarray = values.cast(pa.int64()).to_numpy()
    return integers


def _offset(text: pa.Array) -> np.ndarray:
    bare = pc.replace_substring(pc.if_else(pc.equal(text, "z"), pa.scalar("+0000", text.type), text), ":", "")
    hours, minutes = (_integers(pc.utf8_slice_codeunits(bare, start, start + 2)) for start in (1, 3))
    sign = 1 - 2 * _integers(pc.starts_with(bare, "-"))
    minutes_ahead: np.ndarray = sign * (hours * 60 + minutes)
    return minutes_ahead


def _days(numbers: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    # Two digits mean 1969 to 2068, as in POSIX.
    year = numbers["Y"] if "Y" in numbers else numbers["y"] + np.where(numbers["y"] >= 69, 1900, 2000)
    january = (year - 1970).astype("datetime64[Y]")
    month = numbers.get("m", numbers.get("B", numbers.get("b")))
    first = january if month is None else january.astype("datetime64[M]") + (month - 1)
    day = numbers.get("d", numbers.get("j", np.ones_like(year)))
    days = first.astype("datetime64[D]").astype(np.int64) + day - 1
    # The day must fall before the first of the next month, or year.
    return days, (year > 0) & (days < (first + 1).astype("datetime64[D]").astype(np.int64))


def _time(numbers: dict[str, np.ndarray]) -> np.ndarray | int:
    micros: np.ndarray | int = numbers.get("f", 0)
    for letter, size in _MICROSECONDS.items():
        if letter in numbers:
            micros = micros + (numbers[letter] % 12 if letter == "I" else numbers[letter]) * size
    if "p" in numbers:
        micros = micros + numbers["p"] * 12 * _MICROSECONDS["H"]
    if "z" in numbers:
        micros = micros - numbers["z"] * _MICROSECONDS["M"]
    return micros
