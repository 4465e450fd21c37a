"""Whether two outputs hold the same answers for the same rows, whatever their order and files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LINES = 8
"""TPC-H has at most seven lines an order."""
UNKNOWN = -1
CLOSE = 1e-12
"""How far probabilities may be apart: BLAS adds up in another order when batches have another size."""


@dataclass(frozen=True)
class Answers:
    """Answers in the order of the rows' keys.

    Attributes
    ----------
    columns : names of all columns, sorted
    keys, codes : of each row; codes are positions among the labels, or UNKNOWN
    shares : probabilities, if there are any
    """

    columns: tuple[str, ...]
    keys: np.ndarray[Any, np.dtype[np.int64]]
    codes: np.ndarray[Any, np.dtype[np.int16]]
    shares: np.ndarray[Any, np.dtype[np.float64]] | None


def read(folder: Path, key: Sequence[str], labels: Sequence[str]) -> Answers:
    """Read what was written, in memory."""
    rows = ds.dataset(sorted(folder.rglob("*.parquet")), format="parquet")
    names = [f"proba_{label}" for label in labels if f"proba_{label}" in rows.schema.names]
    table = rows.to_table(columns=[*key, "prediction", *names])
    keys = _keys(table, key)
    order = np.argsort(keys, kind="stable")
    codes = pc.fill_null(pc.index_in(table["prediction"].cast(pa.string()), pa.array(labels)), UNKNOWN)
    shares = np.column_stack([table[name].to_numpy() for name in names])[order] if names else None
    return Answers(tuple(sorted(rows.schema.names)), keys[order], codes.to_numpy().astype(np.int16)[order], shares)


def difference(ours: Answers, theirs: Answers) -> str | None:
    """What is not the same; None if all is."""
    if ours.columns != theirs.columns:
        return f"columns: {sorted(set(ours.columns) ^ set(theirs.columns))}"
    if not np.array_equal(ours.keys, theirs.keys):
        return f"rows: {len(ours.keys)} and {len(theirs.keys)}"
    if others := int(((ours.codes != theirs.codes) | (ours.codes == UNKNOWN)).sum()):
        return f"labels of {others} of {len(ours.keys)} rows"
    if ours.shares is not None and theirs.shares is not None:
        most = float(np.abs(ours.shares - theirs.shares).max())
        return f"probabilities by {most}" if most > CLOSE else None
    return None


def _keys(table: pa.Table, key: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """One number that names a row."""
    columns = [np.asarray(table[name].to_numpy(), np.int64) for name in key]
    return columns[0] * LINES + columns[1] if len(columns) > 1 else columns[0]
