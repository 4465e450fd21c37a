"""The process that workers are forked from: what all of them need is imported once, while the driver does so too."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CAN_FORK = sys.platform == "linux"
"""Elsewhere workers import by themselves: a fork of a process that has loaded system libraries is not safe on macOS."""
_ENDS = "scoreline.clusters._ends_with_driver"


@contextmanager
def template(modules: Sequence[str]) -> Iterator[None]:
    """Start a process that imports `modules`, and do not wait; Dask forks workers from it for as long as this lasts.

    It has the environment of this moment, does not hear Ctrl-C, nor do its workers, and ends with its driver. Workers
    that are left at the end are killed.
    """
    if not _CAN_FORK:
        yield
        return
    wanted = [_ENDS, *modules]
    _start(wanted)
    try:
        with _chosen(wanted):
            yield
    finally:
        _end()


def _start(modules: Sequence[str]) -> None:
    # Starting the tracker unblocks Ctrl-C in the thread that does it.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.set_forkserver_preload(list(modules))
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _chosen(modules: Sequence[str]) -> Iterator[None]:
    """Have Dask fork its workers; imports it, in this thread, while the process imports what it was told."""
    import dask
    from distributed.utils import get_mp_context

    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        # Once in a process Dask says what is to be imported: it has done so now, and ours counts if it has to be again.
        get_mp_context()
        forkserver.set_forkserver_preload(list(modules))
        yield


def _end() -> None:
    """End the process at once: told to end by itself it would wait for its workers, and free all that it imported."""
    # Python offers no other way, and would keep the process for as long as the driver lives.
    server: Any = forkserver._forkserver  # noqa: SLF001
    with suppress(ProcessLookupError):
        os.kill(server._forkserver_pid, signal.SIGKILL)  # noqa: SLF001
    server._stop()  # noqa: SLF001
