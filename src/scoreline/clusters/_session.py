"""A Dask cluster as a session: a bounded number of calls in flight, and no waiting for the dead, frozen or slow."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scoreline.clusters._calls import Answer, Calls, position_of
from scoreline.clusters._connection import SchedulerLost
from scoreline.clusters._crew import Crew
from scoreline.clusters._deaths import NO_TRACE, guilty
from scoreline.clusters._reports import whereabouts, worker_logs
from scoreline.errors import ClusterError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client, Future

    from scoreline.clusters._connection import Connection
    from scoreline.clusters._processes import Processes
    from scoreline.clusters.base import Item, Result

_AHEAD = 8
"""Items in flight for each worker; handed out in batches of half as many, since each batch costs a round trip."""
_LOOK_EVERY_S = 1.0
_LOOKS_AT_A_SECOND = 100
"""Of how many workers the scheduler may report each second."""
_LOST_IN_VAIN = 3
"""How often the scheduler may be lost again before it has given any answer."""
_MEMORY = "look into the worker logs: memory is the usual reason; smaller units need less of it"


@dataclass(frozen=True)
class Patience:
    """For how many seconds a session puts up with what may pass by itself."""

    workers: float
    """With no worker at all."""
    stall: float
    """With no result."""
    scheduler: float
    """Without a scheduler."""
    answer: float
    """With a scheduler that is connected but says nothing."""


class DaskSession:
    """A session on an open connection; `processes` are the workers, if this process started them."""

    def __init__(
        self,
        connection: Connection,
        patience: Patience,
        tell: Callable[[str], None],
        processes: Processes | None = None,
    ) -> None:
        self.tell = tell
        self.patience = patience
        self.workers = 0
        self._connection = connection
        self._processes = processes
        self._restarts_left = self._fresh_starts_left = 0 if processes is None else 1
        self._known: set[str] = set()
        self._nobody_since: float | None = None
        self._looked = self._progress = time.monotonic()
        self._look_every = _LOOK_EVERY_S
        try:
            self._look()
        except SchedulerLost as lost:
            raise ClusterError(connection.problem("the scheduler is lost")) from lost

    @property
    def client(self) -> Client:
        """See `Session.client`."""
        return self._connection.client

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], label: str
    ) -> Iterator[tuple[int, Result]]:
        """See `Session.map`."""
        calls = Calls(function, items, label)
        losses = 0
        while True:
            try:
                for answer in self._answers(calls):
                    losses = 0
                    yield answer
            except SchedulerLost as lost:
                losses += 1
                self._reconnect(lost, 0 if losses > _LOST_IN_VAIN else self.patience.scheduler)
                calls.hand_back()
            else:
                return

    def worker_logs(self) -> dict[str, str]:
        """See `Session.worker_logs`: what the worker and the nanny that watches it wrote."""
        return worker_logs(self.client)

    def _answers(self, calls: Calls) -> Iterator[tuple[int, Any]]:
        guilty_ones: list[Problem] = []
        calls.begin(self.client)
        try:
            self._look()
            while calls.fill(_AHEAD * max(self.workers, 1)):
                for future, outcome in self._finished(calls):
                    if not calls.wanted(future):
                        continue
                    # The outcome tells, and not the future: its worker may have died since.
                    if isinstance(outcome, Answer):
                        yield calls.settle(future, outcome), outcome.result
                    else:
                        guilty_ones += self._failed(calls, future, outcome)
        finally:
            calls.cancel()
        if guilty_ones:
            raise ClusterError(*guilty_ones)

    def _failed(self, calls: Calls, future: Future[Any], error: BaseException) -> list[Problem]:
        """Raise what the call raised, unless its workers died of it; the problem if that is proven."""
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker

        # What a task raised makes its future erroneous; this is about the way of a good result to here.
        on_the_way = isinstance(error, CommClosedError) and future.status != "error"
        if on_the_way or isinstance(error, FutureCancelledError):
            raise SchedulerLost(str(error)) from error
        position = position_of(future.key)
        if isinstance(error, KilledWorker):
            if calls.is_guilty(future):
                problem = guilty(self._ask, error, calls.where(position))
                if problem.what.endswith(NO_TRACE) and calls.doubted(position):
                    self.tell(f"a worker was lost while it ran {calls.spoken(position)} alone: it is tried once more")
                    return []
                calls.convict()
                return [problem]
            self.tell(
                f"workers died while they ran {calls.spoken(position)}: it is tried again alone, after all others"
            )
            return []
        error.add_note(calls.note(position))
        with losses_told(calls.note(position)):
            raise error

    def _finished(self, calls: Calls) -> list[tuple[Future[Any], Any]]:
        """Wait until something is done; meanwhile look after those who do it."""
        self._progress = time.monotonic()
        while True:
            found = calls.outcomes.take(_LOOK_EVERY_S)
            if time.monotonic() - self._looked >= self._look_every:
                crew = self._look()
                if not found:
                    self._second_attempts(calls, crew)
                    self._watch(calls)
            if found:
                return found

    def _look(self) -> Crew:
        """See who is there, and raise ClusterError when nobody has been for too long."""
        workers = self._ask("identity", n_workers=-1)["workers"]
        crew = Crew(workers, self._ask("processing"))
        self._looked = time.monotonic()
        self._look_every = max(_LOOK_EVERY_S, len(workers) / _LOOKS_AT_A_SECOND)
        self.workers = crew.threads
        for address in sorted(self._known - workers.keys()):
            self.tell(f"worker {address} is lost; {len(workers)} left")
        self._known = set(workers)
        if workers:
            self._nobody_since = None
        else:
            self._nobody_there()
        return crew

    def _nobody_there(self) -> None:
        self._progress = self._looked  # whoever is awaited does not stall
        if self._nobody_since is None:
            self._nobody_since = self._looked
        if self._processes is not None and self._fresh_starts_left and self._processes.deserted():
            self._fresh_starts_left -= 1
            self.tell("no worker is left: new ones are started")
            self._processes.start_again()
        if self._looked - self._nobody_since > self.patience.workers:
            what = f"there has been no worker for {self.patience.workers:g} s"
            raise ClusterError(self._connection.problem(what))

    def _second_attempts(self, calls: Calls, crew: Crew) -> None:
        """Have what takes too long tried on another worker as well, when there is one with nothing to do."""
        if not crew.idle:
            return
        for position, seconds in calls.late(crew, self._looked).items():
            place = calls.second(position, crew.idle)
            if place:
                self.tell(f"{calls.spoken(position)} has been on {place} for {seconds:.0f} s: tried elsewhere as well")

    def _watch(self, calls: Calls) -> None:
        """Raise ClusterError when nothing has finished for too long; own workers get another chance before."""
        if time.monotonic() - self._progress <= self.patience.stall:
            return
        what = f"nothing has finished for {self.patience.stall:g} s"
        for position, place, line in whereabouts(self.client, self._ask("processing"), calls.attempts):
            self.tell(f"{calls.spoken(position)} is on {place}{line}")
        if self._processes is None or not self._restarts_left:
            raise ClusterError(self._connection.problem(what))
        self._restarts_left -= 1
        self.tell(f"{what}: all workers are started again")
        self._processes.restart()
        self._progress = time.monotonic()

    def _reconnect(self, lost: SchedulerLost, patience: float) -> None:
        if not patience:
            raise ClusterError(self._connection.lost(patience)) from lost
        self.tell(f"the scheduler at {self._connection.address} is lost ({lost}): waiting {patience:g} s for it")
        self._connection.renew(patience)
        self._known, self._nobody_since = set(), None
        self.tell("the scheduler is back: what has no result yet is handed out again")

    def _ask(self, what: str, **arguments: Any) -> Any:
        return self._connection.ask(what, self.patience.answer, **arguments)


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


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what distributed logs in this process off the terminal; workers' logs are asked for by `worker_logs`."""
    from distributed.utils import silence_logging_cmgr

    with silence_logging_cmgr(logging.CRITICAL + 1), silence_logging_cmgr(logging.CRITICAL + 1, root="tornado"):
        yield
