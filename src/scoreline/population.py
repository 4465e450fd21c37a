"""The rows that training works on: cleaned once, kept as Parquet, and read again by every later pass."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scoreline.sampling import GroupSplit, Split
from scoreline.storage import join, open_input

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HASH, GROUP_HASH = "__hash__", "__group__"
FINGERPRINTS = pa.schema([("first", pa.uint64()), ("second", pa.uint64()), ("position", pa.int64())])
"""What is kept to find copies: two hashes of each row that was compared, and its position in the unit's file or -1."""
ROW_GROUP_ROWS = 131_072

Which = Literal["train", "held_out", "all"]


@dataclass(frozen=True, eq=False)
class CleanedUnit:
    """A unit after cleaning for training.

    Attributes
    ----------
    number, name : of the unit it came from
    uri : Parquet file of its rows, in input order
    rows_in, rows, filtered : rows of the unit, rows in the file, rows that steps dropped
    refused : refused rows by reason code
    hits : rows matched and rows looked up, by join
    duplicates : positions in the file of rows that are copies of a row with a lower identity
    """

    number: int
    name: str
    uri: str
    rows_in: int
    rows: int
    filtered: int
    refused: Mapping[str, int]
    hits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    duplicates: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def without(self, duplicates: np.ndarray) -> CleanedUnit:
        """The unit with its copies named."""
        return replace(self, duplicates=duplicates)


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of a population, in input order.

    Attributes
    ----------
    table : the columns asked for
    hashes : uint64 identity hash of each row
    """

    table: pa.Table
    hashes: np.ndarray


@dataclass(frozen=True, eq=False)
class Population:
    """All cleaned rows that have a target and are no copies, and which of them are held out.

    Attributes
    ----------
    target : name of the target column
    split : which rows are held out; None when all are (evaluation on other data)
    """

    units: tuple[CleanedUnit, ...]
    target: str
    split: Split | None

    def only(self, unit: CleanedUnit) -> Population:
        """The population of one unit: small enough to travel with a task."""
        return Population((unit,), self.target, self.split)

    def batches(self, columns: Sequence[str], which: Which, group: int | None = None) -> Iterator[Batch]:
        """The wanted rows of all units in input order, one batch a row group, batches without rows left out.

        With `group`, only the row group of that number of each unit.
        """
        wanted = dict.fromkeys([*columns, self.target, *self._split_columns(), HASH])
        for unit in self.units:
            for table in _rows_left(unit, tuple(wanted), group):
                batch = self._chosen(table, columns, which)
                if len(batch.hashes):
                    yield batch

    def _split_columns(self) -> tuple[str, ...]:
        if self.split is None or self.split.config.kind == "random":
            return ()
        return (GROUP_HASH,) if isinstance(self.split.config, GroupSplit) else (self.split.config.column,)

    def _chosen(self, table: pa.Table, columns: Sequence[str], which: Which) -> Batch:
        kept = has_value(table[self.target])
        if which != "all" and self.split is not None:
            name = GROUP_HASH if isinstance(self.split.config, GroupSplit) else HASH
            held_out = self.split.held_out(table, table[name].to_numpy(), self.target)
            kept = kept & (held_out if which == "held_out" else ~held_out)
        chosen = table.filter(pa.array(kept))
        return Batch(chosen.select(list(dict.fromkeys(columns))), chosen[HASH].to_numpy())


def has_value(column: pa.ChunkedArray) -> np.ndarray:
    """True where a column has a value that is neither null nor NaN."""
    valid = pc.is_valid(column)
    if pa.types.is_floating(column.type):
        valid = pc.and_(valid, pc.fill_null(pc.invert(pc.is_nan(column)), fill_value=False))
    mask: np.ndarray = valid.to_numpy()
    return mask


def row_groups(unit: CleanedUnit) -> int:
    """How many row groups the unit's file has."""
    return -(-unit.rows // ROW_GROUP_ROWS)


def _rows_left(unit: CleanedUnit, columns: Sequence[str], only: int | None) -> Iterator[pa.Table]:
    """The unit's rows that are no copies, a row group at a time."""
    with open_input(unit.uri) as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
        for group in range(parquet.num_row_groups) if only is None else (only,):
            table = parquet.read_row_group(group, columns=list(columns), use_threads=False)
            yield _without_copies(table, unit.duplicates, group * ROW_GROUP_ROWS)


def _without_copies(table: pa.Table, duplicates: np.ndarray, start: int) -> pa.Table:
    copies = duplicates[(duplicates >= start) & (duplicates < start + table.num_rows)] - start
    if not len(copies):
        return table
    kept = np.ones(table.num_rows, dtype=bool)
    kept[copies] = False
    return table.filter(pa.array(kept))


def fingerprints_of(uri: str) -> str:
    """The file of fingerprints that belongs to a unit's file; readers of its folder pass over it."""
    folder, _, name = uri.rpartition("/")
    return join(folder, "_fingerprints", name)


def read_fingerprints(
    units: Sequence[CleanedUnit], bucket: int, buckets: int
) -> Iterator[tuple[CleanedUnit, pa.Table]]:
    """The fingerprints of each unit that fall into one of `buckets` buckets."""
    for unit in units:
        with open_input(fingerprints_of(unit.uri)) as file:
            table = pq.read_table(file, use_threads=False)
        yield unit, table.filter(pa.array(table["first"].to_numpy() % np.uint64(buckets) == bucket))
