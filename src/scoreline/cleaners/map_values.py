"""Values replaced by other values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from scoreline.cleaners._columns import place
from scoreline.cleaners._constants import Constant, constant, key
from scoreline.cleaners.base import ColumnStep, Converted
from scoreline.errors import Problem
from scoreline.refusal import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator


class MapValues(ColumnStep):
    """Replace values by others. Null stays null.

    The members of ``values`` are read as values of the column's type: ``"7"`` for a number, ISO text for a date. When
    values that are not named stay (``others: keep``), the column keeps its type; otherwise its type is that of the new
    values.

    >>> step = MapValues(columns=["sexo"], values={"F": "female", "M": "male"}, others="null")
    >>> step.apply(pa.table({"sexo": ["F", "?", None]})).table["sexo"].to_pylist()
    ['female', None, None]
    """

    kind: Literal["map_values"] = "map_values"
    columns: tuple[str, ...] = Field(min_length=1, description="Columns whose values are replaced.")
    values: dict[str, Constant | None] = Field(min_length=1, description="New value (null allowed) by old value.")
    others: Literal["keep", "null", "refuse"] = Field("keep", description="What becomes of values that are not named.")

    accepts: ClassVar[str] = "text, numbers, booleans and dates"
    reason: ClassVar[Reason] = Reason.VALUE_NOT_ALLOWED
    detail: ClassVar[str] = "not one of the values that are mapped"

    @model_validator(mode="after")
    def _one_type(self) -> Self:
        if self.others != "keep" and _common_type(self.values) is None:
            raise ValueError("the new values must all be text, all numbers or all booleans")
        return self

    def takes(self, arrow_type: pa.DataType) -> bool:
        """True for types whose values JSON can name."""
        return not pa.types.is_nested(arrow_type) and not pa.types.is_binary(arrow_type)

    def result_type(self, name: str, arrow_type: pa.DataType) -> pa.DataType:
        """The column's type, or that of the new values."""
        return arrow_type if self.others == "keep" else _common_type(self.values)

    def objections(self, name: str, arrow_type: pa.DataType) -> Iterator[Problem]:
        """Old or new values that are not of the type."""
        yield from super().objections(name, arrow_type)
        if self.takes(arrow_type):
            for problem in _unfit(self.values, arrow_type, self.result_type(name, arrow_type)):
                yield Problem(f"column '{name}': {problem}", place(self.kind), "write values as the column has them")

    def convert(self, values: pa.Array, name: str) -> Converted:
        """The new values."""
        result = self.result_type(name, values.type)
        old = pa.array([key(spelled, values.type).as_py() for spelled in self.values], values.type)
        new = pa.array([constant(value, result).as_py() for value in self.values.values()], result)
        position = pc.index_in(values, value_set=old)
        other = values if self.others == "keep" else pa.scalar(None, result)
        mapped = pc.if_else(pc.is_valid(position), new.take(position), other)
        unknown = pc.and_(pc.is_null(position), pc.is_valid(values)) if self.others == "refuse" else None
        return Converted(mapped, unknown)


def _unfit(values: dict[str, Constant | None], old: pa.DataType, new: pa.DataType) -> Iterator[str]:
    seen = set()
    for spelled, value in values.items():
        try:
            scalar = key(spelled, old)
            constant(value, new)
        except ValueError as error:
            yield str(error)
            continue
        if scalar in seen:
            yield f"'{spelled}' names a value that is there already"
        seen.add(scalar)


def _common_type(values: dict[str, Constant | None]) -> pa.DataType | None:
    kinds = {type(value) for value in values.values() if value is not None}
    if kinds == {int, float}:
        return pa.float64()
    types = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    return types[kinds.pop()] if len(kinds) == 1 else None
