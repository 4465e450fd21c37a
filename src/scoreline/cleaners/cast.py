"""Columns in another type, without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, field_validator

from scoreline.cleaners._casts import can_cast, cast_exactly
from scoreline.cleaners._columns import place
from scoreline.cleaners._types import plain
from scoreline.cleaners.base import ColumnStep, Converted
from scoreline.contract import parse_type
from scoreline.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


class Cast(ColumnStep):
    """Give columns another type; a value that would lose something is refused.

    Whole numbers must fit, and as floats be exact (at most 2**53); floats become integers only when whole; timestamps
    become dates only at midnight. Floats are rounded to the nearest narrower float. Text must be a number with a
    decimal point, an ISO date or timestamp, or true or false, completely and without white space.

    >>> Cast(columns={"id": "string"}).apply(pa.table({"id": [453]})).table["id"].to_pylist()
    ['453']
    """

    kind: Literal["cast"] = "cast"
    columns: dict[str, str] = Field(
        min_length=1, description="Arrow type by column: string, int64, float64, date32, ..."
    )
    on_error: Literal["refuse", "null"] = Field("refuse", description="What becomes of values that do not fit.")

    detail: ClassVar[str] = "does not fit the type of the cast"
    costly: ClassVar[bool] = False

    @field_validator("columns")
    @classmethod
    def _types_exist(cls, columns: dict[str, str]) -> dict[str, str]:
        for name, spelled in columns.items():
            try:
                parse_type(spelled)
            except ValueError as error:
                raise ValueError(f"column '{name}': there is no type '{spelled}'") from error
        return columns

    def takes(self, arrow_type: pa.DataType) -> bool:
        """True for all types; `objections` looks at pairs of types."""
        return True

    def objections(self, name: str, arrow_type: pa.DataType) -> Iterator[Problem]:
        """A pair of types between which no cast makes sense."""
        target = self.result_type(name, arrow_type)
        if not can_cast(arrow_type, target):
            advice = "choose a type that the values can have; dates are read from text by 'parse_dates'"
            yield Problem(f"column '{name}' is {arrow_type} and cannot become {target}", place(self.kind), advice)

    def result_type(self, name: str, arrow_type: pa.DataType) -> pa.DataType:
        """The type that the config asks for."""
        return plain(parse_type(self.columns[name]))

    def convert(self, values: pa.Array, name: str) -> Converted:
        """The values in their new type."""
        cast = cast_exactly(values, self.result_type(name, values.type))
        bad = pc.and_(pc.is_valid(values), pc.is_null(cast)) if cast.null_count > values.null_count else None
        return Converted(cast, bad if self.on_error == "refuse" else None)
