"""How far a stage is: rows, rows per second, and the time left once there is enough to judge by."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

PLAIN_SECONDS, BRIEF_SECONDS = 10.0, 1.0
"""Plain lines come at most this often, and none comes before a stage has lasted this long."""
_ENOUGH_SECONDS = 5.0
_ENOUGH_STEPS = 3


@dataclass(frozen=True)
class Pace:
    """What is known of a stage's speed, from its first report to its last.

    Attributes
    ----------
    stage, total : what is being done, and to how many rows
    first, done : rows done at the first report (more than none when a run is resumed) and now
    started, now : seconds on a monotonic clock
    steps : reports that brought the stage forward
    """

    stage: str
    total: int
    first: int
    done: int
    started: float
    now: float
    steps: int = 0

    def at(self, done: int, now: float) -> Pace:
        """The pace after one more report."""
        return replace(self, done=done, now=now, steps=self.steps + (done > self.done))

    @property
    def rate(self) -> float | None:
        """Rows per second since the first report; None before anything was done."""
        seconds = self.now - self.started
        return (self.done - self.first) / seconds if seconds > 0 and self.done > self.first else None

    @property
    def seconds_left(self) -> float | None:
        """Time left at the rate so far; None before that can be told."""
        judged = self.steps >= _ENOUGH_STEPS and self.now - self.started >= _ENOUGH_SECONDS
        if not judged or self.rate is None or self.finished:
            return None
        return (self.total - self.done) / self.rate

    @property
    def finished(self) -> bool:
        """Whether all rows are done."""
        return self.done >= self.total

    def __str__(self) -> str:
        """Rows, rate and time left as one line.

        >>> str(Pace("predict", 1000, 0, 500, 0.0, 10.0, 3))
        '500 of 1,000 rows, 50 rows/s, about 10 s left'
        """
        parts = [f"{self.done:,} of {self.total:,} rows"]
        parts += [f"{self.rate:,.0f} rows/s"] if self.rate is not None else []
        parts += [f"about {spoken(self.seconds_left)} left"] if self.seconds_left is not None else []
        return ", ".join(parts)


def spoken(seconds: float) -> str:
    """A time as people say it.

    >>> spoken(8.2), spoken(95), spoken(7300)
    ('9 s', '2 min', '2 h 2 min')
    """
    if seconds < 60:
        return f"{ceil(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class Display(Protocol):
    """Where progress is shown."""

    def show(self, pace: Pace) -> None:
        """Show how far a stage is."""
        ...

    def line(self, text: str) -> None:
        """Write one line without disturbing what is shown."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


@dataclass
class PlainDisplay(Display):
    """A plain line when the first rows are done, when the last are, and at most every ten seconds between them.

    Of a stage that is over at once there is nothing to tell.
    """

    stream: TextIO
    report: Callable[[Pace], None]
    shown: dict[str, float] = field(default_factory=dict)

    def show(self, pace: Pace) -> None:
        last = self.shown.get(pace.stage) if pace.steps > 1 else None
        lasts = pace.now - pace.started >= BRIEF_SECONDS
        if pace.steps and lasts and (last is None or pace.finished or pace.now - last >= PLAIN_SECONDS):
            self.shown[pace.stage] = pace.now
            self.report(pace)

    def line(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def close(self) -> None:
        pass


class LiveDisplay(Display):
    """One line at the bottom of a terminal that is written over."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import Progress, TextColumn

        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        shown = TextColumn("{task.description} {task.percentage:.0f} %: {task.fields[pace]}", markup=False)
        self._progress = Progress(shown, console=self._console, transient=True, refresh_per_second=4)
        self._tasks: dict[str, Any] = {}

    def show(self, pace: Pace) -> None:
        if pace.finished:
            self._end(pace.stage)
            return
        if pace.stage not in self._tasks:
            self._tasks[pace.stage] = self._progress.add_task(pace.stage, total=pace.total, pace=str(pace))
        self._progress.update(self._tasks[pace.stage], completed=pace.done, total=pace.total, pace=str(pace))
        self._progress.start()

    def _end(self, stage: str) -> None:
        """Forget a stage; without any, the line is wiped, so that nothing else is written into it."""
        if stage in self._tasks:
            self._progress.remove_task(self._tasks.pop(stage))
        if not self._tasks:
            self._progress.stop()

    def line(self, text: str) -> None:
        self._console.print(text, markup=False)

    def close(self) -> None:
        self._progress.stop()


def clock() -> float:
    """Seconds on a clock that never goes back."""
    return time.monotonic()
