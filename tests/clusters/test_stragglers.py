import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from tests.dask_processes import DaskProcesses

from scoreline.clusters._stragglers import FLOOR_S, Stragglers
from scoreline.clusters.local import Local
from scoreline.clusters.scheduler import Scheduler

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


def _slow_once(flags: Path, slow: int, item: int) -> int:
    """Much slower than the others, but at the first attempt only."""
    if item == slow:
        try:
            (flags / "slow").touch(exist_ok=False)
        except FileExistsError:
            return -item
        time.sleep(60)
    time.sleep(0.05)
    return -item


def _freezing_at(folder: Path, frozen: int) -> Callable[[int], int]:
    """A function that stops its own process in the middle of an item, the first time."""

    def freeze(item: int) -> int:
        if item == frozen and not (folder / "pid").exists():
            (folder / "pid").write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.05)
        return -item

    return freeze


def test_a_call_that_takes_too_long_is_tried_elsewhere_and_the_first_answer_wins(tmp_path: Path) -> None:
    said: list[str] = []
    with Local(workers=2).open(tell=said.append) as session:
        started = time.monotonic()
        found = list(session.map(partial(_slow_once, tmp_path, 7), range(20), "slow"))
        assert time.monotonic() - started < 30
    assert sorted(found) == [(item, -item) for item in range(20)]
    assert any("task 8 of 20 of slow (position 7)" in sentence and "tried elsewhere" in sentence for sentence in said)


def test_a_frozen_worker_holds_up_neither_the_run_nor_its_end(tmp_path: Path) -> None:
    with Local(workers=2).open() as session:
        started = time.monotonic()
        found = list(session.map(_freezing_at(tmp_path, 5), range(40), "freeze"))
        assert time.monotonic() - started < 30
        frozen = psutil.Process(int((tmp_path / "pid").read_text()))
        assert frozen.status() == psutil.STATUS_STOPPED
        logs = session.worker_logs()
        ending = time.monotonic()
    assert time.monotonic() - ending < 10
    assert sorted(found) == [(item, -item) for item in range(40)]
    assert not frozen.is_running() or frozen.status() == psutil.STATUS_ZOMBIE
    assert len(logs) >= 1


def test_a_silent_worker_is_noticed_though_nothing_has_finished_yet(
    start_dask: Callable[..., DaskProcesses], tmp_path: Path
) -> None:
    said: list[str] = []
    with Scheduler(address=start_dask(2).address).open(tell=said.append) as session:
        session.client.wait_for_workers(2, timeout=20)
        assert list(session.map(_freezing_at(tmp_path, 5), [5], "freeze")) == [(0, -5)]
    assert any("position 0" in sentence and "tried elsewhere" in sentence for sentence in said)


def test_what_is_remembered_does_not_grow_and_follows_the_latest_calls() -> None:
    calls = Stragglers()
    for _ in range(1_000):
        calls.finished(1_000.0)
    for _ in range(1_000):
        calls.finished(0.001)
    calls.see({"a": "w"}, now=0.0)
    assert calls.late(now=FLOOR_S + 1) == {"a": FLOOR_S + 1}


def test_a_call_that_moves_to_another_worker_starts_anew() -> None:
    calls = Stragglers()
    calls.finished(1.0)
    calls.see({"a": "first"}, now=0.0)
    calls.see({"a": "second"}, now=5.0)
    assert calls.late(now=FLOOR_S + 4) == {}
    assert calls.late(now=FLOOR_S + 6) == {"a": FLOOR_S + 1}
