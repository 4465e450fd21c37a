"""Draws demo rows as small integer codes. Row n of a seed is the same whichever file it lies in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scoreline.demo.world import CITIES, DAYS, GROUPS, KNOWN_CITIES, LIMITS, PLACES, REGIONS, UNKNOWN_CITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

TICKS = 4096
TERMS = 3
MISSING_AMOUNT = "missing_amount"
DUPLICATE = "duplicate"

_AGE_BANDS, _SEASONS = 5, 4
_CALENDAR = _SEASONS * 2
_AT_HOME = 90
_PULL = 1.3
_PLACE_PULL = 1.6
_SPECIAL_CYCLE = 34
_ROWS_PER_CYCLE = 6_000
_STREAMS = {"row": 0, "row_again": 1, "special": 2, "source": 3, "customer": 4, "customer_again": 5}


class Customers(NamedTuple):
    """One value a customer; `city` and `limit` have one for each of the `TERMS` that a customer passes through."""

    number: Ints
    opened: Ints
    age: Ints
    male: Ints
    wealth: Ints
    city: Ints
    limit: Ints


class World(NamedTuple):
    """Lookup tables from random ticks (0..4095) to codes; all that rows depend on besides their number.

    Attributes
    ----------
    profile : of a customer, row of the table `group` when multiplied by the calendar's size
    calendar : of a day, season and weekend
    group : (profile and calendar, tick) to merchant group
    place : (merchant group, tick) to place of the merchant
    """

    seed: int
    customers: Customers
    profile: Ints
    calendar: Ints
    group: NDArray[np.uint8]
    place: NDArray[np.uint8]


class Draw(NamedTuple):
    """Rows as codes: `term` is customer * TERMS + term, `amount` is group * TICKS + tick."""

    term: Ints
    day: Ints
    group: Ints
    amount: Ints
    place: Ints
    available: Ints


@dataclass(frozen=True)
class Specials:
    """Rows that are not as drawn: copies of earlier rows, rows without an amount, broken rows.

    The rows are cut into `count` bins of nearly equal width, and one row of each bin is special, never its first: so the
    first row of a bin can be copied. Kinds take turns, so how many rows there are of a kind is known without drawing any.
    """

    seed: int
    rows: int
    broken: Sequence[str]

    @property
    def count(self) -> int:
        """How many rows are special."""
        return self.rows * _SPECIAL_CYCLE // _ROWS_PER_CYCLE

    def kinds(self) -> list[str]:
        """The kind of each bin, for one turn."""
        common = [DUPLICATE, MISSING_AMOUNT, MISSING_AMOUNT, DUPLICATE]
        turn = [common[number % 4] for number in range(_SPECIAL_CYCLE)]
        turn[0:30:5] = [self.broken[number % len(self.broken)] for number in range(6)]
        return turn

    def totals(self) -> dict[str, int]:
        """How many rows there are of each kind."""
        full, rest = divmod(self.count, _SPECIAL_CYCLE)
        turn = self.kinds()
        return {kind: full * turn.count(kind) + turn[:rest].count(kind) for kind in dict.fromkeys(turn)}

    def between(self, start: int, stop: int) -> dict[str, Ints]:
        """Numbers of the special rows in [start, stop), by kind."""
        low, high = (number * self.count // self.rows for number in (start, stop))
        bins = np.arange(max(low - 1, 0), min(high + 1, self.count), dtype=np.int64)
        width = self._start(bins + 1) - self._start(bins) - 1
        chosen = self._start(bins) + 1 + random_bits(self.seed, "special", bins).astype(np.int64) % (2**31) % width
        inside = (chosen >= start) & (chosen < stop)
        turn = self.kinds()
        return {
            kind: chosen[inside & np.isin(bins % _SPECIAL_CYCLE, [i for i, k in enumerate(turn) if k == kind])]
            for kind in dict.fromkeys(turn)
        }

    def sources(self, copies: Ints) -> Ints:
        """For each row that is a copy, the number of the earlier row that it copies."""
        bins = copies * self.count // self.rows
        bins -= self._start(bins) > copies
        earlier = random_bits(self.seed, "source", copies).astype(np.int64) % (2**31) % (bins + 1)
        return self._start(earlier)

    def _start(self, bins: Ints) -> Ints:
        return bins * self.rows // max(self.count, 1)
