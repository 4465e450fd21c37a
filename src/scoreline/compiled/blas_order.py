"""The orders in which OpenBLAS adds up a row of a matrix times coefficients, and what of it each feature is.

It multiplies and adds in one step, which rounds once. Of several scores each has one sum, feature after feature; where
there are many features it ends after some of them and the next one begins, and sums are added to one another. A single
score has four sums side by side, of every fourth feature each, and up to three features are left over. Kernels of other
processors may add up in another way: a model is held to what BLAS gives before it relies on one of these.

Read off ``interface/gemm.c``, ``driver/level3/level3.c``, ``kernel/x86_64/dgemv_t_4.c`` of OpenBLAS 0.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

_BLOCKS = ((384, 16), (256, 4))
"""Features of a sum, and what their number is a multiple of where the rest is halved: with AVX-512, and with AVX2."""

LANES, _LANED = 4, 2048
"""Sums of a single score side by side, and so many features until they are put together."""


@dataclass(frozen=True)
class Order:
    """An order of adding.

    Attributes
    ----------
    lanes : sums of a score side by side
    ends : the feature with which each sum begins, and the end of the last one; features from there on are left over
    features : how many there are
    """

    lanes: int
    ends: tuple[int, ...]
    features: int

    @property
    def sums(self) -> list[range]:
        """The features of each sum."""
        return [range(*pair) for pair in pairwise(self.ends)]

    @property
    def left_over(self) -> range:
        """The features that are added at last."""
        return range(self.ends[-1], self.features)


def orders(features: int, scores: int) -> list[Order]:
    """The orders that are known for a dense matrix of float64, those of newer processors first.

    >>> [order.ends for order in orders(176, 22)], [order.ends for order in orders(1000, 3)]
    ([(0, 176)], [(0, 384, 704, 1000), (0, 256, 512, 756, 1000)])
    >>> orders(7, 1)
    [Order(lanes=4, ends=(0, 4), features=7)]
    """
    if scores == 1:
        laned = features - features % LANES
        ends = (*range(0, laned, _LANED), laned) if laned else (0,)
        return [Order(LANES, ends, features)]
    found = [Order(1, tuple(accumulate(_lengths(features, *block), initial=0)), features) for block in _BLOCKS]
    return list(dict.fromkeys(found))


def _lengths(left: int, most: int, multiple: int) -> list[int]:
    lengths = []
    while left:
        half = -(-(left // 2) // multiple) * multiple
        lengths.append(most if left >= 2 * most else half if left > most else left)
        left -= lengths[-1]
    return lengths
