"""A scheduler that is lost and comes back, a connection that breaks, workers that all go."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.dask_processes import DaskProcesses

from scoreline.clusters._connection import Connection
from scoreline.clusters.local import Local
from scoreline.clusters.scheduler import Scheduler
from scoreline.errors import ClusterError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

StartDask = Callable[..., DaskProcesses]
COUNT = 60


class _Line:
    """Passes bytes between clients and a server, and can cut all connections at once."""

    def __init__(self, server: str) -> None:
        host, port = server.removeprefix("tcp://").split(":")
        self._server = (host, int(port))
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def open(self) -> Iterator["_Line"]:
        thread = threading.Thread(target=self._accept)
        thread.start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            self._listener.close()
            self.cut()

    def cut(self) -> None:
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._sockets.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=_pump, args=ends, daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(2**16):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


def test_a_scheduler_that_comes_back_gets_what_is_missing(start_dask: StartDask, tmp_path: Path) -> None:
    module = tmp_path / "slow_steps.py"
    module.write_text("import time\ndef slowly(item):\n    time.sleep(0.05)\n    return -item\n")
    dask = start_dask(1)
    said: list[str] = []
    found: list[tuple[int, int]] = []
    with Scheduler(address=dask.address).open([module], tell=said.append) as session:
        import slow_steps  # type: ignore[import-not-found]

        for answer in session.map(slow_steps.slowly, range(COUNT), "slowly"):
            found.append(answer)
            if len(found) == 10:
                dask.replace_scheduler()
                dask.add_worker()
        assert dict(session.map(abs, [-1], "absolute")) == {0: 1}
    assert sorted(found) == [(item, -item) for item in range(COUNT)]
    assert any("is lost" in sentence for sentence in said)
    assert "the scheduler is back: what has no result yet is handed out again" in said


def test_a_connection_that_breaks_loses_nothing(start_dask: StartDask) -> None:
    found: list[tuple[int, object]] = []
    with (
        _Line(start_dask(1).address).open() as line,
        Scheduler(address=line.address).open() as session,
    ):
        for answer in session.map(time.sleep, [0.05] * COUNT, "sleep"):
            found.append(answer)
            if len(found) in {5, 20}:
                line.cut()
    assert sorted(found) == [(position, None) for position in range(COUNT)]


def test_a_scheduler_that_was_frozen_gets_what_is_missing(start_dask: StartDask) -> None:
    dask = start_dask(1)
    found: list[tuple[int, object]] = []
    with Scheduler(address=dask.address, timeout_s=3).open() as session:
        for answer in session.map(time.sleep, [0.05] * COUNT, "sleep"):
            found.append(answer)
            if len(found) == 5:
                dask.send(signal.SIGSTOP, dask.scheduler)
                threading.Timer(12, dask.send, (signal.SIGCONT, dask.scheduler)).start()
    assert sorted(found) == [(position, None) for position in range(COUNT)]


def test_a_scheduler_that_does_not_come_back_is_an_error_that_says_how_long_it_was_awaited(
    start_dask: StartDask,
) -> None:
    dask = start_dask(1)
    with Scheduler(address=dask.address, reconnect_s=1, timeout_s=3).open() as session:
        found = session.map(time.sleep, [0.05] * COUNT, "sleep")
        next(found)
        dask.send(signal.SIGKILL, dask.scheduler)
        with pytest.raises(ClusterError, match="did not come back within 1 s"):
            list(found)


def test_local_workers_whose_nannies_are_gone_are_replaced_once() -> None:
    said: list[str] = []
    with Local(workers=2).open(tell=said.append) as session:
        cluster = session.client.cluster

        async def close() -> None:
            await asyncio.gather(*(nanny.close(timeout=1) for nanny in cluster.workers.values()))

        found: list[tuple[int, object]] = []
        for answer in session.map(time.sleep, [0.05] * COUNT, "sleep"):
            found.append(answer)
            if len(found) == 5:
                cluster.sync(close)
        assert sorted(found) == [(position, None) for position in range(COUNT)]
        assert len(cluster.workers) == 2
    assert "no worker is left: new ones are started" in said


def test_local_work_goes_on_with_the_workers_that_are_left() -> None:
    with Local(workers=2).open() as session:
        cluster = session.client.cluster
        found: list[tuple[int, object]] = []
        for answer in session.map(time.sleep, [0.05] * COUNT, "sleep"):
            found.append(answer)
            if len(found) == 5:
                cluster.sync(next(iter(cluster.workers.values())).close)
        assert sorted(found) == [(position, None) for position in range(COUNT)]


def test_a_client_that_says_it_is_closed_while_it_is_closed_is_replaced() -> None:
    made: list[Any] = []

    @contextmanager
    def connect() -> Iterator[Any]:
        made.append(SimpleNamespace(scheduler=SimpleNamespace(address="tcp://here")))
        yield made[-1]
        if len(made) == 1:
            # What Dask's client raises when it is closed while it connects again.
            message = "ConnectionPool is closed"
            raise RuntimeError(message)

    with Connection(connect) as connection:
        connection.renew(1.0)
        assert connection.client is made[1]
