"""What became of futures, in the order in which it is known."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from distributed import Client, Future


class Outcomes:
    """Results and exceptions of futures of one client, each as soon as it is here.

    Dask's ``as_completed`` would do, but it forgets a future whose worker dies, for the last time that is allowed,
    between finishing it and handing out its result.
    """

    def __init__(self, client: Client) -> None:
        self._loop: Any = client.loop
        self._queue: SimpleQueue[tuple[Future[Any], Any]] = SimpleQueue()

    def follow(self, futures: Iterable[Future[Any]]) -> None:
        """Have an outcome of each of these as well."""
        for future in futures:
            self._loop.add_callback(self._follow, future)

    async def _follow(self, future: Future[Any]) -> None:
        try:
            outcome = await future
        except BaseException as error:  # noqa: BLE001 - whatever a task raised is raised again where results are awaited
            outcome = error
        self._queue.put((future, outcome))

    def ready(self) -> bool:
        """True when an outcome waits to be taken."""
        return not self._queue.empty()

    def take(self, seconds: float) -> list[tuple[Future[Any], Any]]:
        """All outcomes that are here, after waiting for one; none after so many seconds."""
        taken = []
        try:
            taken.append(self._queue.get(timeout=seconds))
            while True:
                taken.append(self._queue.get_nowait())
        except Empty:
            return taken
