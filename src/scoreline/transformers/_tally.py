"""Distinct values with their counts, mergeable over parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoreline.transformers._columns import finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The distinct values of a column, sorted as scikit-learn sorts categories.

    Attributes
    ----------
    values : distinct values that are not null, in the column's own numpy dtype; text as str objects
    counts : int64, rows with each value
    nulls : rows with null
    """

    values: np.ndarray
    counts: np.ndarray
    nulls: int

    @property
    def rows(self) -> int:
        """All rows, nulls included."""
        return int(self.counts.sum()) + self.nulls

    def with_null(self) -> Tally:
        """The tally with null as its last value, NaN, when there are nulls: the categories of an encoder."""
        if not self.nulls:
            return self
        # Only objects and floats have nulls; NaN fits both.
        return Tally(np.append(self.values, [np.nan]).astype(self.values.dtype), np.append(self.counts, self.nulls), 0)


def tally(column: pd.Series) -> Tally:
    """Count the values of a column of numbers or text; memory for its distinct values. Raises DataError as `finite`.

    >>> import pandas as pd
    >>> tally(pd.Series(["b", "a", None, "b"])).with_null().values
    array(['a', 'b', nan], dtype=object)
    """
    counted = finite(column).value_counts(sort=False)
    values = counted.index.to_numpy()
    plain = values if values.dtype.kind in "fiub" else values.astype(object)
    return _sorted(plain, counted.to_numpy(dtype=np.int64), len(column) - int(counted.sum()))


def merged(parts: Sequence[Tally]) -> Tally:
    """The tally of all parts together. Parts without rows have no say in the dtype."""
    filled = [part for part in parts if part.rows]
    if len(filled) < 2:
        return filled[0] if filled else Tally(np.array([], dtype=object), np.array([], dtype=np.int64), 0)
    import pandas as pd

    values = np.concatenate([part.values for part in filled])
    codes, distinct = pd.factorize(values)
    counts = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(counts, codes, np.concatenate([part.counts for part in filled]))
    return _sorted(np.asarray(distinct), counts, sum(part.nulls for part in filled))


def _sorted(values: np.ndarray, counts: np.ndarray, nulls: int) -> Tally:
    order = np.argsort(values, kind="stable")
    return Tally(values[order], counts[order], nulls)
