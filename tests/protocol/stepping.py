"""Drivers of the real code, each in a thread of its own that waits before every step it takes in the store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from scoreline.storage import Created, local

STEPS = frozenset({"create", "replace", "delete", "delete_tree", "link", "rename", "point"})
_PATIENCE_SECONDS = 20.0


class Killed(BaseException):
    """What a driver under test dies of: nothing in the package catches it, as nothing catches SIGKILL."""


class Fate(Enum):
    """What becomes of a step."""

    DONE = auto()
    KILLED_BEFORE = auto()
    KILLED_AFTER = auto()
    ANSWER_LOST = auto()
    REQUEST_LOST = auto()


class Stepping:
    """A function in a thread that takes one step at a time.

    `outcome` is what the function returned or died of; None while it lasts. `ahead` is the step before which it
    stands: what is done to which location.
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        self.outcome: Any = None
        self.ahead = ("", "")
        self._fate = Fate.DONE
        self._go, self._waiting = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.stepping = self
        self._thread.start()
        self._wait()

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            self.outcome = work()
        except (Exception, Killed) as error:  # noqa: BLE001  (the test judges what it died of)
            self.outcome = error
        self._waiting.release()

    def _wait(self) -> None:
        assert self._waiting.acquire(timeout=_PATIENCE_SECONDS), "a driver neither stepped nor ended"

    def step(self, fate: Fate = Fate.DONE) -> None:
        """Let the function take its next step, then wait until it stands before another one or has ended."""
        self._fate = fate
        self._go.release()
        self._wait()

    def finish(self) -> Any:
        """Let the function go on to its end."""
        while self.outcome is None:
            self.step()
        return self.outcome

    def kill(self) -> None:
        """Let the function die before its next step, and before any that it takes while it dies."""
        while self.outcome is None:
            self.step(Fate.KILLED_BEFORE)

    def before(self, name: str, uri: str) -> Fate:
        """Called in the thread, before a step: wait for one's turn."""
        self.ahead = (name, uri)
        self._waiting.release()
        self._go.acquire()
        return self._fate


class SteppingStore:
    """The local store, seen by drivers that step: everything that writes waits for its turn, and meets its fate."""

    def __getattr__(self, name: str) -> Any:
        real = getattr(local, name)
        driver = getattr(threading.current_thread(), "stepping", None)
        if name not in STEPS or driver is None:
            return real
        return lambda *given: _fated(driver.before(name, given[0]), name, lambda: real(*given))


def _fated(fate: Fate, name: str, act: Callable[[], Any]) -> Any:
    if fate is Fate.KILLED_BEFORE:
        raise Killed
    if name == "create" and fate is Fate.REQUEST_LOST:
        return Created.UNKNOWN
    answer = act()
    if fate is Fate.KILLED_AFTER:
        raise Killed
    return Created.UNKNOWN if name == "create" and fate is Fate.ANSWER_LOST else answer
