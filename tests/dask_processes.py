"""Real Dask schedulers and workers in processes of their own, as a user starts them by hand."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

READY_SECONDS = 30
# The shell ends the process when its own standard input closes, so also when the tests are killed.
KEEPER = '"$@" & read -r _; kill -TERM $!; wait'


@dataclass
class DaskProcesses:
    """A scheduler, and the workers that were started for it."""

    folder: Path
    options: tuple[str, ...] = ()
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._start_scheduler("0")
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start_scheduler(self, port: str) -> None:
        self._file.unlink(missing_ok=True)
        self.scheduler = self._start("scheduler", "--port", port, "--scheduler-file", str(self._file))
        self.address: str = self._wait_for(lambda: json.loads(self._file.read_text())["address"])

    def replace_scheduler(self) -> None:
        """Kill the scheduler and start another one at its address; workers without a nanny end with the old one."""
        self.send(signal.SIGKILL, self.scheduler)
        self.scheduler.wait()
        self._start_scheduler(self.address.rpartition(":")[2])

    @property
    def _file(self) -> Path:
        return self.folder / "scheduler.json"

    def add_worker(self, **environment: str) -> None:
        """Start a worker with one thread; it joins within a second or two."""
        started = self._start("worker", self.address, "--nthreads", "1", "--no-nanny", **environment)
        self.workers.append(started)

    def send(self, sent: signal.Signals, *processes: subprocess.Popen[bytes]) -> None:
        """Send a signal to whole processes, their children included."""
        for process in processes:
            os.killpg(process.pid, sent)

    def close(self) -> None:
        """Kill whatever was started."""
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert process.stdin is not None
            process.stdin.close()

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        dask = [sys.executable, "-m", "dask", arguments[0], "--host", "127.0.0.1", "--no-dashboard", *self.options]
        log = (self.folder / f"{len(self.running)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", KEEPER, "sh", *dask, *arguments[1:]],
                cwd=self.folder,
                env={**os.environ, **environment},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def wait_for_workers(self) -> None:
        """Wait until every worker is known to the scheduler."""
        for number in range(1, len(self.running)):
            self._wait_for(partial(_registered, self.folder / f"{number}.log"))

    def _wait_for(self, ask: Callable[[], str]) -> str:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                return ask()
            except (OSError, ValueError):
                time.sleep(0.05)
        raise TimeoutError((self.folder / "0.log").read_text())


def _registered(log: Path) -> str:
    """What a worker wrote, once the scheduler knows it; ValueError before."""
    text = log.read_text()
    if "Registered to" not in text:
        raise ValueError(text)
    return text


@contextmanager
def dask_processes(folder: Path, workers: int, *options: str) -> Iterator[DaskProcesses]:
    """A scheduler with so many workers; killed at the end."""
    processes = DaskProcesses(folder, options)
    try:
        for _ in range(workers):
            processes.add_worker()
        processes.wait_for_workers()
        yield processes
    finally:
        processes.close()


@pytest.fixture
def start_dask(tmp_path: Path) -> Iterator[Callable[..., DaskProcesses]]:
    """Start a scheduler with so many workers, for a test that may break them."""
    with ExitStack() as stack:
        yield lambda workers, *options: stack.enter_context(dask_processes(tmp_path, workers, *options))


@pytest.fixture(scope="session")
def dask_scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers, which all tests share."""
    with dask_processes(tmp_path_factory.mktemp("dask"), 2) as processes:
        yield processes.address
