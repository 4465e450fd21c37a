"""Count, mean and variance that merge over parts without losing digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over values x about an anchor that is close to their mean.

    The mean is kept as anchor + offset: one float64 near 1e9 is too coarse for the differences between the means of
    parts, whose squares go into the variance.

    Attributes
    ----------
    count : number of values
    anchor, offset : the mean is their sum
    squares : sum of (x - mean)**2
    """

    count: int = 0
    anchor: float = 0.0
    offset: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float:
        """The mean; NaN without values."""
        return self.anchor + self.offset if self.count else float("nan")

    @property
    def variance(self) -> float:
        """The population variance (divided by the count); NaN without values."""
        return self.squares / self.count if self.count else float("nan")


def moments(values: np.ndarray) -> Moments:
    """The moments of float64 values without NaN, by the corrected two-pass algorithm.

    Chan, Golub, LeVeque, "Algorithms for computing the sample variance", The American Statistician 37.3 (1983).

    >>> moments(np.array([1.0, 2.0, 6.0])).variance
    4.666666666666667
    """
    if values.size == 0:
        return Moments()
    anchor = float(values.mean())
    rest = values - anchor
    offset = float(rest.mean())
    squares = float(np.square(rest).sum()) - values.size * offset * offset
    return Moments(int(values.size), anchor, offset, max(squares, 0.0))


def merged(parts: Iterable[Moments]) -> Moments:
    """The moments of all parts together, by equation 1.5 of the same paper.

    >>> merged([moments(np.array([1.0, 2.0])), Moments(), moments(np.array([6.0]))]).mean
    3.0
    """
    total = Moments()
    for part in parts:
        if total.count == 0 or part.count == 0:
            total = part if total.count == 0 else total
            continue
        count = total.count + part.count
        delta = (part.anchor - total.anchor) + (part.offset - total.offset)
        squares = total.squares + part.squares + delta * delta * (total.count * part.count / count)
        total = Moments(count, total.anchor, total.offset + delta * (part.count / count), squares)
    return total
