"""A Dask scheduler that runs somewhere, with workers of its own."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from scoreline.clusters.base import STALL_S, Cluster, StallSeconds, tell_nobody
from scoreline.errors import ClusterError, Problem, UsageError
from scoreline.own_modules import import_modules, read_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client, Security
    from distributed.utils import LoopRunner

    from scoreline.clusters.base import Session
    from scoreline.own_modules import OwnModule

_SILENCES = 3
"""How many times its timeout a session waits for a scheduler that is connected but says nothing."""


class Scheduler(Cluster):
    """A scheduler at an address; its workers need the same packages as this process, in the same versions."""

    kind: Literal["scheduler"] = "scheduler"
    address: str = Field(pattern=r"^(tcp|tls)://[^/\s]+:\d+$", description="tcp://host:port, or tls:// for encryption.")
    ca: str | None = Field(None, description="tls: path of the certificate authority's certificate.")
    cert: str | None = Field(None, description="tls: path of this client's certificate.")
    key: str | None = Field(None, description="tls: path of this client's private key.")
    timeout_s: float = Field(
        10.0, gt=0, description="Seconds to wait for the scheduler, and for a worker when there is none."
    )
    reconnect_s: float = Field(
        60.0, ge=0, description="Seconds to wait for the scheduler to come back when it is lost during a run."
    )
    stall_s: StallSeconds = STALL_S

    @model_validator(mode="after")
    def _certificates_go_with_tls(self) -> Self:
        paths = (self.ca, self.cert, self.key)
        if self.address.startswith("tls://") and None in paths:
            raise ValueError("a tls:// address needs ca, cert and key")
        if self.address.startswith("tcp://") and any(paths):
            raise ValueError("ca, cert and key are for a tls:// address")
        return self

    @contextmanager
    def open(self, modules: Sequence[Path] = (), tell: Callable[[str], None] = tell_nobody) -> Iterator[Session]:
        """Reach the scheduler, wait for a worker, compare versions. See `Cluster.open`."""
        own = read_modules(modules)
        import_modules(own)
        security = self._security()
        from scoreline.clusters._connection import Connection
        from scoreline.clusters._session import DaskSession, Patience, quiet

        answer = _SILENCES * self.timeout_s
        patience = Patience(workers=self.timeout_s, stall=self.stall_s, scheduler=self.reconnect_s, answer=answer)
        with quiet(), Connection(lambda: self._connected(security, own)) as connection:
            yield DaskSession(connection, patience, tell)

    @contextmanager
    def _connected(self, security: Security | None, own: Sequence[OwnModule]) -> Iterator[Client]:
        from scoreline.clusters._plugins import shipped
        from scoreline.clusters._versions import check_versions

        with self._reached(security) as client:
            self._wait_for_a_worker(client)
            check_versions(client, self.timeout_s)
            with shipped(client, own, _SILENCES * self.timeout_s):
                yield client

    def _security(self) -> Security | None:
        if self.address.startswith("tcp://"):
            return None
        missing = [path for path in (self.ca, self.cert, self.key) if path and not Path(path).is_file()]
        if missing:
            advice = "check the paths in the cluster section"
            raise UsageError(*(Problem("there is no such file", path, advice) for path in missing))
        from distributed import Security

        return Security(
            tls_ca_file=self.ca, tls_client_cert=self.cert, tls_client_key=self.key, require_encryption=True
        )

    @contextmanager
    def _reached(self, security: Security | None) -> Iterator[Client]:
        """A client on a loop of its own, so that nothing is left running when nobody answers."""
        from distributed import Client
        from distributed.utils import LoopRunner

        runner = LoopRunner(asynchronous=False)
        runner.start()
        try:
            try:
                _knock(self.address, security, runner, self.timeout_s)
                client = Client(self.address, loop=runner.loop, security=security, timeout=self.timeout_s)
            except (OSError, ImportError) as error:
                raise ClusterError(self._unreachable(error)) from error
            with client:
                yield client
        finally:
            runner.stop()

    def _unreachable(self, error: Exception) -> Problem:
        return Problem(
            f"no scheduler answers within {self.timeout_s:g} s: {str(error) or type(error).__name__}",
            f"cluster {self.address}",
            "check the address and that `dask scheduler` runs there, or leave out the cluster to run on this machine",
        )

    def _wait_for_a_worker(self, client: Client) -> None:
        try:
            client.wait_for_workers(1, timeout=self.timeout_s)
        except TimeoutError as error:
            problem = Problem(
                f"the scheduler has no workers after {self.timeout_s:g} s",
                f"cluster {self.address}",
                f"start some: dask worker {self.address} --nthreads 1",
            )
            raise ClusterError(problem) from error


def _knock(address: str, security: Security | None, runner: LoopRunner, timeout: float) -> None:
    """Ask the scheduler who it is. A client would wait without end for a server that accepts and then says nothing."""
    from distributed.comm.core import connect
    from distributed.core import send_recv
    from distributed.utils import sync

    options = {} if security is None else security.get_connection_args("client")

    async def ask() -> None:
        comm = await connect(address, timeout=timeout, **options)
        await send_recv(comm, op="identity", n_workers=0, reply=True, close=True)

    sync(runner.loop, ask, callback_timeout=timeout + 1)
