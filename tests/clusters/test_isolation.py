import ctypes
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from scoreline.clusters.local import Local
from scoreline.errors import ClusterError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class _Unit:
    name: str
    deadly: bool


def _dies(calls: Path, unit: _Unit) -> str:
    if unit.deadly:
        with (calls / "deaths").open("a") as file:
            file.write("x")
        os._exit(3)
    time.sleep(0.05)
    return unit.name


def test_the_culprit_is_named_and_everything_else_is_done(tmp_path: Path) -> None:
    units = [_Unit(f"part-{number}.parquet", number == 4) for number in range(24)]
    said: list[str] = []
    found: dict[int, str] = {}
    with Local(workers=2).open(tell=said.append) as session:
        with pytest.raises(ClusterError) as caught:
            found.update(session.map(partial(_dies, tmp_path), units, "predict"))
        assert dict(session.map(abs, [-1], "absolute")) == {0: 1}
    assert found == {number: unit.name for number, unit in enumerate(units) if not unit.deadly}
    (problem,) = caught.value.problems
    assert problem.where == "part-4.parquet, in task 5 of 24 of predict (position 4)"
    assert "exited with status 3" in problem.what
    for setting in ("predict.batch_rows", "cluster.memory_limit", "cluster.workers"):
        assert setting in problem.advice
    assert (tmp_path / "deaths").read_text() == "xxxx"
    assert any("part-4.parquet" in sentence and "alone" in sentence for sentence in said)


def test_two_culprits_are_both_named(tmp_path: Path) -> None:
    units = [_Unit(f"part-{number}", number in {0, 3}) for number in range(6)]
    with Local(workers=2).open() as session, pytest.raises(ClusterError) as caught:
        list(session.map(partial(_dies, tmp_path), units, "predict"))
    assert {problem.where.split(",")[0] for problem in caught.value.problems} == {"part-0", "part-3"}


def test_who_works_only_alone_is_innocent(tmp_path: Path) -> None:
    def dies_twice(item: int) -> int:
        with (tmp_path / str(item)).open("a") as file:
            file.write("x")
        if item == 1 and len((tmp_path / "1").read_text()) <= 2:
            os._exit(1)
        return -item

    with Local(workers=2).open() as session:
        found = dict(session.map(dies_twice, range(8), "twice"))
    assert found == {item: -item for item in range(8)}
    assert (tmp_path / "1").read_text() == "xxx"


def _hoards(item: int) -> int:
    hoard = []
    while True:
        hoard.append(os.urandom(8 << 20))
        time.sleep(0.02)


def _crashes(item: int) -> int:
    ctypes.string_at(0)
    return item


@pytest.mark.parametrize(
    ("function", "cause"), [(_hoards, r"of its 600\.00 MiB of memory"), (_crashes, r"crashed \(SIGSEGV\)")]
)
def test_too_little_memory_is_told_from_a_crash(function: Callable[[int], int], cause: str) -> None:
    with Local(workers=1, memory_limit="600MiB").open() as session, pytest.raises(ClusterError, match=cause):
        list(session.map(function, [0], "cause"))


def test_the_cause_is_told_to_who_keeps_logs_down(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `logging.config.dictConfig` disables every logger that is there, unless it is told not to.
    log = logging.getLogger("distributed.nanny")
    caplog.set_level(logging.ERROR, logger=log.name)
    monkeypatch.setattr(log, "disabled", True)
    with Local(workers=1).open() as session, pytest.raises(ClusterError, match=r"crashed \(SIGSEGV\)"):
        list(session.map(_crashes, [0], "cause"))
    assert (log.disabled, log.level, log.propagate) == (True, logging.ERROR, True)
