"""A real S3 server for tests, and a proxy that loses its answers."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

READY_SECONDS = 45
DROP = 0
"""A fault of `LossyProxy`: the request arrives, its answer does not."""

# The shell ends the server when its own standard input closes, so also when the tests are killed.
KEEPER = '"$@" & read -r _; kill -KILL $!; wait'


@dataclass(frozen=True)
class SeaweedFS:
    """A running server with an identity that may do all and one that may only read."""

    endpoint: str
    access_key: str
    secret_key: str
    read_only_access_key: str
    read_only_secret_key: str

    def env(self) -> dict[str, str]:
        """The AWS_* variables with which a process uses this server and nothing else of this machine."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def read_only(self) -> "SeaweedFS":
        """The same server for the identity that may only read."""
        return replace(self, access_key=self.read_only_access_key, secret_key=self.read_only_secret_key)

    def client(self) -> Any:
        """A plain client, independent of the code under test."""
        return botocore.session.Session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def bucket(self) -> str:
        """Make a fresh bucket and return its name."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name


class LossyProxy:
    """Passes bytes on to a server; each next fault in ``faults`` befalls one PUT.

    A fault is `DROP`, or a status with which the proxy answers by itself.
    """

    def __init__(self, server: str) -> None:
        self._server = server.removeprefix("http://").split(":")
        self._loop = asyncio.new_event_loop()
        self.faults: deque[int] = deque()
        self.puts = 0
        self.endpoint = ""

    @contextmanager
    def running(self) -> Iterator["LossyProxy"]:
        """Serve in a thread of its own until the block ends."""
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop
        ).result()
        self.endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._stop(server), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _stop(self, server: asyncio.Server) -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        upstream, requests = await asyncio.open_connection(self._server[0], int(self._server[1]))
        dropping = asyncio.Event()
        back = asyncio.create_task(_answers(upstream, answers, dropping))
        try:
            await self._requests(client, requests, answers, dropping)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            back.cancel()
            requests.transport.abort()
            answers.transport.abort()

    async def _requests(
        self,
        client: asyncio.StreamReader,
        requests: asyncio.StreamWriter,
        answers: asyncio.StreamWriter,
        dropping: asyncio.Event,
    ) -> None:
        while head := await client.readuntil(b"\r\n\r\n"):
            fault = self._next_fault(head)
            if fault:
                answers.write(f"HTTP/1.1 {fault} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await answers.drain()
                answers.close()
                return
            if fault == DROP:
                dropping.set()
            requests.write(head)
            await requests.drain()
            remaining = _content_length(head)
            while remaining:
                body = await client.read(min(remaining, 2**16))
                if not body:
                    return
                remaining -= len(body)
                requests.write(body)
                await requests.drain()

    def _next_fault(self, head: bytes) -> int | None:
        if not head.startswith(b"PUT "):
            return None
        self.puts += 1
        return self.faults.popleft() if self.faults else None


async def _answers(upstream: asyncio.StreamReader, answers: asyncio.StreamWriter, dropping: asyncio.Event) -> None:
    while data := await upstream.read(2**16):
        if dropping.is_set() and not data.startswith(b"HTTP/1.1 100"):
            break
        answers.write(data)
        await answers.drain()
    answers.transport.abort()


def _content_length(head: bytes) -> int:
    lines = [line.lower() for line in head.split(b"\r\n")]
    lengths = [int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")]
    return lengths[0] if lengths else 0


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """One server for all tests of this process, started when the first of them needs it."""
    folder = tmp_path_factory.mktemp("seaweedfs")
    server = _server("s3")
    _write_identities(folder / "s3.json", server)
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "sh", *_command(folder, server)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # Otherwise each bucket starts with seven volumes.
            env=os.environ | {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},
            start_new_session=True,
        )
    try:
        _wait_until_ready(server, process, folder / "log.txt")
        yield server
    finally:
        process.communicate()
        shutil.rmtree(folder / "data")


@pytest.fixture
def s3_bucket(seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> str:
    """The location of a fresh bucket, this process using the server for the length of the test."""
    for name, value in seaweedfs.env().items():
        monkeypatch.setenv(name, value)
    return f"s3://{seaweedfs.bucket()}"


@pytest.fixture
def lossy_proxy(seaweedfs: SeaweedFS, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LossyProxy]:
    """A proxy before the server, this process using it for the length of the test."""
    with LossyProxy(seaweedfs.endpoint).running() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def _server(name: str) -> SeaweedFS:
    keys = [f"{name}-{uuid.uuid4().hex}" for _ in range(4)]
    return SeaweedFS(f"http://127.0.0.1:{_free_ports(1)[0]}", *keys)


def _write_identities(path: Path, server: SeaweedFS) -> None:
    def identity(name: str, access_key: str, secret_key: str, actions: list[str]) -> dict[str, object]:
        keys = {"accessKey": access_key, "secretKey": secret_key}
        return {"name": name, "credentials": [keys], "actions": actions}

    reader = server.read_only()
    identities = [
        identity("writer", server.access_key, server.secret_key, ["Admin", "Read", "Write", "List"]),
        identity("reader", reader.access_key, reader.secret_key, ["Read", "List"]),
    ]
    path.write_text(json.dumps({"identities": identities}), "utf-8")


def _command(folder: Path, server: SeaweedFS) -> list[str]:
    (folder / "data").mkdir()
    names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc"]
    ports = zip([*names, "s3.port.grpc"], _free_ports(len(names) + 1), strict=True)
    settings = {
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "dir": folder / "data",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 64,
        "volume.max": 10_000,
        "filer": "true",
        "filer.localSocket": folder / "filer.sock",
        "s3": "true",
        "s3.port": server.endpoint.rpartition(":")[2],
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.localSocket": folder / "s3.sock",
        "s3.config": folder / "s3.json",
        "s3.autoCreateBucket": "false",
        **dict(ports),
    }
    weed = Path(sys.executable).with_name("weed")
    return [str(weed), "server", *(f"-{name}={value}" for name, value in settings.items())]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_until_ready(server: SeaweedFS, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.client().put_object(Bucket=server.bucket(), Key="ready", Body=b"yes")
        except (BotoCoreError, ClientError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"SeaweedFS did not start:\n{log.read_text('utf-8', 'replace')[-3000:]}")
