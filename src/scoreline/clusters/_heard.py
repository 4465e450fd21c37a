"""What nannies in this process write about their workers, kept for `_deaths` however the program sets logging up."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOG = "distributed.nanny"
"""Nannies keep what comes here, and they write of deaths with the level INFO."""


class _Heard:
    """Sessions that are open at once share the change, and the last one undoes it. Safe for threads."""

    def __init__(self) -> None:
        self._users = 0
        self._before = (False, logging.NOTSET, True)
        self._onward = _Onward()
        self._lock = Lock()

    @contextmanager
    def used(self) -> Iterator[None]:
        log = logging.getLogger(_LOG)
        with self._lock:
            if not self._users and not log.isEnabledFor(logging.INFO):
                self._open(log)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users and self._onward in log.handlers:
                    self._close(log)

    def _open(self, log: logging.Logger) -> None:
        self._before = (log.disabled, log.level, log.propagate)
        # What the program does not want to see goes no further than before.
        self._onward.setLevel(logging.CRITICAL + 1 if log.disabled or not log.propagate else log.getEffectiveLevel())
        log.addHandler(self._onward)
        log.disabled, log.propagate = False, False
        log.setLevel(logging.INFO)

    def _close(self, log: logging.Logger) -> None:
        log.removeHandler(self._onward)
        log.disabled, level, log.propagate = self._before
        log.setLevel(level)


class _Onward(logging.Handler):
    """Gives records to the loggers above."""

    def emit(self, record: logging.LogRecord) -> None:
        above = logging.getLogger(_LOG).parent
        if above is not None:
            above.callHandlers(record)


heard = _Heard().used
"""Inside, nannies keep what they write at the level INFO; a program that ends all logging by `logging.disable` wins."""
