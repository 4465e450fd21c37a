"""New columns computed from others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import pyarrow as pa
from pydantic import Field, field_validator

from scoreline.cleaners._expression import Expression
from scoreline.cleaners._grammar import ExpressionError, parse
from scoreline.cleaners.base import Cleaned, Step
from scoreline.errors import Problem, StepError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Derive(Step):
    """Compute columns from the columns before the step; a name that is there already is replaced in its place.

    Integers are int64 and all other numbers float64; timestamps count to the microsecond. Null gives null, and so do
    NaN, division by zero, and results that are infinite, not a number, or too large. ``/`` and ``**`` give float64;
    ``//`` and ``%`` round down, as in Python. Conditions count null as false.

    >>> step = Derive(columns={"uso": "1 - limite_disp / limite_total", "caro": "valor > 100"})
    >>> step.apply(pa.table({"limite_disp": [50], "limite_total": [200], "valor": [31.0]})).table.to_pylist()
    [{'limite_disp': 50, 'limite_total': 200, 'valor': 31.0, 'uso': 0.75, 'caro': False}]
    """

    kind: Literal["derive"] = "derive"
    columns: dict[str, str] = Field(
        min_length=1, description="Expression over the columns before the step, by new name."
    )

    @field_validator("columns")
    @classmethod
    def _can_be_read(cls, columns: dict[str, str]) -> dict[str, str]:
        problems = []
        for name, text in columns.items():
            try:
                parse(text)
            except ExpressionError as error:
                problems.append(f"column '{name}': {error}")
        if problems:
            raise ValueError("; ".join(problems))
        return columns

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns with those that are computed. Raises StepError with every problem of every expression."""
        types: dict[str, pa.DataType] = {}
        problems: list[Problem] = []
        for name, expression in self._expressions.items():
            try:
                types[name] = expression.type(schema)
            except StepError as error:
                problems.extend(error.problems)
        if problems:
            raise StepError(*problems)
        kept = [pa.field(f.name, types.pop(f.name)) if f.name in types else f for f in schema]
        return pa.schema([*kept, *(pa.field(name, arrow_type) for name, arrow_type in types.items())])

    def apply(self, part: pa.Table) -> Cleaned:
        """The part with the computed columns; text from a dictionary column stays one."""
        self.output_schema(part.schema)
        table = part
        for name, expression in self._expressions.items():
            values = expression.evaluate(part)
            field = pa.field(name, values.type)
            at = part.schema.get_field_index(name)
            table = table.append_column(field, values) if at < 0 else table.set_column(at, field, values)
        return Cleaned(table)

    def renamed(self, schema: pa.Schema) -> Mapping[str, str | None]:
        """All that is computed is new."""
        return dict.fromkeys(self.columns)

    def needs(self, wanted: frozenset[str], schema: pa.Schema) -> frozenset[str]:
        """What the wanted expressions read, and the wanted columns that are not computed here."""
        read = (expression.columns for name, expression in self._expressions.items() if name in wanted)
        return (wanted - self.columns.keys()).union(*read)

    def narrowed(self, wanted: frozenset[str], schema: pa.Schema) -> Self | None:
        """The step with the wanted expressions only."""
        kept = {name: text for name, text in self.columns.items() if name in wanted}
        return self.model_copy(update={"columns": kept}) if kept else None

    @property
    def _expressions(self) -> Mapping[str, Expression]:
        return {name: Expression(text, self.kind, f"column '{name}'") for name, text in self.columns.items()}
