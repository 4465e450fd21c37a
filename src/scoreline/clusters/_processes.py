"""Worker processes that this process started: deaf to Ctrl-C from birth, and gone when the session is over."""

from __future__ import annotations

import asyncio
import os
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import LocalCluster, Nanny

_GENTLY_S = 0.3
"""How long a worker may take to end by itself; what it writes, it creates whole or not at all."""
_CLOSE_S = 10.0


class Processes:
    """The workers of a LocalCluster, each a process with a nanny in this one."""

    def __init__(self, cluster: LocalCluster) -> None:
        self.cluster = cluster

    @property
    def nannies(self) -> list[Nanny]:
        """Those that were started and not yet forgotten."""
        return list(self.cluster.workers.values())

    def restart(self) -> None:
        """Kill every worker; their nannies start them again, and what ran on them runs again."""
        for nanny in self.nannies:
            _kill(nanny)

    def deserted(self) -> bool:
        """True when no worker is left and no nanny that would start one."""
        return not any(nanny.status.name in {"init", "starting", "running"} for nanny in self.nannies)

    def start_again(self) -> None:
        """Start as many workers as there were, in place of nannies that are gone. Returns before they are up."""
        wanted = len(self.cluster.worker_spec)
        self.cluster.sync(self._forget)
        self.cluster.scale(wanted)

    async def _forget(self) -> None:
        await asyncio.gather(*(nanny.close(timeout=_GENTLY_S) for nanny in self.nannies), return_exceptions=True)
        self.cluster.workers.clear()

    def close(self) -> None:
        """End all workers, those that hang by force."""
        with suppress(TimeoutError):
            self.cluster.sync(self._close, callback_timeout=_CLOSE_S)

    async def _close(self) -> None:
        await asyncio.gather(*(nanny.close(timeout=_GENTLY_S) for nanny in self.nannies), return_exceptions=True)

    def kill(self) -> None:
        """End what is left at once; nobody starts it again."""
        for nanny in self.nannies:
            if nanny.pid:
                nanny.close_gracefully()
                _kill(nanny)


def _kill(nanny: Nanny) -> None:
    pid: Any = nanny.pid
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def starting(make: Callable[[], LocalCluster]) -> Iterator[Callable[[], Processes]]:
    """Start a cluster meanwhile; gives what waits for it, and raises what kept it from starting.

    Afterwards none of its processes is left, even when Ctrl-C comes again while they are ended. The thread that starts
    them does not hear Ctrl-C: threads and processes that it starts do not hear it either.
    """
    # Starting the tracker unblocks Ctrl-C in the thread that does it.
    resource_tracker.ensure_running()
    with ThreadPoolExecutor(1, "start", signal.pthread_sigmask, (signal.SIG_BLOCK, [signal.SIGINT])) as pool:
        coming = pool.submit(lambda: Processes(make()))
        try:
            yield coming.result
        finally:
            _end_what_came(coming)


def _end_what_came(coming: Future[Processes]) -> None:
    """Wait for a cluster that is starting, since half of one cannot be closed, and end it.

    Whoever is interrupted again meanwhile is interrupted once it is gone.
    """
    again: BaseException | None = None
    while True:
        try:
            if coming.exception() is None:
                _end(coming.result())
        except KeyboardInterrupt as interrupt:
            if again is not None and coming.done():
                raise
            again = interrupt
        else:
            break
    if again is not None:
        raise again


def _end(processes: Processes) -> None:
    try:
        processes.close()
        processes.cluster.close()
    finally:
        processes.kill()
