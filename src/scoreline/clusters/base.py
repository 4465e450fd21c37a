"""What every cluster is: a place to open, and a session that maps a function over items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

Item = TypeVar("Item")
Result = TypeVar("Result")

STALL_S = 14_400.0
StallSeconds = Annotated[
    float,
    Field(
        gt=0,
        description="Seconds without any result, while tasks run, after which the run gives up; more than the longest "
        "unit or training takes.",
    ),
]


def tell_nobody(sentence: str) -> None:
    """What a session tells when nobody listens."""


class Session(Protocol):
    """An open cluster."""

    @property
    def workers(self) -> int:
        """Tasks that run at the same time."""
        ...

    @property
    def client(self) -> Any:
        """The distributed Client, the default one while the session is open; None when tasks run in this process."""
        ...

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], label: str
    ) -> Iterator[tuple[int, Result]]:
        """Apply a function to every item; yield (position of the item, result) as they finish, in any order.

        The function may be called more than once for an item, even at the same time, and only the first answer counts:
        what it writes, it creates at most once. Lazy: nothing starts before the first result is asked for. Items and
        results are small and pickle; at most a few times `workers` items are in flight, and a result that was yielded
        is kept nowhere. `label` names the tasks on the dashboard and in messages. The first exception of a task is
        raised here as it was there, with a note naming the item's position, and what is in flight is cancelled, as it
        is when the iterator is closed early.

        ClusterError when the scheduler or all workers are lost and do not come back, when nothing finishes for too
        long, and, after every other item is done, for items that kill their workers: a problem for each, naming it by
        its `name` if it has one, and by its position.
        """
        ...

    def worker_logs(self) -> dict[str, str]:
        """The log text of each worker by a file-safe name; empty when tasks run in this process.

        Never raises and takes a few seconds at most: workers that do not answer are left out.
        """
        ...


class Cluster(BaseModel):
    """One kind of cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str

    def open(
        self, modules: Sequence[Path] = (), tell: Callable[[str], None] = tell_nobody
    ) -> AbstractContextManager[Session]:
        """Start or reach the cluster; closing leaves no process or thread behind that it started.

        What has to be started may still be on its way: the first use of the session waits for it, and raises what
        would be raised here.

        What goes wrong on the way and is mended is told in sentences by `tell`: lost workers, second attempts, tasks
        that come under suspicion of killing workers, a scheduler that comes back, and what runs where when nothing
        finishes any more. It is called in the thread that asks for results, between two of them.

        The user's `modules` are importable by their stem here and on every worker, later ones included; UsageError
        when one of them cannot be. Raises ClusterError when no scheduler answers (what was tried, for how long), when
        there are no workers, when versions of Python, dask, distributed, pyarrow, pandas, numpy, scikit-learn or
        scoreline differ between client, scheduler and workers (a problem for each package), or when a package is
        missing on a worker.
        """
        raise NotImplementedError


def task_note(label: str, position: int, count: int) -> str:
    """The note on an exception that came from a task.

    >>> task_note("predict", 3, 40)
    'in task 4 of 40 of predict (position 3)'
    """
    return f"in task {position + 1} of {count} of {label} (position {position})"
