"""What every worker of a Dask cluster gets when it joins: the user's modules, and an end with its driver."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin

from scoreline.clusters._mortal import end_with_parent
from scoreline.errors import ClusterError, Problem, UsageError
from scoreline.own_modules import forget_modules, import_modules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from distributed import Client, Worker

    from scoreline.own_modules import OwnModule

_CLOSE_S = 5.0


class _OwnModules(WorkerPlugin):
    """Imports the modules on each worker; forgets them when the session ends."""

    idempotent = True

    def __init__(self, modules: Sequence[OwnModule]) -> None:
        self.modules = tuple(modules)
        spelled = "".join(module.name + module.sha256 for module in self.modules)
        self.name = f"scoreline-modules-{hashlib.sha256(spelled.encode()).hexdigest()[:16]}"

    def setup(self, worker: Worker) -> None:
        try:
            import_modules(self.modules)
        except UsageError as error:
            advice = "install what the module imports on every worker"
            problems = (Problem(p.what, f"worker {worker.address}", advice) for p in error.problems)
            raise ClusterError(*problems) from error

    def teardown(self, worker: Worker) -> None:
        forget_modules([module.name for module in self.modules])


class EndsWithDriver(WorkerPlugin):
    """Has Linux kill a worker with the process that it was forked from, which ends with the driver: even a frozen one.

    Elsewhere, and before, a thread of the worker notices that the driver is gone.
    """

    name = "scoreline-ends-with-driver"
    idempotent = True

    def setup(self, worker: Worker) -> None:
        """Ask for it."""
        end_with_parent()


def tie_to_driver(client: Client) -> None:
    """Have the workers end with the driver. One that dies meanwhile is no loss: its successor is told when it joins."""
    with suppress(OSError):
        client.register_plugin(EndsWithDriver())


def ship(client: Client, modules: Sequence[OwnModule], seconds: float) -> None:
    """Make the modules importable on every worker, and on those that join later.

    ClusterError when a worker cannot import one, is lost meanwhile, or does not answer within so many `seconds`.
    """
    if not modules:
        return

    async def register() -> None:
        await client.register_plugin(_OwnModules(modules))

    try:
        client.sync(register, callback_timeout=seconds)
    except TimeoutError as error:
        what = f"a worker has not imported the modules within {seconds:g} s"
        raise ClusterError(Problem(what, f"--module {modules[0].path}", "restart the workers that hang")) from error
    except OSError as error:
        what = f"a worker was lost while it imported the modules: {error}"
        raise ClusterError(Problem(what, f"--module {modules[0].path}", "run the same command again")) from error


@contextmanager
def shipped(client: Client, modules: Sequence[OwnModule], seconds: float) -> Iterator[None]:
    """As `ship`, for as long as the session lasts."""
    ship(client, modules, seconds)
    try:
        yield
    finally:
        # A scheduler that is lost, or workers that hang, must not keep the session from closing.
        scheduler: Any = client.scheduler
        if modules and client.status == "running":
            # A scheduler that came back may never have heard of them.
            with suppress(OSError, ValueError):
                name = _OwnModules(modules).name
                client.sync(scheduler.unregister_worker_plugin, name=name, callback_timeout=_CLOSE_S)
