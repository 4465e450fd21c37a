"""What nannies in this process write about their workers, kept for `_deaths` however the program sets logging up."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scoreline.clusters._shared import Shared

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOG = logging.getLogger("distributed.nanny")
"""Nannies keep what comes here, and they write of deaths with the level INFO."""


@contextmanager
def _hearing() -> Iterator[None]:
    if _LOG.isEnabledFor(logging.INFO):
        yield
        return
    before = _LOG.disabled, _LOG.level, _LOG.propagate
    onward = _Onward()
    # What the program does not want to see goes no further than before.
    hidden = _LOG.disabled or not _LOG.propagate
    onward.setLevel(logging.CRITICAL + 1 if hidden else _LOG.getEffectiveLevel())
    _LOG.addHandler(onward)
    _LOG.disabled, _LOG.propagate = False, False
    _LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        _LOG.removeHandler(onward)
        _LOG.disabled, level, _LOG.propagate = before
        _LOG.setLevel(level)


class _Onward(logging.Handler):
    """Gives records to the loggers above."""

    def emit(self, record: logging.LogRecord) -> None:
        if _LOG.parent is not None:
            _LOG.parent.callHandlers(record)


heard = Shared(_hearing).used
"""Inside, nannies keep what they write at the level INFO; a program that ends all logging by `logging.disable` wins."""
