"""A Dask cluster as a session: one future per item, a bounded number in flight, and no waiting for the dead."""

from __future__ import annotations

import logging
import pickle
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from scoreline.clusters.base import Item, Result, task_note
from scoreline.errors import ClusterError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client, Future, as_completed

_AHEAD = 8
"""Items in flight for each worker; handed out in batches of half as many, since each batch costs a round trip."""
_LOOK_EVERY_S = 1.0
_SILENCES = 3
"""How many times its patience a session waits for a scheduler that is connected but says nothing."""
_AGAIN = "see the logs of scheduler and workers, then run the same command again"
_MEMORY = "look into the worker logs: memory is the usual reason; smaller units need less of it"


class DaskSession:
    """A session on an open client. `patience` is for how many seconds there may be no worker at all."""

    def __init__(self, client: Client, patience: float) -> None:
        self.client = client
        self.address = str(cast("Any", client.scheduler).address)
        self.patience = patience
        self.workers = 0
        self._last_seen = self._looked = time.monotonic()
        self._look()

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], label: str
    ) -> Iterator[tuple[int, Result]]:
        """See `Session.map`."""
        from distributed import as_completed

        self._last_seen = time.monotonic()
        self._look()
        calls = _Calls(self.client, function, items, label)
        done = as_completed(loop=self.client.loop, with_results=True, raise_errors=False)
        try:
            while calls.fill(done, _AHEAD * max(self.workers, 1)):
                for future, outcome in self._finished(done):
                    position = calls.running.pop(future)
                    result = calls.result(position, future.status, outcome)
                    future.release()
                    yield position, result
        finally:
            calls.cancel()

    def worker_logs(self) -> dict[str, str]:
        """See `Session.worker_logs`: what the worker and the nanny that watches it wrote."""
        try:
            return {_file_safe(address): text for address, text in self._logs()}
        except OSError as error:
            raise ClusterError(self._lost("the scheduler is lost")) from error

    def _logs(self) -> Iterator[tuple[str, str]]:
        nannies = self._ask("worker_logs", nanny=True)
        for address, lines in self._ask("worker_logs", nanny=False).items():
            every = sorted(text for _, text in (*lines, *nannies.get(address, ())))
            yield address, "".join(f"{text}\n" for text in every)

    def _finished(self, done: as_completed) -> list[tuple[Future[Any], Any]]:
        """Wait until something is done; look every second whether there is anybody left to do it."""
        while not done.has_ready():
            with done.thread_condition:
                if not done.has_ready():
                    done.thread_condition.wait(_LOOK_EVERY_S)
            self._look_now_and_then()
        return cast("list[tuple[Future[Any], Any]]", done.next_batch(block=False))

    def _look_now_and_then(self) -> None:
        if time.monotonic() - self._looked >= _LOOK_EVERY_S:
            self._look()

    def _look(self) -> None:
        try:
            self.workers = self._ask("identity", n_workers=0)["total_threads"]
        except OSError as error:
            raise ClusterError(self._lost("the scheduler is lost")) from error
        self._looked = time.monotonic()
        if self.workers:
            self._last_seen = self._looked
        elif self._looked - self._last_seen > self.patience:
            raise ClusterError(self._lost(f"there has been no worker for {self.patience:g} s"))

    def _ask(self, what: str, **arguments: Any) -> Any:
        if self.client.status != "running":
            raise ConnectionError(self.client.status)
        question = getattr(self.client.scheduler, what)
        return self.client.sync(question, **arguments, callback_timeout=_SILENCES * self.patience)

    def _lost(self, what: str) -> Problem:
        return Problem(what, f"cluster {self.address}", _AGAIN)


@dataclass(frozen=True)
class _Task:
    """A call as bytes: the scheduler passes it on without importing what it refers to."""

    function: bytes

    def __call__(self, item: bytes) -> Any:
        return pickle.loads(self.function)(pickle.loads(item))


class _Calls:
    """The calls of one map: which run, and what became of those that are done."""

    def __init__(self, client: Client, function: Callable[[Any], Any], items: Sequence[Any], label: str) -> None:
        import cloudpickle

        self.client = client
        self.label = label
        self.count = len(items)
        self.running: dict[Future[Any], int] = {}
        self._task = _Task(cloudpickle.dumps(function))
        self._token = uuid4().hex
        self._waiting = ((position, cloudpickle.dumps(item)) for position, item in enumerate(items))

    def fill(self, done: as_completed, room: int) -> bool:
        """Start as many calls as there is room for; False when none is left."""
        free = room - len(self.running)
        waiting = list(islice(self._waiting, free)) if free >= room // 2 else []
        if waiting:
            positions, payloads = zip(*waiting, strict=True)
            keys = [(f"{self.label}-{self._token}", position) for position in positions]
            futures = self.client.map(self._task, payloads, key=keys, pure=False)
            self.running.update(zip(futures, positions, strict=True))
            done.update(futures)
        return bool(self.running)

    def result(self, position: int, status: str | None, outcome: Any) -> Any:
        """What the call gave. Raises what it raised, or ClusterError when it was lost."""
        if status == "finished":
            return outcome
        note = task_note(self.label, position, self.count)
        if status == "cancelled":
            raise ClusterError(Problem("the scheduler is lost", note, _AGAIN)) from outcome
        _, error, traceback = outcome
        error.add_note(note)
        with losses_told(note):
            raise error.with_traceback(traceback)

    def cancel(self) -> None:
        """Stop what still runs, as far as anybody listens."""
        if self.running and self.client.status == "running":
            self.client.cancel(list(self.running), reason="not-wanted")


@contextmanager
def losses_told(note: str) -> Iterator[None]:
    """Raise ClusterError for a task that no worker survived or took, and for a package that a worker lacks."""
    from distributed.scheduler import KilledWorker, NoWorkerError

    try:
        yield
    except (KilledWorker, NoWorkerError) as error:
        raise ClusterError(Problem(_why(error), note, _MEMORY)) from error
    except ImportError as error:
        what = f"a worker cannot import what the task needs: {error}"
        raise ClusterError(Problem(what, note, "install the same packages on every worker")) from error


def _why(error: Exception) -> str:
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        tries = error.allowed_failures + 1
        return f"each of the {tries} workers that tried this task died; the last was {error.last_worker.address}"
    return "no worker could take the task"


def _file_safe(address: str) -> str:
    """A file name from an address.

    >>> _file_safe("tcp://127.0.0.1:4000")
    'tcp-127.0.0.1-4000'
    """
    return re.sub(r"[^A-Za-z0-9.]+", "-", address)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what distributed logs in this process off the terminal; workers' logs are asked for by `worker_logs`."""
    from distributed.utils import silence_logging_cmgr

    with silence_logging_cmgr(logging.CRITICAL + 1), silence_logging_cmgr(logging.CRITICAL + 1, root="tornado"):
        yield
