"""No cluster: tasks run in this process, one after the other."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from scoreline.clusters.base import Cluster, Item, Result, task_note, tell_nobody
from scoreline.own_modules import import_modules, read_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


class Inline(Cluster):
    """Run in this process, without Dask: for small data and for a debugger.

    >>> with Inline().open() as session:
    ...     dict(session.map(abs, [-1, 2], "doctest"))
    {0: 1, 1: 2}
    """

    kind: Literal["inline"] = "inline"

    @contextmanager
    def open(self, modules: Sequence[Path] = (), tell: Callable[[str], None] = tell_nobody) -> Iterator[_InlineSession]:
        """Import the user's modules here; there is nothing to start or to close."""
        import_modules(read_modules(modules))
        yield _InlineSession()


@dataclass(frozen=True)
class _InlineSession:
    """A session that is nothing but the calling process."""

    workers: int = 1
    client: Any = None

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], label: str
    ) -> Iterator[tuple[int, Result]]:
        for position, item in enumerate(items):
            try:
                result = function(item)
            except Exception as error:
                error.add_note(task_note(label, position, len(items)))
                raise
            yield position, result

    def worker_logs(self) -> dict[str, str]:
        return {}
