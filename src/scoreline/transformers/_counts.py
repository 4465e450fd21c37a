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


def limit_for(levels: np.ndarray) -> int:
    """How many groups a part may send, so that what is left to resolve shrinks at least 25 times per round."""
    return max(LIMIT, 100 * len(levels))


def grouped(values: np.ndarray, known: Bounds | None, limit: int) -> Groups:
    """The groups of a part's float64 values without NaN.

    At most about `limit` groups lie between the bounds `known` from the last round, if there was one; values that these
    bounds rule out are one group per gap.

    >>> grouped(np.array([3.0, 1.0, 3.0]), None, limit=10)
    Groups(low=array([1., 3.]), high=array([1., 3.]), count=array([1, 2]))
    """
    distinct, counts = np.unique(values, return_counts=True)
    return _regrouped(Groups(distinct, distinct, counts), known, limit)


def merged(parts: Sequence[Groups], known: Bounds | None, limit: int) -> Groups:
    """The groups of several parts as those of one, with the same limit."""
    low, high, count = (np.concatenate([getattr(part, name) for part in parts]) for name in ("low", "high", "count"))
    order = np.lexsort((high, low))
    low, high, count = low[order], high[order], count[order]
    starts = np.ones(len(low), dtype=bool)
    starts[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return _regrouped(_cut(Groups(low, high, count), starts), known, limit)


def _regrouped(groups: Groups, known: Bounds | None, limit: int) -> Groups:
    if known is None:
        return _cut(groups, _starts(groups.count, limit))
    unsettled = known.low < known.high
    # Neither bound decreases with the position: a group meets some interval if more lows than highs are passed.
    begun = np.searchsorted(known.low[unsettled], groups.high, side="right")
    ended = np.searchsorted(known.high[unsettled], groups.low, side="left")
    wanted = begun > ended
    starts = np.ones(len(wanted), dtype=bool)
    starts[1:] = (wanted[1:] != wanted[:-1]) | (~wanted[1:] & (ended[1:] != ended[:-1]))
    starts[wanted] |= _starts(groups.count[wanted], limit)
    return _cut(groups, starts)


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


def _cut(groups: Groups, starts: np.ndarray) -> Groups:
    first = np.flatnonzero(starts)
    if first.size == 0:
        return groups
    highest = np.maximum.reduceat(groups.high, first)
    return Groups(groups.low[first], highest, np.add.reduceat(groups.count, first))


def bounded(groups: Groups, known: Bounds | None, levels: np.ndarray, method: Method) -> Bounds:
    """Bounds of the values that quantiles at `levels` (0 to 1) need, from all groups and what was `known`.

    >>> groups = merged([grouped(np.array([1.0, 2.0]), None, 10), grouped(np.array([7.0]), None, 10)], None, 10)
    >>> bounded(groups, None, np.array([0.5]), "linear")
    Bounds(total=3, positions=array([1]), low=array([2.]), high=array([2.]))
    """
    total = int(groups.count.sum())
    positions = (
        np.unique(np.concatenate(_neighbours(levels, total, method)[:2])) if total else np.array([], dtype=np.int64)
    )
    lowest = _reaching(groups.low, groups.count, positions)
    highest = _reaching(groups.high, groups.count, positions)
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
    after = np.where(weight == 0, before, before + 1)
    previous, following = (np.clip(place, 0, total - 1).astype(np.int64) for place in (before, after))
    return previous, following, weight


def quantiles(bounds: Bounds, levels: np.ndarray, method: Method) -> np.ndarray:
    """``numpy.quantile(column, levels, method=method)`` from exact bounds; NaN without values.

    >>> column = np.array([1.0, 2.0, 7.0])
    >>> levels = np.array([0.25, 0.5, 1.0])
    >>> quantiles(bounded(grouped(column, None, 10), None, levels, "linear"), levels, "linear")
    array([1.5, 2. , 7. ])
    """
    if bounds.total == 0:
        return np.full(len(levels), np.nan)
    previous, following, weight = _neighbours(levels, bounds.total, method)
    left, right = bounds.at(previous), bounds.at(following)
    # The two forms are numpy's: each is exact at its own end.
    return np.asarray(np.where(weight >= 0.5, right - (right - left) * (1 - weight), left + (right - left) * weight))
