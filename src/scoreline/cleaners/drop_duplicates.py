"""One row where several are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from scoreline.cleaners._columns import absent, place, refuse_any
from scoreline.cleaners._fingerprints import can_hash, fingerprints
from scoreline.cleaners.base import FrameStep
from scoreline.errors import Problem

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class DropDuplicates(FrameStep):
    """Keep one row, that with the lowest row identity, of those that are equal in all columns or in the named ones.

    Null equals null, NaN equals NaN, and -0.0 equals 0.0. In training only: at prediction every row gets its answer.

    >>> import pyarrow as pa
    >>> marks = DropDuplicates(columns=["a"]).fingerprint(pa.table({"a": [1, 2, 1], "b": [1, 2, 3]}))
    >>> (marks[0] == marks[2]).all(), (marks[0] == marks[1]).any()
    (np.True_, np.False_)
    """

    kind: Literal["drop_duplicates"] = "drop_duplicates"
    columns: tuple[str, ...] | None = Field(None, min_length=1, description="Columns to compare; null for all of them.")

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The same columns. Raises StepError for absent columns and types that cannot be compared."""
        problems = absent(self.kind, self.columns or (), schema.names)
        for name in self._compared(schema):
            if name in schema.names and not can_hash(schema.field(name).type):
                what = f"column '{name}' is {schema.field(name).type}, which cannot be compared"
                problems.append(Problem(what, place(self.kind), "name the columns to compare in 'columns'"))
        refuse_any(problems)
        return schema

    def fingerprint(self, part: pa.Table) -> np.ndarray:
        """uint64 array of shape (rows, 2), from the values of the compared columns alone."""
        self.output_schema(part.schema)
        return fingerprints([part[name] for name in self._compared(part.schema)], part.num_rows)

    def needs(self, wanted: frozenset[str], schema: pa.Schema) -> frozenset[str]:
        """The wanted columns and those that are compared."""
        return wanted.union(self._compared(schema))

    def narrowed(self, wanted: frozenset[str], schema: pa.Schema) -> Self | None:
        """The step with its columns written out: it decides which rows there are, whatever is wanted of them."""
        return self.model_copy(update={"columns": self._compared(schema)})

    def _compared(self, schema: pa.Schema) -> tuple[str, ...]:
        return tuple(schema.names) if self.columns is None else self.columns
