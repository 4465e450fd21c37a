"""Which demo rows are copies of earlier rows, lack their amount or are broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoreline.demo.draws import pick, random_bits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.demo.draws import Ints

DUPLICATE = "duplicate"
MISSING_AMOUNT = "missing_amount"

_TURN = 34
_ROWS_PER_TURN = 6_000


@dataclass(frozen=True)
class Specials:
    """Which rows are not as drawn: copies of earlier rows, rows without an amount, broken rows.

    The rows are cut into `count` bins of nearly equal width, and one row of each bin is special, never its first: so
    the first row of a bin can be copied. Kinds take turns, so their totals are known without drawing any row.
    """

    seed: int
    rows: int
    broken: Sequence[str]

    @property
    def count(self) -> int:
        """How many rows are special."""
        return self.rows * _TURN // _ROWS_PER_TURN

    def turn(self) -> list[str]:
        """The kinds in the order in which bins take them, over and over: about 0.1 % of all rows are broken."""
        kinds = [DUPLICATE, MISSING_AMOUNT] * (_TURN // 2)
        kinds[0:30:5] = [self.broken[number % len(self.broken)] for number in range(6)]
        return kinds

    def totals(self) -> dict[str, int]:
        """How many rows there are of each kind."""
        full, rest = divmod(self.count, _TURN)
        turn = self.turn()
        return {kind: full * turn.count(kind) + turn[:rest].count(kind) for kind in dict.fromkeys(turn)}

    def between(self, start: int, stop: int) -> dict[str, Ints]:
        """Numbers of the special rows in [start, stop), ascending, by kind."""
        first, last = (number * self.count // self.rows for number in (start, stop))
        bins = np.arange(first, min(last + 1, self.count), dtype=np.int64)
        width = self._start(bins + 1) - self._start(bins)
        chosen = self._start(bins) + 1 + pick(random_bits(self.seed, "special", bins), width - 1)
        inside = (chosen >= start) & (chosen < stop)
        turn = np.array(self.turn())[bins % _TURN]
        return {kind: chosen[inside & (turn == kind)] for kind in self.totals()}

    def sources(self, copies: Ints) -> Ints:
        """For each row that is a copy, the number of the earlier row that it copies."""
        bins = copies * self.count // self.rows
        bins += self._start(bins + 1) <= copies
        return self._start(pick(random_bits(self.seed, "source", copies), bins + 1))

    def _start(self, bins: Ints) -> Ints:
        return bins * self.rows // max(self.count, 1)
