"""A source that holds tables in memory, cut into units as a test likes, and units cleaned from it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from scoreline.cleaning import Cleaning
from scoreline.clusters.inline import Inline
from scoreline.contract import Contract
from scoreline.population import CleanedUnit
from scoreline.refusal import Reason, Refusal
from scoreline.sources.base import Source
from scoreline.stages.clean import CleanTask, clean
from scoreline.units import Piece, RawPart, Unit

_HELD: dict[str, pa.Table] = {}

UNREADABLE = "unreadable"
"""A value of this text is one that the source cannot read."""


class Held(Source):
    """Each file is a table that a test holds; read in parts of at most `most` rows."""

    kind: Literal["held"] = "held"
    uri: str = "held"
    most: int = 100_000
    as_dictionaries: bool = False

    def read(self, unit: Unit, contract: Contract, columns: Sequence[str], batch_rows: int) -> Iterator[RawPart]:
        for piece in unit.pieces:
            table = _HELD[piece.uri].select(list(columns)).slice(piece.first_row, piece.rows)
            for start in range(0, piece.rows, min(self.most, batch_rows)):
                yield self._part(table.slice(start, min(self.most, batch_rows)), piece.path, piece.first_row + start)

    def _part(self, table: pa.Table, path: str, first: int) -> RawPart:
        refusals = []
        for name in table.column_names:
            if pa.types.is_string(table.schema.field(name).type):
                rows = np.flatnonzero([value == UNREADABLE for value in table[name].to_pylist()])
                refusals.append(Refusal(rows, Reason.BAD_VALUE, "cannot be read", name, "read"))
                if self.as_dictionaries:
                    table = table.set_column(
                        table.column_names.index(name), name, table[name].dictionary_encode().unify_dictionaries()
                    )
        files = pa.array([path] * table.num_rows, pa.string()).dictionary_encode()
        numbers = np.arange(first, first + table.num_rows, dtype=np.int64)
        return RawPart(table, files, numbers, tuple(refusals), table)


def hold(folder: Path, table: pa.Table, cuts: Sequence[int]) -> tuple[Unit, ...]:
    """The units of one file that holds the table, cut before the given rows."""
    uri = str(folder / "held.parquet")
    _HELD[uri] = table
    edges = [0, *cuts, table.num_rows]
    return tuple(
        Unit(number, (Piece(uri, "held.parquet", start, stop - start, 0),))
        for number, (start, stop) in enumerate(pairwise(edges))
    )


def cleaning_task(folder: Path, table: pa.Table, cleaning: Cleaning | None = None, **options: Any) -> CleanTask:
    """The task that cleans units of a table: all columns are read and kept, unless `options` say otherwise."""
    cleaning = cleaning or Cleaning()
    task = CleanTask(
        source=Held(),
        contract=Contract(table.schema, {}),
        cleaning=cleaning,
        read=tuple(table.schema.names),
        keep=tuple(cleaning.output_schema(table.schema).names),
        seed=42,
        folder=str(folder),
    )
    return CleanTask(**{**vars(task), **options})


def cleaned(folder: Path, table: pa.Table, cuts: Sequence[int] = (), **options: Any) -> tuple[CleanedUnit, ...]:
    """The units of a table after cleaning in this process."""
    told: list[int] = []
    with Inline().open() as session:
        return clean(session, cleaning_task(folder, table, **options), hold(folder, table, cuts), told.append)
