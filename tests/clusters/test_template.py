"""Workers are forked from a process that has imported what they need."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import current_process, forkserver, get_context
from pathlib import Path
from threading import Event, Thread

import psutil  # type: ignore[import-untyped]
import pytest

from scoreline.clusters.local import Local

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers import by themselves"),
]


@contextmanager
def _another_session() -> Iterator[None]:
    """One of another thread, which ends with it."""
    opened, done = Event(), Event()

    def hold() -> None:
        with Local(workers=1).open() as session:
            list(session.map(_worker, [0], "begin"))
            opened.set()
            done.wait()

    thread = Thread(target=hold)
    thread.start()
    opened.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _worker(_: int) -> int:
    return os.getpid()


def _parent(_: int) -> int:
    time.sleep(0.3)
    return os.getppid()


def _drawn(_: int) -> tuple[int, float, float]:
    import random

    import numpy as np

    time.sleep(0.3)
    return os.getpid(), random.random(), np.random.random()  # noqa: NPY002, S311  what a user's module may do


def test_workers_have_one_parent_which_ends_with_the_session() -> None:
    with Local(workers=2).open() as session:
        (parent,) = {parent for _, parent in session.map(_parent, range(4), "parent")}
        assert psutil.Process(parent).ppid() == os.getpid()
    assert not psutil.pid_exists(parent)


def test_workers_draw_random_numbers_of_their_own() -> None:
    with Local(workers=2).open() as session:
        drawn = [found for _, found in session.map(_drawn, range(4), "random")]
    assert len({pid for pid, *_ in drawn}) == 2
    assert len({number for _, number, _ in drawn}) == 4
    assert len({number for *_, number in drawn}) == 4


def test_each_session_has_the_environment_of_its_own_start(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for value in ("one", "two"):
        monkeypatch.setenv("SOMETHING_SET", value)
        with Local(workers=1).open() as session:
            found += [answer for _, answer in session.map(os.getenv, ["SOMETHING_SET"], "environment")]
    assert found == ["one", "two"]


def test_work_goes_on_when_what_workers_are_forked_from_is_killed(tmp_path: Path) -> None:
    def kill_the_parent_once(item: int) -> int:
        if item == 3 and not (tmp_path / "done").exists():
            (tmp_path / "done").touch()
            os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(0.1)
        return item

    with Local(workers=2).open() as session:
        assert dict(session.map(kill_the_parent_once, range(20), "kill")) == {item: item for item in range(20)}


def test_a_session_keeps_its_workers_when_one_of_another_thread_that_began_before_ends() -> None:
    with ExitStack() as other:
        other.enter_context(_another_session())
        with Local(workers=1).open() as session:
            ((_, before),) = session.map(_worker, [0], "before")
            other.close()
            ((_, parent),) = session.map(_parent, [0], "parent")
            assert [after for _, after in session.map(_worker, [0], "after")] == [before]
    assert not psutil.pid_exists(parent)


def test_a_session_within_another_leaves_its_workers_alone() -> None:
    with Local(workers=1).open() as outer:
        assert dict(outer.map(abs, [-1], "absolute")) == {0: 1}
        with Local(workers=1).open() as inner:
            parents = {found for session in (outer, inner) for _, found in session.map(_parent, [0], "parent")}
        assert len(parents) == 1
        assert dict(outer.map(abs, [-2], "absolute")) == {0: 2}
    assert not psutil.pid_exists(parents.pop())


def test_processes_that_the_program_forks_itself_are_left_alone() -> None:
    try:
        with ProcessPoolExecutor(1, get_context("forkserver")) as pool:
            before = pool.submit(os.getpid).result()
            with Local(workers=1).open() as session:
                ((_, parent),) = session.map(_parent, [0], "parent")
            assert parent == os.getpid()
            assert pool.submit(os.getpid).result() == before
    finally:
        forkserver._forkserver._stop()  # type: ignore[attr-defined]


def test_what_the_program_forks_later_imports_nothing_of_ours() -> None:
    before = forkserver._forkserver._preload_modules  # type: ignore[attr-defined]
    with Local(workers=1).open() as session:
        list(session.map(_worker, [0], "some"))
    assert forkserver._forkserver._preload_modules == before  # type: ignore[attr-defined]


def test_workers_start_where_no_socket_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The name of a socket has room for 107 bytes.
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setitem(current_process()._config, "tempdir", str(folder))  # type: ignore[attr-defined]
    with Local(workers=1).open() as session:
        assert [parent for _, parent in session.map(_parent, [0], "parent")] == [os.getpid()]
