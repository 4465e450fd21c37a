"""The workers of a cluster as its scheduler sees them at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

_SILENT_S = 10.0
"""Workers report twice a second or, in a large cluster, every `workers / 200` seconds."""


@dataclass(frozen=True)
class Crew:
    """What the scheduler knows of each worker, and which tasks it gave to it, by address."""

    workers: Mapping[str, Mapping[str, Any]]
    processing: Mapping[str, Sequence[Hashable]]

    @property
    def threads(self) -> int:
        """Tasks that can run at the same time."""
        return sum(worker["nthreads"] for worker in self.workers.values())

    @property
    def silent(self) -> frozenset[str]:
        """Workers that have not reported for a while though others have: frozen, cut off, or deep in foreign code.

        >>> workers = {"a": {"last_seen": 50.0}, "b": {"last_seen": 61.0}}
        >>> sorted(Crew(workers, {}).silent)
        ['a']
        """
        seen = {address: worker["last_seen"] for address, worker in self.workers.items()}
        allowed = max(_SILENT_S, len(seen) / 20)
        return frozenset(address for address, when in seen.items() if max(seen.values()) - when > allowed)

    @property
    def idle(self) -> frozenset[str]:
        """Workers that report, and have a thread with nothing to do."""
        return frozenset(
            address
            for address, worker in self.workers.items()
            if address not in self.silent
            and worker["status"] == "running"
            and len(self.processing.get(address, ())) < worker["nthreads"]
        )

    def places(self) -> dict[Hashable, str]:
        """The worker of each task that is on one."""
        return {key: address for address, keys in self.processing.items() for key in keys}
