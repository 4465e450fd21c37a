"""Dates and times from text."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from scoreline.cleaners._dates import compile_format, read_moments
from scoreline.cleaners.base import ColumnStep, Converted


class ParseDates(ColumnStep):
    """Read dates from text by one or several strptime formats.

    White space around the text does not count, and empty text is null. Days and months may have one digit. A
    format without a day, such as ``%Y%m``, reads the first of the month. Impossible
    dates are refused. The result is date32, or timestamp[us] (with zone UTC when the formats read an offset with
    ``%z``).

    >>> step = ParseDates(columns=["data"], format="%d.%m.%Y")
    >>> step.apply(pa.table({"data": ["4.12.2019", ""]})).table["data"].to_pylist()
    [datetime.date(2019, 12, 4), None]
    """

    kind: Literal["parse_dates"] = "parse_dates"
    columns: tuple[str, ...] = Field(min_length=1, description="Text columns.")
    format: str | tuple[str, ...] = Field(description="strptime format, or several: the first that fits counts.")
    to: Literal["date", "timestamp"] | None = Field(
        None, description="Type of the result; null for date unless a format reads a time."
    )
    null_values: tuple[str, ...] = Field((), description="Text that means null, besides empty text.")
    on_error: Literal["refuse", "null"] = Field("refuse", description="What becomes of text that is no date.")

    detail: ClassVar[str] = "not a date in the format of the config"
    costly: ClassVar[bool] = True

    @model_validator(mode="after")
    def _formats_make_dates(self) -> Self:
        zones = {compile_format(spelled).has_zone for spelled in self._formats}
        if len(zones) != 1:
            raise ValueError("give at least one format, and '%z' in all of them or in none")
        return self

    def result_type(self, name: str, arrow_type: pa.DataType) -> pa.DataType:
        """date32, or timestamp[us]."""
        formats = [compile_format(spelled) for spelled in self._formats]
        if self.to == "date" or (self.to is None and not any(f.has_time for f in formats)):
            return pa.date32()
        return pa.timestamp("us", "UTC" if formats[0].has_zone else None)

    def convert(self, values: pa.Array, name: str) -> Converted:
        """Dates or timestamps."""
        text = pc.utf8_trim_whitespace(values)
        empty = pa.array(["", *(word.strip() for word in self.null_values)], text.type)
        absent = pc.or_(pc.is_null(text), pc.is_in(text, value_set=empty)).to_numpy(zero_copy_only=False)
        micros, read = read_moments(text, self._formats)
        moments = pa.array(micros, mask=~read | absent).cast(pa.timestamp("us"))
        bad = pa.array(~read & ~absent) if self.on_error == "refuse" and not np.all(read | absent) else None
        return Converted(moments.cast(self.result_type(name, values.type)), bad)

    @property
    def _formats(self) -> tuple[str, ...]:
        return (self.format,) if isinstance(self.format, str) else self.format
