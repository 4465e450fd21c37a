"""A Dask scheduler that runs somewhere, with workers of its own."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from scoreline.clusters.base import Cluster
from scoreline.errors import ClusterError, Problem, UsageError
from scoreline.own_modules import import_modules, read_modules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from distributed import Client, Security

    from scoreline.clusters.base import Session


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

    @model_validator(mode="after")
    def _certificates_go_with_tls(self) -> Self:
        paths = (self.ca, self.cert, self.key)
        if self.address.startswith("tls://") and None in paths:
            raise ValueError("a tls:// address needs ca, cert and key")
        if self.address.startswith("tcp://") and any(paths):
            raise ValueError("ca, cert and key are for a tls:// address")
        return self

    @contextmanager
    def open(self, modules: Sequence[Path] = ()) -> Iterator[Session]:
        """Reach the scheduler, wait for a worker, compare versions. See `Cluster.open`."""
        own = read_modules(modules)
        import_modules(own)
        security = self._security()
        from scoreline.clusters._modules import shipped
        from scoreline.clusters._session import DaskSession, quiet
        from scoreline.clusters._versions import check_versions

        with quiet(), self._reached(security) as client:
            self._wait_for_a_worker(client)
            check_versions(client, self.timeout_s)
            with shipped(client, own):
                yield DaskSession(client, self.timeout_s)

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

    def _reached(self, security: Security | None) -> Client:
        from distributed import Client

        try:
            return Client(self.address, security=security, timeout=self.timeout_s)
        except (OSError, ImportError) as error:
            reason = str(error) or type(error).__name__
            problem = Problem(
                f"no scheduler answers within {self.timeout_s:g} s: {reason}",
                f"cluster {self.address}",
                "check the address and that `dask scheduler` runs there, or leave out the cluster to run on this machine",
            )
            raise ClusterError(problem) from error

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
