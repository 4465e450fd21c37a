"""Numbers from text, as people and exports write them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from scoreline.cleaners._text import WHITE
from scoreline.cleaners.base import ColumnStep, Converted

# Marks that typists use for one another.
_ALIKE = {" ": " \\x{a0}\\x{2009}\\x{202f}", "'": "'\\x{2019}"}
_MINUS = r"[-\x{2212}]"
_SIGN = r"[-+\x{2212}]"
_GAP = f"[{WHITE}]*"
# The most digits that a decimal128 holds; longer text would overflow silently.
_DIGITS = 38


class ParseNumbers(ColumnStep):
    """Read numbers from text such as ``1.234,50``.

    White space around the text does not count, and empty text is null. Thousands marks must stand between groups of
    three digits. ``(1,5)`` and ``1,5-`` are negative, as in accounting. A percent sign in
    ``strip`` is taken off, the number is not divided. Text that is no number, or too large for the type, is refused.

    >>> step = ParseNumbers(columns=["valor"], decimal=",", thousands=".", strip="R$")
    >>> step.apply(pa.table({"valor": ["R$ 1.234,50", "(1,5)", ""]})).table["valor"].to_pylist()
    [1234.5, -1.5, None]
    """

    kind: Literal["parse_numbers"] = "parse_numbers"
    columns: tuple[str, ...] = Field(min_length=1, description="Text columns.")
    decimal: Literal[".", ","] = Field(".", description="Decimal mark.")
    thousands: Literal[".", ",", " ", "'", "_"] | None = Field(None, description="Mark between groups of three digits.")
    strip: str | tuple[str, ...] = Field((), description="Currency or unit that may stand before or after the number.")
    null_values: tuple[str, ...] = Field((), description="Text that means null, besides empty text.")
    type: Literal["float64", "int64"] = Field("float64", description="Type of the result.")
    on_error: Literal["refuse", "null"] = Field("refuse", description="What becomes of text that is no number.")

    detail: ClassVar[str] = "not a number"
    costly: ClassVar[bool] = True

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError(f"'decimal' and 'thousands' are both '{self.decimal}'")
        return self

    def result_type(self, name: str, arrow_type: pa.DataType) -> pa.DataType:
        """The type that the config asks for."""
        return pa.type_for_alias(self.type)

    def convert(self, values: pa.Array, name: str) -> Converted:
        """Numbers."""
        text = pc.utf8_trim_whitespace(values)
        bare = self._without_unit(text)
        missing = pc.or_(_is_one_of(text, ("", *self.null_values)), _is_one_of(bare, self.null_values))
        numbers = self._numbers(pc.if_else(missing, pa.scalar(None, bare.type), bare))
        bad = pc.and_not(pc.and_(pc.is_valid(text), pc.is_null(numbers)), missing)
        return Converted(numbers, bad if self.on_error == "refuse" else None)

    def _without_unit(self, text: pa.Array) -> pa.Array:
        units = (self.strip,) if isinstance(self.strip, str) else self.strip
        if not any(units):
            return text
        unit = f"(?:{'|'.join(re.escape(unit) for unit in units if unit)})"
        ends = rf"^({_SIGN}|\()?{_GAP}{unit}{_GAP}|{_GAP}{unit}{_GAP}({_MINUS}|\))?$"
        return pc.replace_substring_regex(text, pattern=ends, replacement=r"\1\2", max_replacements=1)

    def _numbers(self, text: pa.Array) -> pa.Array:
        number = self._number
        signed = rf"^{_MINUS}{_GAP}{number}$|^{number}{_GAP}{_MINUS}$|^\({_GAP}{number}{_GAP}\)$"
        negative = pc.match_substring_regex(text, pattern=signed)
        readable = pc.or_(negative, pc.match_substring_regex(text, pattern=rf"^(?:\+{_GAP})?{number}$"))
        digits = pc.replace_substring_regex(text, pattern=self._ornament, replacement="")
        digits = pc.replace_substring(digits, pattern=self.decimal, replacement=".")
        sign = pc.if_else(negative, "-", "").cast(text.type)
        spelled = pc.binary_join_element_wise(sign, digits, pa.scalar("", text.type))
        spelled = pc.if_else(readable, spelled, pa.scalar(None, text.type))
        return _floats(spelled) if self.type == "float64" else _integers(spelled)

    @property
    def _mark(self) -> str | None:
        return None if self.thousands is None else f"[{_ALIKE.get(self.thousands, self.thousands)}]"

    @property
    def _number(self) -> str:
        decimal = re.escape(self.decimal)
        whole = r"\d+" if self._mark is None else rf"(?:\d{{1,3}}(?:{self._mark}\d{{3}})+|\d+)"
        return rf"(?:(?:{whole}(?:{decimal}\d+)?|{decimal}\d+)(?:[eE][-+]?\d+)?)"

    @property
    def _ornament(self) -> str:
        ends = rf"^[^0-9{self.decimal}]+|[^0-9]+$"
        return ends if self._mark is None else f"{ends}|{self._mark}"


def _is_one_of(text: pa.Array, words: tuple[str, ...]) -> pa.BooleanArray:
    return pc.is_in(text, value_set=pa.array([word.strip() for word in words], text.type))


def _floats(spelled: pa.Array) -> pa.Array:
    numbers = spelled.cast(pa.float64())
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def _integers(spelled: pa.Array) -> pa.Array:
    whole = pc.replace_substring_regex(spelled, pattern=r"\.0+$", replacement="")
    short = pc.match_substring_regex(whole, pattern=rf"^-?\d{{1,{_DIGITS}}}$")
    exact = pc.if_else(short, whole, pa.scalar(None, whole.type)).cast(pa.decimal128(_DIGITS, 0))
    low, high = (pa.scalar(limit).cast(exact.type) for limit in (Decimal(-(2**63)), Decimal(2**63 - 1)))
    fits = pc.and_(pc.greater_equal(exact, low), pc.less_equal(exact, high))
    return pc.if_else(fits, exact, pa.scalar(None, exact.type)).cast(pa.int64())
