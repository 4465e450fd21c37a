"""Rows that are kept because something is true of them."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, field_validator

from scoreline.cleaners._columns import place
from scoreline.cleaners._expression import Expression
from scoreline.cleaners._grammar import parse
from scoreline.cleaners.base import Cleaned, Step
from scoreline.errors import Problem, StepError


class FilterRows(Step):
    """Keep the rows for which a condition is true; null counts as false. Only in training unless ``on`` says so.

    >>> FilterRows(where="valor > 0 and estado in ('SP', 'RJ')").apply(
    ...     pa.table({"valor": [5, 5, None], "estado": ["SP", "AM", "SP"]})
    ... ).keep
    array([ True, False, False])
    """

    kind: Literal["filter_rows"] = "filter_rows"
    on: Literal["both", "train", "predict"] = Field("train", description="When the step is applied.")
    where: str = Field(min_length=1, description="Condition over the columns, such as: valor > 0 and estado != 'AM'")

    drops_rows: ClassVar[bool] = True

    @field_validator("where")
    @classmethod
    def _can_be_read(cls, where: str) -> str:
        parse(where)
        return where

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The same columns. Raises StepError for absent columns and for an expression that is no condition."""
        found = self._expression.type(schema)
        if found != pa.bool_():
            advice = "compare with something, as in: valor > 0"
            raise StepError(Problem(f"'where' is {found}, not a condition: {self.where}", place(self.kind), advice))
        return schema

    def apply(self, part: pa.Table) -> Cleaned:
        """The part as it is, and which rows stay."""
        self.output_schema(part.schema)
        true = pc.fill_null(self._expression.evaluate(part), fill_value=False)
        return Cleaned(part, keep=np.asarray(true.to_numpy(), dtype=bool))

    def needs(self, wanted: frozenset[str], schema: pa.Schema) -> frozenset[str]:
        """The wanted columns and those of the condition."""
        return wanted | self._expression.columns

    def narrowed(self, wanted: frozenset[str], schema: pa.Schema) -> Self | None:
        """The step itself: it decides which rows there are, whatever is wanted of them."""
        return self

    @property
    def _expression(self) -> Expression:
        return Expression(self.where, self.kind, "'where'")
