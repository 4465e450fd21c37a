"""A session whose cluster is still starting: whoever has something else to do first need not wait for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scoreline.clusters.base import Item, Result, Session


class SessionAhead:
    """The session that `wait` gives, which is called when the session is first used, and in the thread that uses it."""

    def __init__(self, wait: Callable[[], Session]) -> None:
        self._wait = wait

    @cached_property
    def _session(self) -> Session:
        return self._wait()

    @property
    def workers(self) -> int:
        """See `Session.workers`."""
        return self._session.workers

    @property
    def client(self) -> Any:
        """See `Session.client`."""
        return self._session.client

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], label: str
    ) -> Iterator[tuple[int, Result]]:
        """See `Session.map`."""
        return self._session.map(function, items, label)

    def worker_logs(self) -> dict[str, str]:
        """See `Session.worker_logs`; empty for a session that nobody used."""
        return self._session.worker_logs() if "_session" in vars(self) else {}
