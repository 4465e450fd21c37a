"""What every cleaning step is: a frozen value that says what comes out before it is applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from scoreline.cleaners._columns import absent, place, refuse_any
from scoreline.cleaners._distinct import Distinct, distinct_of
from scoreline.cleaners._types import decoded, is_text, plain
from scoreline.errors import Problem
from scoreline.refusal import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """What a step made of a part.

    Attributes
    ----------
    table : as many rows as the part, in the same order, with the columns of the step's `output_schema`
    refusals : rows that cannot be cleaned (positions in the part); they leave for quarantine. Their values in `table`
        are of no importance
    keep : boolean array, False for rows that the step filters out on purpose; None when it filters none
    hits : of a step that looks rows up elsewhere: its name, rows matched, rows looked up; they add up over parts
    """

    table: pa.Table
    refusals: tuple[Refusal, ...] = ()
    keep: np.ndarray | None = None
    hits: tuple[tuple[str, int, int], ...] = ()


class Step(BaseModel):
    """One cleaning step.

    A kind defines ``kind`` as a literal, its options as fields, and the methods below. Steps are pure: the same part
    gives the same answer, the part is never edited, and rows never depend on one another
    (`apply` of a concatenation equals the concatenation of `apply`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    on: Literal["both", "train", "predict"] = Field("both", description="When the step is applied.")

    drops_rows: ClassVar[bool] = False
    """True for a step that filters rows; such a step declares ``on`` with the default "train"."""

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns after the step. Raises StepError naming every column that is missing or of an unusable type."""
        raise NotImplementedError

    def apply(self, part: pa.Table) -> Cleaned:
        """Clean one part; eager, one pass. A string column may come as a dictionary column and may leave as one."""
        raise NotImplementedError

    def needs(self, wanted: frozenset[str], schema: pa.Schema) -> frozenset[str]:
        """Columns of `schema` (those before the step) without which the `wanted` ones after it cannot be made."""
        raise NotImplementedError

    def renamed(self, schema: pa.Schema) -> Mapping[str, str | None]:
        """What columns were called in `schema`, before the step, where that differs; None for what it computes."""
        return {}

    def narrowed(self, wanted: frozenset[str], schema: pa.Schema) -> Self | None:
        """The step reduced to what the `wanted` columns after it need; None when it does nothing for them.

        So that a bundle asks new data only for columns that feed a feature: the target may be absent.
        """
        raise NotImplementedError

    def judge(self, hits: Mapping[str, tuple[int, int]]) -> None:
        """Judge what was matched in the whole run (rows matched and rows looked up, by name), before it is published.

        Raises DataError when it is too little.
        """

    def references(self) -> Sequence[str]:
        """Locations of outside data that the step reads; their content is part of the identity of results."""
        return ()

    def reference_hashes(self) -> Sequence[str]:
        """sha256 of the content at each of `references`, when it was found out by `prepared`."""
        return ()

    def prepared(self, facts: dict[str, Any]) -> Self:
        """The step with what was found out about its references when the run was planned (`facts` by location).

        What `facts` lacks is found out here: eager, reads the references.
        """
        return self

    def spread(self, folder: str) -> Self:
        """The step with a reference that is too large for memory spread over files below `folder`.

        Each part then reads only the files that it needs. Eager; a step without such a reference is returned as it is.
        """
        return self


class FrameStep(Step):
    """A step that must see all parts at once, such as the removal of duplicates. It works on training data only.

    `apply` is not used; the training stage calls `fingerprint` on each part and keeps, among the rows of all parts
    that have equal fingerprints, the one with the lowest row identity.
    """

    on: Literal["train"] = Field("train", description="When the step is applied: in training only.")
    drops_rows: ClassVar[bool] = True

    def fingerprint(self, part: pa.Table) -> np.ndarray:
        """uint64 array of shape (rows, 2): equal for rows that the step regards as equal, and only for those."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """What a step made of the values of one column.

    Attributes
    ----------
    values : as many as were given, in the same order, of the step's `result_type`
    bad : True for values that cannot be converted and whose rows are refused; None when there are none
    """

    values: pa.Array
    bad: pa.BooleanArray | None = None


class ColumnStep(Step):
    """A step that converts the values of each of its columns and looks at nothing else.

    A kind says which types it takes, what comes out, and how values are converted; the rest is shared. On a dictionary
    column only the distinct values are converted. Memory: the converted columns beside the part.
    """

    columns: Mapping[str, Any] | tuple[str, ...] | None = Field(
        None, description="Columns to convert; null for every column of a suitable type."
    )

    accepts: ClassVar[str] = "text"
    """What the columns must hold, for messages."""
    reason: ClassVar[Reason] = Reason.BAD_VALUE
    detail: ClassVar[str] = "cannot be converted"
    """What a refusal says of a value that cannot be converted."""
    costly: ClassVar[bool] = False
    """True when converting a value costs more than hashing it: repeated values are then converted once."""
    converts_null: ClassVar[bool] = False
    """True when null can become something else."""
    makes_null: ClassVar[bool] = True
    """False when a value that is not refused never becomes null."""

    def takes(self, arrow_type: pa.DataType) -> bool:
        """True for types that the step can convert."""
        return is_text(arrow_type)

    def result_type(self, name: str, arrow_type: pa.DataType) -> pa.DataType:
        """The type that a column of a type has after the step."""
        return arrow_type

    def objections(self, name: str, arrow_type: pa.DataType) -> Iterator[Problem]:
        """What stands against converting a column of a type."""
        if not self.takes(arrow_type):
            what = f"column '{name}' is {arrow_type}, and the step takes {self.accepts}"
            yield Problem(what, place(self.kind), "leave the column out of the step, or cast it first")

    def convert(self, values: pa.Array, name: str) -> Converted:
        """Convert values of a type that the step takes; null stays null unless the step is about nulls."""
        raise NotImplementedError

    def chosen(self, schema: pa.Schema) -> tuple[str, ...]:
        """The columns of `schema` that the step converts. Raises StepError for those that it cannot."""
        problems = absent(self.kind, self.columns or (), schema.names)
        chosen = tuple(self.columns) if self.columns is not None else self._suitable(schema)
        for name in chosen:
            if name in schema.names:
                problems.extend(self.objections(name, plain(schema.field(name).type)))
        refuse_any(problems)
        return chosen

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The same columns, with the types that converting gives. Raises StepError."""
        chosen = frozenset(self.chosen(schema))
        return pa.schema([self._after(field) if field.name in chosen else field for field in schema])

    def apply(self, part: pa.Table) -> Cleaned:
        """Convert each column; rows with values that cannot be converted are refused."""
        chosen = frozenset(self.chosen(part.schema))
        if not chosen:
            return Cleaned(part)
        columns, fields = list(part.columns), list(part.schema)
        refusals: list[Refusal] = []
        for at, name in enumerate(part.column_names):
            if name in chosen:
                columns[at], bad = self._converted(part.column(at), name)
                fields[at] = pa.field(name, columns[at].type)
                refusals.extend(self._refusal(bad, name))
        return Cleaned(pa.table(columns, schema=pa.schema(fields)), tuple(refusals))

    def needs(self, wanted: frozenset[str], schema: pa.Schema) -> frozenset[str]:
        """The wanted columns themselves."""
        return wanted

    def narrowed(self, wanted: frozenset[str], schema: pa.Schema) -> Self | None:
        """The step for those of its columns that are wanted."""
        kept = [name for name in self.chosen(schema) if name in wanted]
        if not kept:
            return None
        columns = {name: self.columns[name] for name in kept} if isinstance(self.columns, Mapping) else tuple(kept)
        return self.model_copy(update={"columns": columns})

    def _after(self, field: pa.Field) -> pa.Field:
        result = self.result_type(field.name, plain(field.type))
        return pa.field(field.name, result, nullable=field.nullable or self.makes_null)

    def _suitable(self, schema: pa.Schema) -> tuple[str, ...]:
        return tuple(f.name for f in schema if not pa.types.is_null(f.type) and self.takes(plain(f.type)))

    def _converted(self, column: pa.ChunkedArray, name: str) -> tuple[pa.ChunkedArray, np.ndarray]:
        result = self.result_type(name, plain(column.type))
        distinct = distinct_of(column, with_null=self.converts_null)
        if distinct is not None:
            return self._gathered(distinct, name, encode=is_text(result))
        values = decoded(column)
        repeated = distinct_of(values.dictionary_encode(), with_null=self.converts_null) if self.costly else None
        if repeated is not None:
            return self._gathered(repeated, name, encode=False)
        converted = [self.convert(chunk, name) for chunk in values.chunks]
        bad = [pa.nulls(len(c.values), pa.bool_()) if c.bad is None else c.bad for c in converted]
        return pa.chunked_array([c.values for c in converted], type=result), _rows(bad)

    def _gathered(self, distinct: Distinct, name: str, *, encode: bool) -> tuple[pa.ChunkedArray, np.ndarray]:
        converted = self.convert(distinct.values, name)
        values = (distinct.gather_encoded if encode else distinct.gather)(converted.values)
        bad = [] if converted.bad is None else distinct.gather(converted.bad).chunks
        return values, _rows(bad)

    def _refusal(self, rows: np.ndarray, name: str) -> Iterator[Refusal]:
        if len(rows):
            yield Refusal(rows, self.reason, self.detail, column=name, stage=self.kind)


def _rows(bad: Sequence[pa.BooleanArray]) -> np.ndarray:
    mask = pc.fill_null(pa.chunked_array(bad, type=pa.bool_()), fill_value=False)
    rows: np.ndarray = pc.indices_nonzero(mask).to_numpy().astype(np.int64)
    return rows
