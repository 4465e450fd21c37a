"""However a driver ends, its workers end with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

# What is imported when Ctrl-C comes may raise anything, so all is imported before.
SCRIPT = """
import time
import distributed
from scoreline.clusters.local import Local
def wait(seconds):
    time.sleep(seconds)
    return seconds
if __name__ == "__main__":
    try:
        print("starting", flush=True)
        with Local(workers=2).open() as session:
            for _ in session.map(wait, [0.0] + [60.0] * 20, "wait"):
                print("first", flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@contextmanager
def _driver(folder: Path, until: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """A driver in a process group of its own, as a shell starts it, that has said something."""
    script = folder / "driver.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            while process.stdout.readline() != until + b"\n":
                assert process.poll() is None
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _started(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The workers, and what they are forked from."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]


def _workers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [child for child in _started(process) if child.ppid() != process.pid]


def _left(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=seconds)[1]  # type: ignore[no-any-return]


def test_ctrl_c_ends_everything_soon_without_a_word_from_the_workers(tmp_path: Path) -> None:
    with _driver(tmp_path, until=b"first") as process:
        workers, processes = _workers(process), _started(process)
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        said, complained = process.communicate(timeout=30)
        assert time.monotonic() - started < 10
    assert (said, complained, process.returncode) == (b"interrupted\n", b"", 0)
    assert len(workers) == 2
    assert _left(processes, 5) == []


def test_ctrl_c_ends_a_frozen_worker_too(tmp_path: Path) -> None:
    with _driver(tmp_path, until=b"first") as process:
        workers, processes = _workers(process), _started(process)
        workers[0].suspend()
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        said, complained = process.communicate(timeout=40)
        assert time.monotonic() - started < 15
    assert (said, complained) == (b"interrupted\n", b"")
    assert _left(processes, 5) == []


@pytest.mark.parametrize("pause", [0.05, 0.5])
def test_ctrl_c_again_while_the_session_closes_leaves_no_worker(tmp_path: Path, pause: float) -> None:
    with _driver(tmp_path, until=b"first") as process:
        workers, processes = _workers(process), _started(process)
        workers[0].suspend()
        for _ in range(3):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(pause)
        process.wait(timeout=40)
    assert len(workers) == 2
    assert _left(processes, 5) == []


@pytest.mark.parametrize("pause", [0.2, 1.0, 1.5, 2.0])
def test_ctrl_c_while_workers_start_leaves_none_and_none_complains(tmp_path: Path, pause: float) -> None:
    with _driver(tmp_path, until=b"starting") as process:
        deadline = time.monotonic() + 20
        while not (processes := _started(process)) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(pause)
        processes = _started(process)
        os.killpg(process.pid, signal.SIGINT)
        said, complained = process.communicate(timeout=40)
    assert processes
    # Work may have begun by then.
    assert said.removeprefix(b"first\n") == b"interrupted\n"
    assert complained == b""
    assert _left(processes, 5) == []


@pytest.mark.parametrize("frozen", [False, True])
def test_workers_end_by_themselves_when_the_driver_is_killed(tmp_path: Path, *, frozen: bool) -> None:
    with _driver(tmp_path, until=b"first") as process:
        workers, processes = _workers(process), _started(process)
        if frozen:
            workers[0].suspend()
        process.kill()
        process.wait()
        assert _left(processes, 10) == []


GIVEN_UP = """
import os, signal, threading, time
from scoreline.clusters.local import Local
if __name__ == "__main__":
    try:
        with Local(workers=2).open():
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            raise ValueError("the plan is no good")
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    time.sleep(600)
"""


def test_ctrl_c_while_a_cluster_that_nobody_wants_is_starting_leaves_no_worker(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(GIVEN_UP)
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"interrupted\n"
            assert _started(process) == []
        finally:
            os.killpg(process.pid, signal.SIGKILL)
