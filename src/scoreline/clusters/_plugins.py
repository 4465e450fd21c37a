"""What every worker of a Dask cluster gets when it joins: the user's modules, and deafness to Ctrl-C."""

from __future__ import annotations

import hashlib
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin

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


class DeafToInterrupts(WorkerPlugin):
    """Lets Ctrl-C pass by worker processes of this terminal: the driver hears it and closes them in order."""

    name = "scoreline-deaf-to-interrupts"
    idempotent = True

    def setup(self, worker: Worker) -> None:
        """Ignore SIGINT from now on."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def shipped(client: Client, modules: Sequence[OwnModule]) -> Iterator[None]:
    """Make the modules importable on every worker for as long as the session lasts."""
    if not modules:
        yield
        return
    plugin = _OwnModules(modules)
    client.register_plugin(plugin)
    try:
        yield
    finally:
        # A scheduler that is lost, or workers that hang, must not keep the session from closing.
        scheduler: Any = client.scheduler
        if client.status == "running":
            with suppress(OSError):
                client.sync(scheduler.unregister_worker_plugin, name=plugin.name, callback_timeout=_CLOSE_S)
