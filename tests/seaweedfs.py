"""A real S3 server for tests."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tests.lossy_proxy import LossyProxy

READY_SECONDS = 45
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

    def client(self, attempts: int = 1) -> Any:
        """A plain client, independent of the code under test."""
        return _client(self, attempts)

    def bucket(self) -> str:
        """Make a fresh bucket and return its name."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name


@lru_cache
def _client(server: SeaweedFS, attempts: int) -> Any:
    return botocore.session.Session().create_client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=Config(retries={"total_max_attempts": attempts}, s3={"addressing_style": "path"}),
    )


@contextmanager
def running_seaweedfs(folder: Path) -> Iterator[SeaweedFS]:
    """A server that keeps everything below a folder, until the block ends."""
    server = _server("s3")
    _write_identities(folder / "s3.json", server)
    command = _command(folder, server)
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "sh", *command],
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
        _remove_sockets(command)


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """One server for all tests of this process, started when the first of them needs it."""
    with running_seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


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


def _remove_sockets(command: list[str]) -> None:
    """Remove what the server, wherever its data are, leaves in the folder for temporary files."""
    for option in command:
        name, _, port = option.partition("=")
        if name.endswith(".port.grpc"):
            service = name.strip("-").partition(".")[0]
            Path(f"/tmp/seaweedfs-{service}-grpc-{port}.sock").unlink(missing_ok=True)  # noqa: S108


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
