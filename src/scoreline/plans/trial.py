"""A trial: some rows are predicted, to tell what all of them will cost."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scoreline.dataset.spool import Spool
from scoreline.scoring import Account, most_memory, output_rows, writing
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoreline.compiled.scorer import Scorer
    from scoreline.scoring import PredictTask
    from scoreline.sinks.base import NumberedRows
    from scoreline.units import Unit

ENOUGH_S, AT_MOST_S = 1.0, 10.0
"""How long rows are predicted, and for how long at most where a faster tier is still to come."""


class Trial(NamedTuple):
    """What predicting costs a process.

    Attributes
    ----------
    start : seconds more than its rows take until it predicts as fast as it will: what was fitted is compiled and proven
    row : seconds a row from then on, writing included
    memory : the most bytes that it held
    """

    start: float
    row: float
    memory: int

    def seconds(self, rows: int, workers: int) -> float:
        """How long so many rows take processes side by side, each of which starts by itself.

        >>> Trial(0.5, 0.001, 0).seconds(2_000, 2)
        1.5
        """
        return self.start + rows * self.row / workers


def try_unit(task: PredictTask, unit: Unit, enough: float = ENOUGH_S) -> Trial:
    """Predict the first rows of a unit in this process, at least one block, and write them to a scratch file; eager.

    It takes so many seconds, and longer where rows are still predicted by a slower tier than those after them.
    """
    with tempfile.TemporaryDirectory(prefix="scoreline-") as scratch, Spool() as refused, limited(1):
        account = Account(refused)
        # Loading is no part of what is measured.
        pace = _Pace(account, task.bundle.scorer)
        rows = pace.told(output_rows(task, unit, account), enough)
        with (Path(scratch) / "unit.parquet").open("wb", buffering=1 << 20) as file:
            writing(task, unit, rows)(file, {})
        return pace.trial()


@dataclass(eq=False)
class _Pace:
    """Rows and seconds so far, and those when the scorer had come to the fastest of its tiers."""

    account: Account
    scorer: Scorer
    began: float = field(default_factory=time.perf_counter)
    steady: tuple[int, float] | None = None

    def told(self, parts: Iterator[NumberedRows], enough: float) -> Iterator[NumberedRows]:
        """The parts, until it is known how fast they come."""
        for part in parts:
            yield part
            if self._seconds >= enough and (self._is_known or self._seconds >= AT_MOST_S):
                return
            if self.steady is None and self.scorer.is_settled:
                self.steady = self.account.rows, self._seconds

    def trial(self) -> Trial:
        """What came of it."""
        rows, seconds = self.account.rows, self._seconds
        before, until = self.steady if self._is_known and self.steady else (0, 0.0)
        row = (seconds - until) / max(rows - before, 1)
        return Trial(max(0.0, seconds - row * rows), row, most_memory())

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self.began

    @property
    def _is_known(self) -> bool:
        """Whether rows have come by the fastest tier alone."""
        return self.steady is not None and self.account.rows > self.steady[0]
