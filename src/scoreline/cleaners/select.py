"""Which columns go on."""

from __future__ import annotations

from typing import Literal, Self

import pyarrow as pa
from pydantic import Field, model_validator

from scoreline.cleaners._columns import absent, refuse_any, repeated
from scoreline.cleaners.base import Cleaned, Step


class Select(Step):
    """Keep the named columns, in that order, or drop the named ones.

    >>> Select(drop=["id"]).apply(pa.table({"id": [7], "valor": [1.5]})).table.column_names
    ['valor']
    """

    kind: Literal["select"] = "select"
    columns: tuple[str, ...] | None = Field(None, min_length=1, description="The columns to keep, in this order.")
    drop: tuple[str, ...] | None = Field(None, min_length=1, description="The columns to drop.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.columns is None) == (self.drop is None):
            raise ValueError("give either 'columns' or 'drop'")
        return self

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns that are kept. Raises StepError for absent columns and columns named twice."""
        return pa.schema([schema.field(name) for name in self._kept(schema)])

    def apply(self, part: pa.Table) -> Cleaned:
        """The same rows; nothing is copied."""
        return Cleaned(part.select(self._kept(part.schema)))

    def needs(self, wanted: frozenset[str], schema: pa.Schema) -> frozenset[str]:
        """The wanted columns themselves."""
        return wanted

    def narrowed(self, wanted: frozenset[str], schema: pa.Schema) -> Self | None:
        """A step that keeps the wanted columns; what it drops could stand in the way of a later step."""
        kept = tuple(name for name in self._kept(schema) if name in wanted)
        return self.model_copy(update={"columns": kept, "drop": None}) if kept else None

    def _kept(self, schema: pa.Schema) -> list[str]:
        named = self.columns or self.drop or ()
        problems = absent(self.kind, named, schema.names)
        refuse_any(problems + repeated(self.kind, named, "name it once"))
        if self.columns is not None:
            return list(named)
        return [name for name in schema.names if name not in named]
