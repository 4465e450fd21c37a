"""Why a worker died, as far as its nanny can tell."""

from __future__ import annotations

import re
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scoreline.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed.scheduler import KilledWorker, WorkerState

    Ask = Callable[..., Any]
    """Asks the scheduler: the name of one of its handlers, and arguments."""

NO_TRACE = "left no trace"
_WAIT_S = 15.0
"""A nanny is asked once it has started another worker, which imports what tasks need before it is there."""
_ADVICE = "lower predict.batch_rows, raise cluster.memory_limit or lower cluster.workers; the worker logs tell more"


def guilty(ask: Ask, error: KilledWorker, where: str) -> Problem:
    """The problem of a task that kills its workers. Takes some seconds at most; OSError when the scheduler is lost."""
    tries = error.allowed_failures + 1
    what = f"each of the {tries} workers that tried this task died, with nothing else running"
    return Problem(f"{what}; the last, {error.last_worker.address}, {_cause(ask, error.last_worker)}", where, _ADVICE)


def _cause(ask: Ask, worker: WorkerState) -> str:
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        cause = _out_of_memory(ask, worker) or _exit(ask, worker)
        if cause or not worker.nanny:
            return cause or "had nobody to watch it"
        time.sleep(0.2)
    return NO_TRACE


def _out_of_memory(ask: Ask, worker: WorkerState) -> str:
    from dask.utils import format_bytes

    for _, event in ask("events", topic="worker-restart-memory"):
        if event["worker"] == worker.address:
            used, limit = format_bytes(event["rss"]), format_bytes(worker.memory_limit)
            return f"was ended because it used {used} of its {limit} of memory"
    return ""


def _exit(ask: Ask, worker: WorkerState) -> str:
    """What the nanny wrote about the end of the process; nothing before it has started another one."""
    workers = ask("identity", n_workers=-1)["workers"]
    for address in [address for address, now in workers.items() if now["nanny"] == worker.nanny]:
        with suppress(KeyError):  # the new worker is gone again
            text = "\n".join(line for _, line in ask("worker_logs", workers=[address], nanny=True)[address])
            return exit_told(text, worker.pid)
    return ""


def exit_told(log: str, pid: int) -> str:
    """How a process ended, from the log of its nanny; an empty text when it does not say.

    >>> exit_told("Worker process 7 was killed by signal 11", 7)
    'crashed (SIGSEGV)'
    >>> exit_told("Worker process 7 was killed by signal 9", 7)
    'was killed by the system or by somebody (SIGKILL); too little memory is the usual reason'
    >>> exit_told("Worker process 7 exited with status 3", 7)
    'exited with status 3'
    """
    killed = re.search(rf"Worker process {pid} was killed by signal (\d+)", log)
    if killed:
        number = int(killed[1])
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        if number in {signal.SIGKILL, signal.SIGTERM}:
            return f"was killed by the system or by somebody ({name}); too little memory is the usual reason"
        return f"crashed ({name})"
    exited = re.search(rf"Worker process {pid} (exited with status \d+)", log)
    return exited[1] if exited else ""
