"""Other names for columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import pyarrow as pa
from pydantic import Field

from scoreline.cleaners._columns import absent, refuse_any, repeated
from scoreline.cleaners.base import Cleaned, Step

if TYPE_CHECKING:
    from collections.abc import Mapping


class Rename(Step):
    """Give columns other names; names may be swapped.

    >>> Rename(columns={"vlr": "valor"}).apply(pa.table({"id": [7], "vlr": [1.5]})).table.column_names
    ['id', 'valor']
    """

    kind: Literal["rename"] = "rename"
    columns: dict[str, str] = Field(min_length=1, description="New name by old name.")
    others: Literal["keep", "drop"] = Field("keep", description="Columns that are not named here.")

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns by their new names, in order. Raises StepError for absent columns and names given twice."""
        refuse_any(absent(self.kind, self.columns, schema.names))
        fields = [field.with_name(self._after(field.name)) for field in schema if self._stays(field.name)]
        refuse_any(repeated(self.kind, [field.name for field in fields], "give one of them another name"))
        return pa.schema(fields)

    def apply(self, part: pa.Table) -> Cleaned:
        """The same rows and values; nothing is copied."""
        names = self.output_schema(part.schema).names
        return Cleaned(part.select([name for name in part.column_names if self._stays(name)]).rename_columns(names))

    def needs(self, wanted: frozenset[str], schema: pa.Schema) -> frozenset[str]:
        """The columns that have the wanted names afterwards."""
        return frozenset(name for name in schema.names if self._stays(name) and self._after(name) in wanted)

    def renamed(self, schema: pa.Schema) -> Mapping[str, str | None]:
        """The old names by the new ones."""
        return {after: before for before, after in self.columns.items()}

    def narrowed(self, wanted: frozenset[str], schema: pa.Schema) -> Self | None:
        """The step itself when all that it renames is wanted; otherwise one that keeps the wanted columns only.

        A column that keeps its old name because the new one is not wanted could stand in the way of a later step.
        """
        if self.others == "keep" and wanted.issuperset(self.columns.values()):
            return self
        needed = self.needs(wanted, schema)
        kept = {name: self._after(name) for name in schema.names if name in needed}
        return self.model_copy(update={"columns": kept, "others": "drop"}) if kept else None

    def _after(self, name: str) -> str:
        return self.columns.get(name, name)

    def _stays(self, name: str) -> bool:
        return self.others == "keep" or name in self.columns
