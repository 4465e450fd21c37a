"""Workers are forked from a process that has imported what they need."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from scoreline.clusters.local import Local

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers import by themselves"),
]


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
