"""The calls of one map: which wait, which are in flight, which are under suspicion of killing their workers."""

from __future__ import annotations

import pickle
import time
from collections import deque
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from scoreline.clusters._outcomes import Outcomes
from scoreline.clusters._stragglers import Stragglers
from scoreline.clusters.base import task_note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Sequence

    from distributed import Client, Future

    from scoreline.clusters._crew import Crew

_SUSPECTS_AT_MOST = 8
"""With so many under suspicion, nothing new is handed out before it is known which of them are guilty."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave, and how many seconds it took."""

    result: Any
    seconds: float


@dataclass(frozen=True)
class _Task:
    """A call as bytes: the scheduler passes it on without importing what it refers to."""

    function: bytes

    def __call__(self, item: bytes) -> Answer:
        started = time.monotonic()
        result = pickle.loads(self.function)(pickle.loads(item))
        return Answer(result, time.monotonic() - started)


class Calls:
    """The calls of one map, by position of the item; nothing is kept of those that are finished.

    When the scheduler says that workers died of a call, it blames whatever was on them. So the call waits until all
    others are done, and is tried again with nothing else in flight: if that kills again, it is proven guilty.
    """

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any], label: str) -> None:
        import cloudpickle

        self.items = items
        self.label = label
        self.attempts: dict[int, list[Future[Any]]] = {}
        self._stragglers = Stragglers()
        self._tried: dict[int, set[str]] = {}
        self._suspects: deque[int] = deque()
        self._alone = False
        self._proven = False
        self._doubts: set[int] = set()
        self._task = _Task(cloudpickle.dumps(function))
        self._group = f"{label}-{uuid4().hex}"
        self._numbers = count()
        self._waiting: Iterator[int] = iter(range(len(items)))

    def begin(self, client: Client) -> None:
        """Start on this client whatever is started from now on."""
        self._client = client
        self.outcomes = Outcomes(client)

    def fill(self, room: int) -> bool:
        """Start as many calls as there is room for; False when nothing is left to wait for."""
        if self._alone and self.attempts:
            return True
        free = room - len(self.attempts)
        if free >= room // 2 and not self._proven and len(self._suspects) < _SUSPECTS_AT_MOST:
            self._start(list(islice(self._waiting, free)))
        self._alone = not self.attempts and bool(self._suspects)
        if self._alone:
            self._start([self._suspects.popleft()])
        return bool(self.attempts)

    def _start(self, positions: Sequence[int], workers: Collection[str] = ()) -> None:
        """Start an attempt for each position, on one of the `workers` if that can be."""
        import cloudpickle

        if not positions:
            return
        keys = [(self._group, position, next(self._numbers)) for position in positions]
        payloads = [cloudpickle.dumps(self.items[position]) for position in positions]
        chosen = list(workers) or None
        futures = self._client.map(
            self._task, payloads, key=keys, pure=False, workers=chosen, allow_other_workers=chosen is not None
        )
        for position, future in zip(positions, futures, strict=True):
            self.attempts.setdefault(position, []).append(future)
        self.outcomes.follow(futures)

    def wanted(self, future: Future[Any]) -> bool:
        """False for the attempt that came second, and for one that was given up."""
        return future in self.attempts.get(position_of(future.key), ())

    def settle(self, future: Future[Any], answer: Answer) -> int:
        """The position that is answered; it is forgotten, and other attempts at it are ended."""
        position = position_of(future.key)
        self._stragglers.finished(answer.seconds)
        for attempt in self.attempts.pop(position):
            attempt.release()
        self._tried.pop(position, None)
        return position

    def late(self, crew: Crew, now: float) -> dict[int, float]:
        """For how many seconds positions have been tried that take too long in every attempt."""
        futures: dict[Hashable, Future[Any]] = {
            future.key: future for attempts in self.attempts.values() for future in attempts
        }
        places = {key: place for key, place in crew.places().items() if key in futures}
        # A result that is not here yet, though the worker has it, can be late too.
        kept = [key for key, future in futures.items() if future.status == "finished" and key not in places]
        self._stragglers.see(places | {key: self._stragglers.place(key) for key in kept}, now)
        late = self._stragglers.late(now, crew.silent)
        return {
            position: late[attempts[0].key]
            for position, attempts in self.attempts.items()
            if all(attempt.key in late for attempt in attempts)
        }

    def second(self, position: int, idle: Collection[str]) -> str:
        """Begin another attempt on a worker of its own, in place of an earlier one but the first.

        The worker that the first attempt is on; an empty text when all idle workers were tried.
        """
        first, *others = self.attempts[position]
        tried = self._tried.setdefault(position, set())
        tried.update(self._stragglers.place(attempt.key) for attempt in (first, *others))
        untried = set(idle) - tried
        if not untried:
            return ""
        for attempt in others:
            self._give_up(attempt)
        self._start([position], untried)
        return self._stragglers.place(first.key) or "a worker"

    def _give_up(self, future: Future[Any]) -> None:
        self.attempts[position_of(future.key)].remove(future)
        future.release()

    def is_guilty(self, future: Future[Any]) -> bool:
        """Take note of an attempt that killed its workers; True when nothing else was in flight on them."""
        position = position_of(future.key)
        self._give_up(future)
        if self.attempts[position]:
            return False
        del self.attempts[position]
        self._tried.pop(position, None)
        if not self._alone:
            self._suspects.append(position)
        return self._alone

    def doubted(self, position: int) -> bool:
        """Try a call alone once more whose worker left no trace: another reason is possible. False the next time."""
        if position in self._doubts:
            return False
        self._doubts.add(position)
        self._suspects.append(position)
        return True

    def convict(self) -> None:
        """Hand out nothing new: what kills workers is known."""
        self._proven = True

    def hand_back(self) -> None:
        """Forget what was in flight on a client that is lost: all of it waits again."""
        lost = list(self.attempts)
        self.attempts.clear()
        self._tried.clear()
        if self._alone:
            self._suspects.extendleft(lost)
        else:
            self._waiting = chain(lost, self._waiting)

    def cancel(self) -> None:
        """Stop what still runs, as far as anybody listens."""
        futures = list(chain.from_iterable(self.attempts.values()))
        if futures and self._client.status == "running":
            self._client.cancel(futures, reason="not-wanted")

    def note(self, position: int) -> str:
        """Where an error happened."""
        return task_note(self.label, position, len(self.items))

    def spoken(self, position: int) -> str:
        """The task in a sentence."""
        return f"{self._name(position)}{self.note(position).removeprefix('in ')}"

    def where(self, position: int) -> str:
        """The task as a place: the name of its item, if it has one, and its position."""
        return f"{self._name(position)}{self.note(position)}"

    def _name(self, position: int) -> str:
        name = getattr(self.items[position], "name", None)
        return f"{name}, " if isinstance(name, str) else ""


def position_of(key: Any) -> int:
    """The position of the item in the key of an attempt."""
    _, position, _ = key
    return int(position)
