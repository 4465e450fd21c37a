"""Which rows of a unit scikit-learn answers too: the same ones whoever computes the unit, and whenever."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

EVERY, SAMPLED_ROWS = 16, 64
"""One in so many parts of a unit has a sample, and so many rows are in it: a call for one row costs as much."""


@dataclass(frozen=True)
class Place:
    """Where a part stands: the name of its unit, its number in there from 0, and how many parts the unit has.

    `instead` says that it stands in for the parts that hash chose, none of which had rows to sample.
    """

    unit: str
    part: int
    parts: int
    instead: bool = False

    @property
    def is_sampled(self) -> bool:
        """Whether a sample is taken of the part: of one in sixteen, chosen by hash, and of one in each unit at least.

        >>> [sum(Place("unit", part, parts).is_sampled for part in range(parts)) for parts in (1, 2, 16, 17, 320)]
        [1, 1, 1, 2, 20]
        """
        if self.instead:
            return True
        first = self.part - self.part % EVERY
        # The last part may be too short for a fast tier.
        choice = min(EVERY, max(1, self.parts - 1 - first))
        return self.part == first + _hash(self.unit, first) % choice

    def rows(self, count: int) -> np.ndarray:
        """The rows of the part, which has `count` of them, that are in its sample: those whose hash is least; sorted.

        >>> len(Place("unit", 0, 1).rows(16_384)), len(Place("unit", 0, 1).rows(5))
        (64, 5)
        """
        mixed = np.arange(count, dtype=np.uint64) + np.uint64(_hash(self.unit, self.part))
        for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(factor)
        return np.sort(np.argsort(mixed, kind="stable")[:SAMPLED_ROWS])


def _hash(unit: str, number: int) -> int:
    return int.from_bytes(blake2b(f"{number}:{unit}".encode(), digest_size=8).digest(), "big")
