"""What every cluster is: a place to open, and a session that maps a function over items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

Item = TypeVar("Item")
Result = TypeVar("Result")


class Session(Protocol):
    """An open cluster."""

    workers: int
    """Tasks that run at the same time."""
    client: Any
    """The distributed Client, or None when tasks run in this process."""

    def map(self, function: Callable[[Item], Result], items: Sequence[Item], label: str) -> Iterator[tuple[int, Result]]:
        """Apply a pure function to every item; yield (position of the item, result) as they finish, in any order.

        Items and results are small and pickle; at most a few times `workers` items are in flight. `label` names the tasks on
        the dashboard and in messages. The first exception of a task is raised here with a note naming the item's position,
        and what is in flight is cancelled. ClusterError when the scheduler or all workers are lost.
        """
        ...

    def worker_logs(self) -> dict[str, str]:
        """The log text of each worker by a file-safe name; empty when tasks run in this process."""
        ...


class Cluster(BaseModel):
    """One kind of cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str

    def open(self, modules: Sequence[Path] = ()) -> AbstractContextManager[Session]:
        """Start or reach the cluster; closing leaves no process or thread behind that it started.

        The user's `modules` are importable by their stem on every worker, later ones included. Raises ClusterError when no
        scheduler answers (what was tried, for how long), when there are no workers, when versions of Python, dask, distributed,
        pyarrow, pandas, numpy, scikit-learn or scoreline differ between client, scheduler and workers (a table), or when a
        package is missing on a worker.
        """
        raise NotImplementedError
