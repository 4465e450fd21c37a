"""When Python looks for garbage: not while nearly all that is made will stay."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = Lock()
_inside: list[bool] = []
"""An entry for each that is inside; the first says whether garbage was collected before."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage inside; when the last thread has left, it is as it was. Safe for threads.

    For importing and unpickling, which make many objects that stay: all would be looked through again and again.

    >>> with uncollected():
    ...     gc.isenabled()
    False
    """
    with _lock:
        _inside.append(gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            was_enabled = _inside[0]
            if len(_inside) > 1:
                _inside.pop()
            else:
                _inside.clear()
                if was_enabled:
                    gc.enable()
