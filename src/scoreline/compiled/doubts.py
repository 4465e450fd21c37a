"""Rows that a way cannot vouch for, told apart from those that it can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.compiled.answers import Answers
from scoreline.compiled.dictionary import Declined

if TYPE_CHECKING:
    import pandas as pd

    from scoreline.compiled.way import Way

MOST_DOUBTS, _ROUNDS = 1_000, 8
"""Parts with more rows in doubt are left to scikit-learn; so often others come to light without the first ones."""

_LARGE = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Partial:
    """Answers for the rows of a part, but for some of which scikit-learn must be asked, since it may refuse them.

    Attributes
    ----------
    doubts : the rows in doubt, sorted
    answers : for all others, as if they were alone
    way : what answered
    """

    doubts: np.ndarray
    answers: Answers
    way: Way


def told_apart(way: Way, table: pa.Table, *, proba: bool) -> Partial | None:
    """The answers of a way for as many rows as it can vouch for; None when it cannot tell the others."""
    doubts = np.empty(0, dtype=np.int64)
    for _ in range(_ROUNDS):
        if 0 < table.num_rows == len(doubts):
            return Partial(doubts, Answers(np.empty(0)), way)
        try:
            return Partial(doubts, way.answers(without(table, doubts), proba=proba), way)
        except Declined as why:
            if why.rows is None or len(doubts) + len(why.rows) > MOST_DOUBTS:
                return None
            left = np.delete(np.arange(table.num_rows), doubts)
            doubts = np.sort(np.concatenate([doubts, left[why.rows]]))
        except Exception:  # noqa: BLE001  scikit-learn itself is asked then, and says what is wrong
            return None
    return None


def without(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """All rows of a table but some; the table itself where these are none."""
    return taken(table, np.delete(np.arange(table.num_rows), rows)) if len(rows) else table


def taken(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """Some rows of a table."""
    try:
        return table.take(pa.array(rows))
    except pa.ArrowException:
        # Arrow takes no rows of some types, nor across dictionaries that list null; their slices stay as they are.
        runs = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
        return pa.concat_tables([table.slice(int(run[0]), len(run)) for run in runs if len(run)])


def suspects(given: Any) -> np.ndarray | None:
    """Of a matrix or frame that was refused the rows that are likely at fault: infinite or too large, else missing."""
    from scipy import sparse

    if sparse.issparse(given):
        entries = given.tocoo()
        return _first(entries.row[_too_large(entries.data)], entries.row[np.isnan(entries.data)])
    if hasattr(given, "iloc"):
        return _of_frame(given)
    matrix = np.asarray(given)
    if matrix.dtype.kind != "f":
        return None
    return _first(np.nonzero(_too_large(matrix))[0], np.nonzero(np.isnan(matrix))[0])


def _of_frame(frame: pd.DataFrame) -> np.ndarray | None:
    floats = frame.select_dtypes("float").to_numpy(dtype=np.float64)
    return _first(np.nonzero(_too_large(floats))[0], np.nonzero(frame.isna().to_numpy())[0])


def _too_large(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(values) > _LARGE)


def _first(*found: np.ndarray) -> np.ndarray | None:
    return next((np.unique(rows) for rows in found if len(rows)), None)
