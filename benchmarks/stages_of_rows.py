"""Processor time of this thread in each stage that rows go through, without that of stages inside."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from scoreline.bundle.fitted import Fitted
from scoreline.compiled.matrix import Encoding
from scoreline.compiled.way import Way
from scoreline.sinks._passage import Passage
from scoreline.sinks.parquet import Parquet as Sink
from scoreline.sources.parquet import Parquet as Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

STAGES = (
    ("read", Source, "read"),
    ("encode", Encoding, "blocks"),
    ("compiled model", Way, "answers"),
    ("scikit-learn, for samples", Fitted, "predict"),
    ("write", Passage, "write"),
    ("write", Sink, "write"),
)
"""Named methods; what no stage takes is cleaning, hashing, receipts, and all that lies between."""


class _Clock:
    """Seconds by stage. A stage that begins stops the one around it."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        start = time.thread_time()
        self._inside.append(0.0)
        try:
            yield
        finally:
            taken = time.thread_time() - start
            self.seconds[stage] += taken - self._inside.pop()
            if self._inside:
                self._inside[-1] += taken


@contextmanager
def watched() -> Iterator[Mapping[str, float]]:
    """Processor seconds by stage, filled while it lasts."""
    clock = _Clock()
    with ExitStack() as undo:
        for stage, owner, name in STAGES:
            method = getattr(owner, name)
            undo.callback(setattr, owner, name, method)
            setattr(owner, name, _timed(method, stage, clock))
        yield clock.seconds


def _timed(method: Callable[..., Any], stage: str, clock: _Clock) -> Callable[..., Any]:
    @wraps(method)
    def timed(*given: Any, **named: Any) -> Any:
        with clock.running(stage):
            made = method(*given, **named)
        return _step_by_step(made, stage, clock) if hasattr(made, "__next__") else made

    return timed


def _step_by_step(values: Iterator[Any], stage: str, clock: _Clock) -> Iterator[Any]:
    """A stage that gives its rows bit by bit works while it is asked for the next ones."""
    while True:
        with clock.running(stage):
            value = next(values, values)
        if value is values:
            return
        yield value
