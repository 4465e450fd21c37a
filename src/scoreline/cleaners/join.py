"""Columns from reference data, by key."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, PrivateAttr, field_validator, model_validator

from scoreline.cleaners._buckets import Buckets, find_in_buckets, write_buckets
from scoreline.cleaners._columns import absent, place, refuse_any, repeated
from scoreline.cleaners._keys import key_family
from scoreline.cleaners._lookup import Lookup, build_lookup, take
from scoreline.cleaners._reference import (
    FileFormat,
    Reference,
    ReferenceFact,
    batches,
    load,
    survey_reference,
)
from scoreline.cleaners._types import is_text, plain
from scoreline.cleaners.base import Cleaned, Step
from scoreline.contract import parse_type
from scoreline.errors import DataError, Problem
from scoreline.refusal import Reason, Refusal
from scoreline.storage import join as location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BROADCAST_ROWS = 5_000_000
BROADCAST_BYTES = 256 * 2**20
"""A reference with more rows or bytes is not held in memory whole."""

_BUCKET_ROWS = 500_000
_MOST_BUCKETS = 256
_KEYS_SHOWN = 3
# Text with at most this many values is brought as a dictionary, so that steps after the join work on distinct values.
_DICTIONARY_VALUES = 65_536
_LOADING = Lock()


class Join(Step):
    """Bring columns of reference data to each row by key: a left join that never multiplies, drops or reorders rows.

    The reference is a Parquet or CSV file, or a folder of them. Each key may occur in it once; a key that occurs twice
    is refused before anything runs. A null key matches nothing. Keys are compared exactly as they are: clean them
    first. One column of text does not match one of numbers; cast one of them.

    The reference is read once by each process, or, when it is large, spread over files once so that each part reads
    what it needs. It is read where it lies and must not change while a run lasts.
    """

    kind: Literal["join"] = "join"
    on: Literal["both", "train", "predict"] = Field("both", alias="when", description="When the step is applied.")
    reference: str = Field(
        alias="with", min_length=1, description="Reference data: file, folder or glob; local or s3://."
    )
    keys: dict[str, str] | tuple[str, ...] = Field(
        alias="on", min_length=1, description="Key columns, or the reference's key column by the input's."
    )
    columns: tuple[str, ...] | None = Field(
        None, min_length=1, description="Columns to bring; null for all but the reference's key columns."
    )
    prefix: str = Field("", description="Put before the name of every column that is brought.")
    suffix: str = Field("", description="Put after the name of every column that is brought.")
    cardinality: Literal["m:1"] = Field(
        "m:1", alias="validate", description="Many rows may have one key, which the reference has once."
    )
    on_miss: Literal["null", "refuse", "fail"] = Field(
        "null", description="What becomes of rows without a match: nulls, quarantine, or the end of the run."
    )
    min_hit_rate: float | None = Field(
        None, ge=0, le=1, description="Share of all rows that must find a match, or nothing is trained or published."
    )
    format: FileFormat | None = Field(None, description="Format of the reference; null to tell by the file names.")
    delimiter: str = Field(",", min_length=1, max_length=1, description="Delimiter, when the reference is CSV.")
    types: dict[str, str] = Field(
        default_factory=dict, description="Arrow types of columns, when the reference is CSV; others are found out."
    )
    broadcast_rows: int | None = Field(
        None, ge=0, description=f"Most rows that are held in memory whole; null for {BROADCAST_ROWS}."
    )

    _fact: ReferenceFact | None = PrivateAttr(None)
    _buckets: Buckets | None = PrivateAttr(None)

    @field_validator("types")
    @classmethod
    def _types_exist(cls, types: dict[str, str]) -> dict[str, str]:
        for name, spelled in types.items():
            try:
                parse_type(spelled)
            except ValueError as error:
                raise ValueError(f"column '{name}': there is no type '{spelled}'") from error
        return types

    @model_validator(mode="after")
    def _keys_are_told_apart(self) -> Self:
        if len(set(self.keys)) < len(self.keys):
            raise ValueError("a key column is named twice")
        return self

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns with those that are brought. Raises StepError with everything that stands against the join.

        Reads the reference unless the step is prepared.
        """
        problems = absent(self.kind, self._left, schema.names)
        problems.extend(self._absent_there(self._known))
        if not problems:
            problems.extend(self._keys_that_differ(schema))
            problems.extend(self._clashes(schema))
        refuse_any(problems)
        return pa.schema([*schema, *self._brought_schema])

    def apply(self, part: pa.Table) -> Cleaned:
        """The part with the columns that are brought; text comes as a dictionary where it repeats.

        Raises DataError when the reference changed since the run was planned, and for a miss when misses end the run.
        """
        self.output_schema(part.schema)
        brought, found = self._looked_up([part[name] for name in self._left])
        table = part
        for name, column in zip(brought.column_names, brought.columns, strict=True):
            table = table.append_column(name, column)
        missed = np.flatnonzero(~found)
        if self.on_miss == "fail" and len(missed):
            what = f"{len(missed)} of {part.num_rows} rows of a part have no match in {self.reference}"
            advice = "add what is missing to the reference, or set 'on_miss' to 'null' or 'refuse'"
            raise DataError(Problem(what, place(self.kind), advice))
        return Cleaned(table, tuple(self._refusals(missed)), hits=((self._label, int(found.sum()), part.num_rows),))

    def renamed(self, schema: pa.Schema) -> Mapping[str, str | None]:
        """All that is brought is new."""
        return dict.fromkeys(self._after(name) for name in self._brought(self._known))

    def needs(self, wanted: frozenset[str], schema: pa.Schema) -> frozenset[str]:
        """The key columns, and the wanted columns that are not brought."""
        brought = {self._after(name) for name in self._brought(self._known)}
        return (wanted - brought).union(self._left)

    def narrowed(self, wanted: frozenset[str], schema: pa.Schema) -> Self | None:
        """The step with the wanted columns only."""
        kept = tuple(name for name in self._brought(self._known) if self._after(name) in wanted)
        return self.model_copy(update={"columns": kept}) if kept else None

    def judge(self, hits: Mapping[str, tuple[int, int]]) -> None:
        """Raise DataError when fewer of a run's rows found a match than `min_hit_rate` asks for."""
        matched, rows = hits.get(self._label, (0, 0))
        if self.min_hit_rate is None or not rows or matched / rows >= self.min_hit_rate:
            return
        what = f"{matched} of {rows} rows ({matched / rows:.1%}) found a match in {self.reference}"
        wanted = f"'min_hit_rate' asks for {self.min_hit_rate:.1%}"
        advice = f"{wanted}: complete the reference, or clean the keys before the join"
        raise DataError(Problem(what, place(self.kind), advice))

    def references(self) -> Sequence[str]:
        """The location of the reference."""
        return (self.reference,)

    def reference_hashes(self) -> Sequence[str]:
        """The hash of the reference's content, once the step is prepared."""
        return () if self._fact is None else (self._fact.sha256,)

    def prepared(self, facts: dict[str, Any]) -> Self:
        """The step with its reference's hash, size and columns; keys that a small one has twice are refused."""
        fact: ReferenceFact = facts.get(self.reference) or _surveyed(self._source, self._source.files())
        if not self._is_large(fact) and not self._absent_there(fact):
            self._lookup(fact)
        return self._knowing(fact, None)

    def spread(self, folder: str) -> Self:
        """The step with a large reference spread over files in a folder below `folder`, a bucket of keys each.

        Streams the reference once. Files that are there already, of an earlier attempt, are used as they are.
        """
        fact = self._known
        if not self._is_large(fact):
            return self
        if self._source.files() != fact.files:
            what = "the reference data changed since the run was planned"
            raise DataError(Problem(what, self.reference, "run the same command again; it plans anew"))
        layout = (self._right, self._brought(fact))
        rows = min(_BUCKET_ROWS, self.broadcast_rows or _BUCKET_ROWS)
        buckets = write_buckets(
            batches(self._source, fact, list(dict.fromkeys((*layout[0], *layout[1])))),
            layout,
            location(folder, fact.sha256[:16]),
            min(_MOST_BUCKETS, fact.rows // rows + 1),
            self._refuse_doubled,
        )
        return self._knowing(fact, buckets)

    def _knowing(self, fact: ReferenceFact, buckets: Buckets | None) -> Self:
        knowing = self.model_copy()
        knowing._fact, knowing._buckets = fact, buckets  # noqa: SLF001
        return knowing

    @property
    def _source(self) -> Reference:
        return Reference(self.reference, self.format, self.delimiter, tuple(self.types.items()))

    @property
    def _known(self) -> ReferenceFact:
        return self._fact or _surveyed(self._source, self._source.files())

    def _is_large(self, fact: ReferenceFact) -> bool:
        if self.broadcast_rows is not None:
            return fact.rows > self.broadcast_rows
        return fact.rows > BROADCAST_ROWS or fact.bytes > BROADCAST_BYTES

    @property
    def _left(self) -> tuple[str, ...]:
        return tuple(self.keys)

    @property
    def _right(self) -> tuple[str, ...]:
        return tuple(self.keys.values()) if isinstance(self.keys, dict) else self.keys

    def _brought(self, fact: ReferenceFact) -> tuple[str, ...]:
        if self.columns is not None:
            return self.columns
        return tuple(name for name in fact.schema.names if name not in self._right)

    @property
    def _brought_schema(self) -> pa.Schema:
        fact = self._known
        return pa.schema([pa.field(self._after(name), fact.schema.field(name).type) for name in self._brought(fact)])

    @property
    def _label(self) -> str:
        # Told apart by content: results of a run that was resumed after its data moved must add up.
        return f"join on {', '.join(self._left)} ({self._known.sha256[:10]})"

    def _after(self, name: str) -> str:
        return f"{self.prefix}{name}{self.suffix}"

    def _absent_there(self, fact: ReferenceFact) -> list[Problem]:
        named = dict.fromkeys((*self._right, *(self.columns or ()), *self.types))
        where = f"{place(self.kind)}, reference {self.reference}"
        return [Problem(p.what, where, p.advice) for p in absent(self.kind, named, fact.schema.names)]

    def _keys_that_differ(self, schema: pa.Schema) -> Iterator[Problem]:
        for left, right in zip(self._left, self._right, strict=True):
            here, there = schema.field(left).type, self._known.schema.field(right).type
            if pa.types.is_null(here) and key_family(there):
                continue
            if key_family(here) is None or key_family(here) != key_family(there):
                what = (
                    f"the key '{left}' is {plain(here)}, and '{right}' of the reference is {there}: nothing can match"
                )
                yield Problem(
                    what, place(self.kind), f"cast '{left}' to {there} with a step of kind 'cast' before the join"
                )

    def _clashes(self, schema: pa.Schema) -> list[Problem]:
        names = [*schema.names, *(self._after(name) for name in self._brought(self._known))]
        return repeated(self.kind, names, "give 'prefix' or 'suffix', or name in 'columns' what the join shall bring")

    def _looked_up(self, keys: Sequence[pa.ChunkedArray]) -> tuple[pa.Table, np.ndarray]:
        names = self._brought_schema.names
        if self._buckets is not None:
            stored = pa.schema([self._known.schema.field(name) for name in self._brought(self._known)])
            brought, found = find_in_buckets(self._buckets, keys, stored)
            return brought.rename_columns(names), found
        lookup, table = self._lookup(self._known)
        rows = lookup.find(keys)
        return take(table, rows).rename_columns(names), rows >= 0

    def _lookup(self, fact: ReferenceFact) -> tuple[Lookup, pa.Table]:
        with _LOADING:
            lookup, keys, table = _indexed(self._source, fact, self._right, self._brought(fact))
        self._refuse_doubled(keys, lookup)
        return lookup, table

    def _refuse_doubled(self, keys: pa.Table, lookup: Lookup) -> None:
        if not lookup.doubled:
            return
        shown = [
            f"{', '.join(f'{name}={keys[name][row].as_py()!r}' for name in self._right)} ({count} rows)"
            for row, count in lookup.doubled[:_KEYS_SHOWN]
        ]
        what = f"{len(lookup.doubled)} keys occur more than once in the reference, such as {'; '.join(shown)}"
        advice = "keep one row for each key, or add to 'on' what tells the rows apart"
        raise DataError(Problem(what, self.reference, advice))

    def _refusals(self, missed: np.ndarray) -> Iterator[Refusal]:
        if self.on_miss == "refuse" and len(missed):
            column = self._left[0] if len(self._left) == 1 else None
            detail = "no row of the reference has this key"
            yield Refusal(missed.astype(np.int64), Reason.NO_MATCH, detail, column=column, stage=self.kind)


# Asked again when a file's stamp changes; what is then read is compared with the hash all the same.
_surveyed = lru_cache(maxsize=32)(survey_reference)


@lru_cache(maxsize=8)
def _indexed(
    reference: Reference, fact: ReferenceFact, keys: tuple[str, ...], columns: tuple[str, ...]
) -> tuple[Lookup, pa.Table, pa.Table]:
    """The index of a reference, its keys, and the columns to bring; once a process."""
    table = load(reference, fact).combine_chunks()
    brought = [_repeating(table[name]) for name in columns]
    return build_lookup([table[key] for key in keys]), table.select(keys), pa.table(brought, names=list(columns))


def _repeating(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not is_text(column.type) or pc.count_distinct(column).as_py() > _DICTIONARY_VALUES:
        return column
    return column.dictionary_encode().unify_dictionaries()
