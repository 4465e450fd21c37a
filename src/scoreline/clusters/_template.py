"""The process that workers are forked from: what all of them need is imported once, while the driver does so too."""

from __future__ import annotations

import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from threading import Lock
from typing import TYPE_CHECKING, Any

from scoreline.clusters._given_to_workers import DRIVER
from scoreline.clusters._shared import Shared
from scoreline.garbage import uncollected
from scoreline.threads import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CAN_FORK = sys.platform == "linux"
"""Elsewhere workers import by themselves: a fork of a process that has loaded system libraries is not safe on macOS."""
_FIRST = ["scoreline.clusters._imports_begin", "scoreline.clusters._imported_lightly"]
_LAST = ["scoreline.clusters._imports_end"]

_log = logging.getLogger(__name__)


@contextmanager
def template(modules: Sequence[str]) -> Iterator[None]:
    """Start a process that imports `modules`, and do not wait; Dask forks workers from it for as long as this lasts.

    It has the environment of this moment, does not hear Ctrl-C, nor do its workers, and ends with its driver. Workers
    that are left at the end are killed. Sessions that are open at once share it, and the last one ends it.

    Python has one such process for all that a program does. Where the program has one of its own, or none can be
    started, workers are started one by one.
    """
    with begun(modules):
        if _CAN_FORK:
            _PROCESS.chosen([*_FIRST, *modules, *_LAST])
        yield


@contextmanager
def begun(modules: Sequence[str]) -> Iterator[None]:
    """Start that process for sessions that are opened inside, and import nothing meanwhile: Dask need not be there."""
    if not _CAN_FORK:
        yield
        return
    with _PROCESS.used([*_FIRST, *modules, *_LAST]):
        yield


class _Process:
    """The process, for as long as some session needs it. Safe for threads."""

    def __init__(self) -> None:
        self._is_running = self._is_chosen = False
        self._running = ExitStack()
        self._lock = Lock()
        self.used = Shared(self._opened).used

    @contextmanager
    def _opened(self, modules: Sequence[str]) -> Iterator[None]:
        self._begin(modules)
        try:
            yield
        finally:
            self._is_running = self._is_chosen = False
            self._running.close()

    def chosen(self, modules: Sequence[str]) -> None:
        """Have Dask fork workers from it until it ends, if it runs. For who uses it."""
        with self._lock:
            if self._is_running and not self._is_chosen:
                self._running.enter_context(_chosen(modules))
                self._is_chosen = True

    def _begin(self, modules: Sequence[str]) -> None:
        # Python names it nowhere else.
        if _server()._forkserver_pid is not None:  # noqa: SLF001
            _log.info("workers are started one by one: the program forks processes of its own")
            return
        try:
            self._running.enter_context(_running(modules))
            self._is_running = True
        except (OSError, RuntimeError) as error:
            _log.info("workers are started one by one: %s", error)


_PROCESS = _Process()


@contextmanager
def _running(modules: Sequence[str]) -> Iterator[None]:
    # Starting the tracker unblocks Ctrl-C in the thread that does it.
    resource_tracker.ensure_running()
    before = _server()._preload_modules  # noqa: SLF001
    # The process ends with the thread that starts it, which must outlast a session that others share.
    with ThreadPoolExecutor(1, "template", signal.pthread_sigmask, (signal.SIG_BLOCK, [signal.SIGINT])) as pool:
        coming = pool.submit(_start, modules)
        try:
            coming.result()
            yield
        finally:
            wait([coming])
            _end()
            forkserver.set_forkserver_preload(before)


def _start(modules: Sequence[str]) -> None:
    forkserver.set_forkserver_preload(list(modules))
    with environment({DRIVER: str(os.getpid())}):
        forkserver.ensure_running()


@contextmanager
def _chosen(modules: Sequence[str]) -> Iterator[None]:
    """Have Dask fork its workers; imports it, in this thread, while the process imports what it was told."""
    with uncollected():
        import dask
        from distributed import utils

    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        # Once in a process Dask says what is to be imported, and imports all of that here, too, pandas among it. It is
        # told that it has done so; ours counts if the process has to be started again.
        utils._forkserver_preload_set = True  # noqa: SLF001
        forkserver.set_forkserver_preload(list(modules))
        yield


def _end() -> None:
    """End the process at once: told to end by itself it would wait for its workers, and free all that it imported."""
    # Python offers no other way, and would keep the process for as long as the driver lives.
    server = _server()
    if server._forkserver_pid is not None:  # noqa: SLF001
        with suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGKILL)  # noqa: SLF001
        server._stop()  # noqa: SLF001


def _server() -> Any:
    return forkserver._forkserver  # noqa: SLF001
