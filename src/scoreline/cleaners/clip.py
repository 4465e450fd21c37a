"""Numbers held between limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from scoreline.cleaners._columns import place
from scoreline.cleaners._constants import constant
from scoreline.cleaners._types import is_number
from scoreline.cleaners.base import ColumnStep, Converted
from scoreline.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clip(ColumnStep):
    """Replace numbers beyond a limit by the limit; null and NaN stay. The column keeps its type.

    >>> Clip(columns=["idade"], min=0, max=120).apply(pa.table({"idade": [-1, 37, 999]})).table["idade"].to_pylist()
    [0, 37, 120]
    """

    kind: Literal["clip"] = "clip"
    columns: tuple[str, ...] | None = Field(None, description="Columns of numbers; null for all of them.")
    min: int | float | None = Field(None, description="Smallest value that stays.")
    max: int | float | None = Field(None, description="Largest value that stays.")

    accepts: ClassVar[str] = "numbers"
    makes_null: ClassVar[bool] = False

    @model_validator(mode="after")
    def _limits_make_sense(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("give 'min', 'max' or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("'min' is above 'max'")
        return self

    def takes(self, arrow_type: pa.DataType) -> bool:
        """True for numbers."""
        return is_number(arrow_type)

    def objections(self, name: str, arrow_type: pa.DataType) -> Iterator[Problem]:
        """A column that holds no numbers, or a limit that is no value of its type."""
        yield from super().objections(name, arrow_type)
        for limit in (self.min, self.max):
            if limit is not None and self.takes(arrow_type) and not _fits(limit, arrow_type):
                advice = f"give a limit that a value of type {arrow_type} can have, or cast the column first"
                yield Problem(f"column '{name}': the limit {limit} is no {arrow_type}", place(self.kind), advice)

    def convert(self, values: pa.Array, name: str) -> Converted:
        """Clipped numbers."""
        if self.min is not None:
            low = constant(self.min, values.type)
            values = pc.if_else(pc.less(values, low), low, values)
        if self.max is not None:
            high = constant(self.max, values.type)
            values = pc.if_else(pc.greater(values, high), high, values)
        return Converted(values)


def _fits(limit: float, arrow_type: pa.DataType) -> bool:
    try:
        constant(limit, arrow_type)
    except ValueError:
        return False
    return True
