"""What sessions that are open at once have in common."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Generic, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


Given = ParamSpec("Given")


class Shared(Generic[Given]):
    """A context for all who are inside: the first one opens it, and the last one closes it. Safe for threads."""

    def __init__(self, opened: Callable[Given, AbstractContextManager[None]]) -> None:
        self._opened = opened
        self._users = 0
        self._open = ExitStack()
        self._lock = Lock()

    @contextmanager
    def used(self, *args: Given.args, **kwargs: Given.kwargs) -> Iterator[None]:
        """Be inside; what is given counts for who opens it."""
        with self._lock:
            if not self._users:
                self._open.enter_context(self._opened(*args, **kwargs))
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._open.close()
