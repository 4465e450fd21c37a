"""The way to the scheduler: a client that can be replaced when the scheduler is lost and comes back."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Self, cast

from scoreline.errors import ClusterError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from distributed import Client

_AGAIN_S = 0.5
_AGAIN = "see the logs of scheduler and workers, then run the same command again"


class SchedulerLost(Exception):  # noqa: N818 - says what happened; it never reaches a user
    """The scheduler is gone, says nothing any more, or has dropped this client and its tasks."""


class Connection:
    """A client that is ready for work: workers are there, versions are compared, modules are shipped.

    `connect` makes one, and raises ClusterError when it cannot. Dask forgets the tasks of a client whose connection
    breaks, so after that a new client is as good as the old one, and simpler.
    """

    def __init__(self, connect: Callable[[], AbstractContextManager[Client]]) -> None:
        self._connect = connect
        self._open = ExitStack()
        self.client = self._open.enter_context(connect())
        self.address = str(cast("Any", self.client.scheduler).address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def ask(self, what: str, patience: float, **arguments: Any) -> Any:
        """What a handler of the scheduler answers. Raises SchedulerLost when it does not within `patience` seconds."""
        if self.client.status != "running":
            raise SchedulerLost(f"the client is {self.client.status}")
        try:
            return self.client.sync(getattr(self.client.scheduler, what), **arguments, callback_timeout=patience)
        except OSError as error:
            raise SchedulerLost(str(error) or type(error).__name__) from error

    def renew(self, patience: float) -> None:
        """Wait for the scheduler to come back; ClusterError when it does not within `patience` seconds."""
        deadline = time.monotonic() + patience
        # Nobody is left to say goodbye to; and a client that is just connecting again says that it is closed.
        with suppress(OSError, RuntimeError):
            self._open.close()
        while True:
            try:
                self.client = self._open.enter_context(self._connect())
            except ClusterError as error:
                if time.monotonic() >= deadline:
                    raise ClusterError(self.lost(patience), *error.problems) from error
                time.sleep(_AGAIN_S)
            else:
                return

    def lost(self, patience: float) -> Problem:
        """The scheduler did not come back."""
        return self.problem(f"the scheduler is lost and did not come back within {patience:g} s")

    def problem(self, what: str) -> Problem:
        """What is wrong with this cluster."""
        return Problem(what, f"cluster {self.address}", _AGAIN)
