"""Text files with a header line: CSV as spreadsheets, databases and people write it."""

from __future__ import annotations

from difflib import get_close_matches
from encodings.aliases import aliases
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, field_validator, model_validator

from scoreline.parts import even_parts
from scoreline.sources._csv_reading import Reading, read_pieces
from scoreline.sources._csv_survey import survey_csv
from scoreline.sources._dialect import Dialect
from scoreline.sources._encoding import standard_name
from scoreline.sources._inspection import AUTO, SUFFIXES
from scoreline.sources._resolution import Asked
from scoreline.sources._values import Spelling
from scoreline.sources.base import Source, Survey
from scoreline.storage import list_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.contract import Contract, ContractConfig
    from scoreline.storage import FileInfo
    from scoreline.units import RawPart, Unit


class Csv(Source):
    """Files with a header and one record a line, the same columns in all of them, in any order.

    A line without a single character is no record. A record with too few or too many fields, with bytes that mean
    nothing, or with a quote that never closes is a row that is refused. Files may be compressed (``.gz``, ``.zst``,
    ``.bz2``).
    """

    kind: Literal["csv"] = "csv"
    delimiter: str = Field(AUTO, description='One character between fields, or "auto".')
    quote: str = Field('"', description="One character around fields that hold a delimiter or a line end.")
    encoding: str = Field(AUTO, description='Name of an encoding such as "utf-8" or "mac_roman", or "auto".')
    decimal: str = Field(".", description="Decimal mark.")
    thousands: str | None = Field(None, description="Mark between groups of three digits.")
    null_values: tuple[str, ...] | None = Field(
        None,
        description="Text that means null, besides empty text. By default -, NA, N/A, n/a, NaN, nan, null, NULL, None "
        "and #N/A in columns that are not text.",
    )

    @field_validator("delimiter")
    @classmethod
    def _one_character_or_auto(cls, value: str) -> str:
        if value != AUTO and not _is_mark(value):
            raise ValueError('give one ASCII character that is no letter, digit or line end, or "auto"')
        return value

    @field_validator("quote", "decimal")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if not _is_mark(value):
            raise ValueError("give one ASCII character that is no letter, digit or line end")
        return value

    @field_validator("thousands")
    @classmethod
    def _one_mark(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value.isalnum() or value in "+-\r\n"):
            raise ValueError("give one character that is no letter, digit or sign, or null")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            return value if value == AUTO else standard_name(value)
        except LookupError as error:
            close = get_close_matches(value, sorted(aliases), n=3)
            raise ValueError(f"no such encoding; did you mean {' or '.join(close) or AUTO}?") from error

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError(f"'decimal' and 'thousands' are both '{self.decimal}'")
        if self.delimiter == self.quote:
            raise ValueError(f"'delimiter' and 'quote' are both '{self.quote}'")
        return self

    def files(self) -> tuple[FileInfo, ...]:
        """The text files; see `Source.files`."""
        return list_files(self.uri, SUFFIXES)

    def survey(self, declared: ContractConfig, known: Contract | None = None) -> Survey:
        """Read every byte once, to count records and find the encoding, and look at a sample of rows for types."""
        found = survey_csv(self.files(), self._dialect, self._spelling, Asked(declared, known))
        settled = {"delimiter": found.dialect.delimiter, "encoding": found.dialect.encoding}
        return Survey(found.files, found.units, found.contract, self.model_copy(update=settled), found.notes)

    def read(self, unit: Unit, contract: Contract, columns: Sequence[str], batch_rows: int) -> Iterator[RawPart]:
        """Read the unit's records as text and give each column its type; a value of another type refuses its row.

        Cost: half a million rows of 13 columns a second on one core.
        """
        reading = Reading(self._dialect, self._spelling, contract.schema, tuple(columns))
        return even_parts(read_pieces(unit.pieces, reading, batch_rows), batch_rows)

    @property
    def _dialect(self) -> Dialect:
        return Dialect(self.delimiter, self.quote, self.encoding)

    @property
    def _spelling(self) -> Spelling:
        return Spelling(self.decimal, self.thousands, self.null_values)


def _is_mark(value: str) -> bool:
    return len(value) == 1 and value.isascii() and not value.isalnum() and value not in "\r\n"
