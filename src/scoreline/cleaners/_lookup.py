"""Rows of a table found by key: exact, any number of key columns, null never found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoreline.cleaners._distinct import distinct_of
from scoreline.cleaners._keys import canonical
from scoreline.cleaners._types import is_text

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_FOUND = -1


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """An index over the keys of a table, built once and asked many times.

    Attributes
    ----------
    indexes : for each key column a pandas Index of its distinct values
    levels : for each key column after the first, the sorted codes of the combinations up to it that occur
    rows : for each combination of keys its row in the table
    doubled : for keys that occur more than once, one of their rows and how many there are; in order of appearance
    """

    indexes: tuple[Any, ...]
    levels: tuple[np.ndarray, ...]
    rows: np.ndarray
    doubled: tuple[tuple[int, int], ...]

    def find(self, keys: Sequence[pa.ChunkedArray]) -> np.ndarray:
        """int64 row in the table for each row of the key columns, `NOT_FOUND` for none and where a key is null."""
        codes = _codes(self.indexes[0], keys[0])
        for index, level, key in zip(self.indexes[1:], self.levels, keys[1:], strict=True):
            more = _codes(index, key)
            codes = _position(level, np.where((codes < 0) | (more < 0), NOT_FOUND, codes * len(index) + more))
        if not len(self.rows):
            return codes
        return np.where(codes < 0, NOT_FOUND, self.rows[codes])


def build_lookup(keys: Sequence[pa.ChunkedArray]) -> Lookup:
    """Index the rows of a table by its key columns; of keys that occur twice the first row counts."""
    import pandas as pd

    columns = [canonical(key).combine_chunks() for key in keys]
    valid = np.logical_and.reduce([column.is_valid().to_numpy(zero_copy_only=False) for column in columns])
    codes = np.zeros(int(valid.sum()), np.int64)
    indexes, levels = [], []
    for column in columns:
        encoded = column.filter(pa.array(valid)).dictionary_encode()
        distinct = _as_numpy(encoded.dictionary)
        indexes.append(pd.Index(distinct, dtype=distinct.dtype))
        combined = codes * len(indexes[-1]) + encoded.indices.to_numpy()
        level, codes = np.unique(combined, return_inverse=True)
        levels.append(level)
    there = np.flatnonzero(valid)
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    twice = np.flatnonzero(counts > 1)
    doubled = sorted((int(there[first[at]]), int(counts[at])) for at in twice)
    return Lookup(tuple(indexes), tuple(levels[1:]), there[first], tuple(doubled))


def _codes(index: Any, key: pa.ChunkedArray) -> np.ndarray:
    # Text is looked up by Python object, which costs ten times what telling repeated values apart does.
    distinct = distinct_of(key.dictionary_encode() if is_text(key.type) else key, with_null=True)
    if distinct is None:
        return _found(index, canonical(key).combine_chunks())
    codes = _found(index, canonical(pa.chunked_array([distinct.values])).combine_chunks())
    return np.concatenate([codes[at.to_numpy()] for at in distinct.indices])


def _found(index: Any, values: pa.Array) -> np.ndarray:
    codes = np.full(len(values), NOT_FOUND, np.int64)
    valid = values.is_valid().to_numpy(zero_copy_only=False)
    codes[valid] = index.get_indexer(_as_numpy(values.drop_null()))
    return codes


def _as_numpy(values: pa.Array) -> np.ndarray:
    return np.asarray(values.to_numpy(zero_copy_only=False))


def _position(level: np.ndarray, combined: np.ndarray) -> np.ndarray:
    if not len(level):
        return np.full(len(combined), NOT_FOUND, np.int64)
    at = np.minimum(np.searchsorted(level, combined), len(level) - 1)
    return np.where(level[at] == combined, at, NOT_FOUND)


def take(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """Rows of a table, all null for `NOT_FOUND`."""
    positions = pa.array(rows, mask=rows < 0)
    columns = [pc.take(column, positions) for column in table.columns]
    return pa.table(columns, names=table.column_names)
