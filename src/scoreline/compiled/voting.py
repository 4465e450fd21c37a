"""Forests that are asked for labels alone: a row is asked no more once no further tree can change its label."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scoreline.compiled.decided_kernel import Abreast, take_out
from scoreline.compiled.descent_kernel import descend
from scoreline.compiled.views import ABREAST

if TYPE_CHECKING:
    from scoreline.compiled.descent import Going
    from scoreline.compiled.flat import Descent

STOPS = (0.55, 0.65, 0.75, 0.85, 0.95)
"""The shares of trees after which rows are looked at; of the first half of them none can be decided."""

LEAST_TREES = 16
"""Fewer are asked all, which takes no longer than to look."""


USUAL = 1e-200, 1e200
"""Between these what is rounded is in proportion to what leaves hold: no sum overflows or loses its last bits."""


class Turn(NamedTuple):
    """Some trees that follow each other, and by how much all after them can change the difference of two scores."""

    trees: Descent
    reach: float


class Voting(NamedTuple):
    """Trees in turns, and how they are gone down."""

    going: Going
    turns: tuple[Turn, ...]

    def sums(self, codes: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Sums of some of the trees for codes (columns, rows): the largest of each row is that of all trees.

        Float64 (rows, scores). A row that is never decided has the sums of all trees, to the last bit.
        """
        views, order = self.going.views, self.going.views.order(codes)
        made, roots = views.made(codes[:, order])
        scores = np.tile(start, (len(roots), 1))
        found, rows, width = np.empty((len(order), len(start))), order.astype(np.int64), len(views.views)
        for trees, reach in self.turns:
            groups = -(-len(rows) // ABREAST) * ABREAST
            descend(made, width, roots, trees, scores[:groups])
            rows = rows[: take_out(Abreast(made, roots, scores, rows), width, reach, found)]
        found[rows] = scores[: len(rows)]
        return found


def voting(going: Going) -> Voting | None:
    """The trees in turns; None where there are too few of them, one score only, or leaves that hold odd numbers.

    Each leaf adds to all scores. Reads what all leaves hold.
    """
    values, count = going.trees.values, len(going.trees.place)
    if count < LEAST_TREES or values.shape[1] == 1:
        return None
    least, largest = float(values.min()), float(values.max())
    most = max(abs(least), abs(largest))
    if not USUAL[0] <= most <= USUAL[1]:
        return None
    # Four times what so many additions can round.
    rounding = 4 * count**2 * most * float(np.finfo(np.float64).eps)
    stops = sorted({0, *(round(share * count) for share in STOPS), count})
    turns = [
        Turn(_some(going.trees, begin, end), (count - end) * (largest - least) + rounding)
        for begin, end in pairwise(stops)
    ]
    # After the last one nothing is left to decide.
    return Voting(going, (*turns[:-1], turns[-1]._replace(reach=np.inf)))


def _some(trees: Descent, begin: int, end: int) -> Descent:
    return trees._replace(
        base=trees.base[begin : end + 1], first=trees.first[begin : end + 1], place=trees.place[begin:end]
    )
