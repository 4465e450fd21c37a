"""Column names without white space around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import pyarrow as pa

from scoreline.cleaners._columns import refuse_any, repeated
from scoreline.cleaners.base import Cleaned, Step

if TYPE_CHECKING:
    from collections.abc import Mapping


class StripNames(Step):
    """Take white space off both ends of every column name.

    >>> StripNames().apply(pa.table({" valor ": [1.5]})).table.column_names
    ['valor']
    """

    kind: Literal["strip_names"] = "strip_names"

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The same columns by their stripped names. Raises StepError when two names become one."""
        names = [name.strip() for name in schema.names]
        refuse_any(repeated(self.kind, names, "rename one of them first, with a step of kind 'rename'"))
        return pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])

    def apply(self, part: pa.Table) -> Cleaned:
        """The same rows and values; nothing is copied."""
        return Cleaned(part.rename_columns(self.output_schema(part.schema).names))

    def needs(self, wanted: frozenset[str], schema: pa.Schema) -> frozenset[str]:
        """The columns whose stripped names are wanted."""
        return frozenset(name for name in schema.names if name.strip() in wanted)

    def renamed(self, schema: pa.Schema) -> Mapping[str, str | None]:
        """The names as they were, by the stripped ones."""
        return {name.strip(): name for name in schema.names}

    def narrowed(self, wanted: frozenset[str], schema: pa.Schema) -> Self | None:
        """The step itself, as long as a wanted name changes."""
        return self if any(name != name.strip() for name in self.needs(wanted, schema)) else None
