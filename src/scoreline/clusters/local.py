"""Worker processes on this machine."""

from __future__ import annotations

import logging
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from scoreline.clusters._given_to_workers import HASHES, IMPORTED_EARLY, WORKER_ENVIRONMENT
from scoreline.clusters.base import STALL_S, Cluster, StallSeconds, tell_nobody
from scoreline.errors import ClusterError, Problem
from scoreline.own_modules import import_modules, read_modules
from scoreline.threads import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from distributed import Client, LocalCluster

    from scoreline.clusters.base import Session
    from scoreline.own_modules import OwnModule

_DEATHS_ALLOWED = 1
"""How many workers may die of a task before it comes under suspicion; each costs a second to start again."""
_START_S = 60.0
"""How long workers may take to start, and for how long all may be gone while they are started again."""


_LOOK_S = 0.005
"""How often some nanny looks whether its worker is there. Left alone each does so every 0.05 seconds, and all wait."""

_MOST_WORKERS = 1024
"""More than any machine has cores; a slip of the keyboard must not fill its memory with processes."""


class Local(Cluster):
    """Worker processes on this machine with one thread each, reachable from this machine only."""

    kind: Literal["local"] = "local"
    workers: Annotated[int, Field(ge=1, le=_MOST_WORKERS)] | Literal["auto"] = Field(
        "auto", description="Worker processes; auto: one for each core."
    )
    memory_limit: str = Field(
        "auto",
        pattern=r"^(auto|\d+(\.\d+)? ?([kMGT]i?)?B)$",
        description='Memory of each worker, such as "4GiB"; auto: an equal share of the machine.',
    )
    dashboard: bool = Field(False, description="Serve Dask's dashboard on a free port of 127.0.0.1.")

    stall_s: StallSeconds = STALL_S

    @contextmanager
    def open(self, modules: Sequence[Path] = (), tell: Callable[[str], None] = tell_nobody) -> Iterator[Session]:
        """Begin to start the workers, which takes about a second more, and do not wait for them. See `Cluster.open`.

        The session raises ClusterError when it is used and they did not start.
        """
        from scoreline.clusters._template import template

        own = read_modules(modules)
        with environment(WORKER_ENVIRONMENT | HASHES), template(IMPORTED_EARLY):
            import_modules(own)
            with self._started(own, tell) as session:
                yield session

    @contextmanager
    def _started(self, own: Sequence[OwnModule], tell: Callable[[str], None]) -> Iterator[Session]:
        from scoreline.clusters._ahead import SessionAhead
        from scoreline.clusters._connection import Connection
        from scoreline.clusters._heard import heard
        from scoreline.clusters._processes import starting
        from scoreline.clusters._session import DaskSession, Patience, quiet

        patience = Patience(workers=_START_S, stall=self.stall_s, scheduler=_START_S, answer=_START_S)
        with quiet(), heard(), starting(self._cluster) as started, ExitStack() as stack:

            def session() -> DaskSession:
                processes = started()
                connection = stack.enter_context(Connection(lambda: _connected(processes.cluster, own)))
                return DaskSession(connection, patience, tell, processes)

            yield SessionAhead(session)

    def _cluster(self) -> LocalCluster:
        import dask
        from dask.system import CPU_COUNT
        from distributed import LocalCluster

        workers = CPU_COUNT if self.workers == "auto" else self.workers
        try:
            # Profiles are for the dashboard, and take time to make.
            with dask.config.set({"distributed.worker.profile.enabled": self.dashboard}), _noticed_soon(workers):
                return LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    memory_limit=self.memory_limit,
                    host="127.0.0.1",
                    scheduler_port=0,
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": self.dashboard, "allowed_failures": _DEATHS_ALLOWED},
                    silence_logs=logging.CRITICAL,
                    preload=IMPORTED_EARLY,
                )
        except (OSError, RuntimeError) as error:
            advice = (
                "run the same command again; check memory and process limits; "
                "a script of your own needs: if __name__ == '__main__':"
            )
            raise ClusterError(Problem(f"the workers did not start: {error}", "cluster local", advice)) from error


@contextmanager
def _noticed_soon(workers: int) -> Iterator[None]:
    """Have nannies look for their workers often while these start; Dask has no setting for it."""
    from distributed.nanny import WorkerProcess

    before = _left_alone()
    WorkerProcess._init_msg_interval = min(before, workers * _LOOK_S)  # noqa: SLF001
    try:
        yield
    finally:
        WorkerProcess._init_msg_interval = before  # noqa: SLF001


@cache
def _left_alone() -> float:
    """How often each nanny looks, asked once: another cluster may be starting."""
    from distributed.nanny import WorkerProcess

    return float(WorkerProcess._init_msg_interval)  # noqa: SLF001


@contextmanager
def _connected(cluster: LocalCluster, own: Sequence[OwnModule]) -> Iterator[Client]:
    from distributed import Client

    from scoreline.clusters._plugins import ship, tie_to_driver

    with Client(cluster) as client:
        tie_to_driver(client)
        ship(client, own, _START_S)
        yield client
