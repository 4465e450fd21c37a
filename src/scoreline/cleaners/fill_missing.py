"""Constants in place of missing values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from scoreline.cleaners._columns import place
from scoreline.cleaners._constants import Constant, constant
from scoreline.cleaners.base import ColumnStep, Converted
from scoreline.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


class FillMissing(ColumnStep):
    """Put a constant where a value is missing: null, and NaN in columns of floats. The column keeps its type.

    >>> FillMissing(columns={"pais": "BR"}).apply(pa.table({"pais": ["IE", None]})).table["pais"].to_pylist()
    ['IE', 'BR']
    """

    kind: Literal["fill_missing"] = "fill_missing"
    columns: dict[str, Constant] | tuple[str, ...] = Field(
        min_length=1, description="The columns, or the value of each column."
    )
    value: Constant | None = Field(None, description="The value for all columns, when they are a list.")

    converts_null: ClassVar[bool] = True
    makes_null: ClassVar[bool] = False

    @model_validator(mode="after")
    def _one_value_each(self) -> Self:
        if isinstance(self.columns, Mapping) != (self.value is None):
            raise ValueError("give 'columns' as a list with one 'value', or as an object with a value for each column")
        return self

    def takes(self, arrow_type: pa.DataType) -> bool:
        """True for all types; `objections` looks at the value."""
        return True

    def objections(self, name: str, arrow_type: pa.DataType) -> Iterator[Problem]:
        """A value that is not of the column's type."""
        try:
            constant(self._value(name), arrow_type)
        except ValueError as error:
            yield Problem(f"column '{name}': {error}", place(self.kind), f"give a value of type {arrow_type}")

    def convert(self, values: pa.Array, name: str) -> Converted:
        """Values without nulls."""
        value = constant(self._value(name), values.type)
        return Converted(pc.if_else(values.is_null(nan_is_null=True), value, values))

    def _value(self, name: str) -> Constant | None:
        return self.columns[name] if isinstance(self.columns, Mapping) else self.value
