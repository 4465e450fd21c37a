"""Which calls take so long that a second attempt on another worker may answer sooner."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping

FLOOR_S = 5.0
TIMES_THE_MEDIAN = 3.0
_REMEMBERED = 200


@dataclass(frozen=True)
class _Seen:
    worker: str
    since: float


class Stragglers:
    """How long calls take, and since when those in flight are on their workers. Its size does not grow.

    >>> calls = Stragglers()
    >>> calls.see({"a": "tcp://1", "b": "tcp://2"}, now=0.0)
    >>> calls.finished(4.0)
    >>> calls.late(now=11.0)
    {}
    >>> calls.late(now=13.0), calls.late(now=1.0, silent=["tcp://2"])
    ({'a': 13.0, 'b': 13.0}, {'b': 1.0})
    """

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=_REMEMBERED)
        self._seen: dict[Hashable, _Seen] = {}

    def finished(self, seconds: float) -> None:
        """Learn how long a call took."""
        self._took.append(seconds)

    def see(self, places: Mapping[Hashable, str], now: float) -> None:
        """Take note of the worker that each call is on; a call that moves to another starts anew."""
        before = {key: self._seen.get(key) for key in places}
        self._seen = {
            key: seen if (seen := before[key]) and seen.worker == worker else _Seen(worker, now)
            for key, worker in places.items()
        }

    def late(self, now: float, silent: Collection[str] = ()) -> dict[Hashable, float]:
        """For how many seconds the calls run that run too long, or on a worker that says nothing any more."""
        limit = self._limit()
        return {
            key: now - seen.since
            for key, seen in self._seen.items()
            if now - seen.since > limit or seen.worker in silent
        }

    def place(self, key: Hashable) -> str:
        """The worker that a call was last seen on; an empty text when it was seen on none."""
        seen = self._seen.get(key)
        return "" if seen is None else seen.worker

    def _limit(self) -> float:
        return max(FLOOR_S, TIMES_THE_MEDIAN * median(self._took)) if self._took else inf
