"""Exact order statistics of a column that is spread over parts.

Each part sends its distinct values with their counts, or, where these are too many, its values in groups of
neighbours. Groups bound the value at every wanted position from both sides; the next round resolves only what lies
between these bounds. A column of few distinct values is done after one round, a hundred million different ones after
two or three, for any partitioning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 4096
"""Groups that a part sends for a few quantiles: 100 kB."""

Method = Literal["linear", "averaged_inverted_cdf"]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """All values of a part: group i has `count[i]` values, the smallest `low[i]` and the largest `high[i]`.

    Float64, int64; groups of one distinct value (low equals high) are exact. Groups of several parts may overlap.
    """

    low: np.ndarray
    high: np.ndarray
    count: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """What is known of the values at some positions of the sorted column.

    Attributes
    ----------
    total : number of values in the column
    positions : int64, sorted, the wanted positions, from 0
    low, high : float64, the value at each position is at least `low` and at most `high`
    """

    total: int
    positions: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def exact(self) -> bool:
        """True when every wanted value is known."""
        return bool((self.low == self.high).all())

    def at(self, positions: np.ndarray) -> np.ndarray:
        """The values at positions that were wanted, once `exact`."""
        return self.low[np.searchsorted(self.positions, positions)]


def grouped(values: np.ndarray, bounds: Bounds | None, limit: int) -> Groups:
    """The groups of a part's float64 values without NaN.

    At most about `limit` groups lie between the `bounds` of the last round, if there was one; values that these bounds
    rule out are one group per gap.

    >>> grouped(np.array([3.0, 1.0, 3.0]), None, limit=10)
    Groups(low=array([1., 3.]), high=array([1., 3.]), count=array([1, 2]))
    """
    distinct, counts = np.unique(values, return_counts=True)
    if bounds is None:
        return _cut(distinct, counts, _starts(counts, limit))
    open_ = bounds.low < bounds.high
    # Neither bound decreases with the position, so a value lies between some pair if more lows than highs are below it.
    begun = np.searchsorted(bounds.low[open_], distinct, side="right")
    ended = np.searchsorted(bounds.high[open_], distinct, side="left")
    wanted = begun > ended
    starts = np.ones(len(distinct), dtype=bool)
    starts[1:] = wanted[1:] != wanted[:-1]
    starts[wanted] |= _starts(counts[wanted], limit)
    # A gap never reaches over an interval, even over one in which this part has no value.
    starts[1:] |= ~wanted[1:] & (ended[1:] != ended[:-1])
    return _cut(distinct, counts, starts)


def limit_for(levels: np.ndarray) -> int:
    """How many groups a part may send, so that what is left to resolve shrinks at least 25 times per round."""
    return max(LIMIT, 100 * len(levels))


def _starts(counts: np.ndarray, limit: int) -> np.ndarray:
    """Where groups of about equally many values begin; a value that could fill a group has one of its own."""
    if len(counts) <= limit:
        return np.ones(len(counts), dtype=bool)
    size = max(1, int(counts.sum()) * 2 // limit)
    slot = (np.cumsum(counts) - counts) // size
    starts = counts >= size
    starts[0] = True
    starts[1:] |= slot[1:] != slot[:-1]
    return starts


def _cut(distinct: np.ndarray, counts: np.ndarray, starts: np.ndarray) -> Groups:
    first = np.flatnonzero(starts)
    if first.size == 0:
        return Groups(distinct, distinct, counts)
    last = np.append(first[1:], len(distinct)) - 1
    return Groups(distinct[first], distinct[last], np.add.reduceat(counts, first))


def bounded(parts: Sequence[Groups], known: Bounds | None, levels: np.ndarray, method: Method) -> Bounds:
    """Bounds of the values that quantiles at `levels` (0 to 1) need, from the groups of all parts and what was `known`.

    >>> halves = [grouped(np.array([1.0, 2.0]), None, 10), grouped(np.array([7.0]), None, 10)]
    >>> bounded(halves, None, np.array([0.5]), "linear")
    Bounds(total=3, positions=array([1, 2]), low=array([2., 7.]), high=array([2., 7.]))
    """
    low, high, count = (np.concatenate([getattr(part, name) for part in parts]) for name in ("low", "high", "count"))
    total = int(count.sum())
    positions = (
        np.unique(np.concatenate(_neighbours(levels, total, method)[:2])) if total else np.array([], dtype=np.int64)
    )
    lowest, highest = _reaching(low, count, positions), _reaching(high, count, positions)
    if known is None:
        return Bounds(total, positions, lowest, highest)
    # Values that were settled in an earlier round now lie inside coarse groups.
    return Bounds(total, positions, np.maximum(lowest, known.low), np.minimum(highest, known.high))


def _reaching(edges: np.ndarray, counts: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The edge at which the running count first exceeds each position.

    With the values of every group put at its low edge this bounds the value at the position from below, at its high
    edge from above.
    """
    order = np.argsort(edges, kind="stable")
    return edges[order][np.searchsorted(np.cumsum(counts[order]), positions, side="right")]


def _neighbours(levels: np.ndarray, total: int, method: Method) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions before and after each quantile and the weight of the latter, by numpy's definition of the method."""
    virtual = levels * (total - 1) if method == "linear" else total * levels - 1
    before = np.floor(virtual)
    weight = virtual - before
    if method == "averaged_inverted_cdf":
        weight = np.where(weight == 0, 0.5, 1.0)
    previous, following = (np.clip(place, 0, total - 1).astype(np.int64) for place in (before, before + 1))
    return previous, following, weight


def quantiles(bounds: Bounds, levels: np.ndarray, method: Method) -> np.ndarray:
    """``numpy.quantile(column, levels, method=method)`` from exact bounds; NaN without values.

    >>> column = np.array([1.0, 2.0, 7.0])
    >>> levels = np.array([0.25, 0.5, 1.0])
    >>> quantiles(bounded([grouped(column, None, 10)], None, levels, "linear"), levels, "linear")
    array([1.5, 2. , 7. ])
    """
    if bounds.total == 0:
        return np.full(len(levels), np.nan)
    previous, following, weight = _neighbours(levels, bounds.total, method)
    left, right = bounds.at(previous), bounds.at(following)
    # The two forms are numpy's: each is exact at its own end.
    return np.asarray(np.where(weight >= 0.5, right - (right - left) * (1 - weight), left + (right - left) * weight))
