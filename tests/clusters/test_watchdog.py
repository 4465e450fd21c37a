import os
import time
from functools import partial
from pathlib import Path

import pytest

from scoreline.clusters.local import Local
from scoreline.errors import ClusterError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


def _hang_in_one_process(flags: Path, item: int) -> int:
    """Hangs in the process that comes first, and in no other."""
    pid = str(os.getpid())
    try:
        with (flags / "pid").open("x") as file:
            file.write(pid)
    except FileExistsError:
        if (flags / "pid").read_text() != pid:
            return -item
    time.sleep(600)
    return -item


def _hang(item: int) -> int:
    time.sleep(600)
    return item


def test_workers_that_hang_are_started_again_once_and_the_run_ends_well(tmp_path: Path) -> None:
    said: list[str] = []
    with Local(workers=1, stall_s=4).open(tell=said.append) as session:
        found = dict(session.map(partial(_hang_in_one_process, tmp_path), range(5), "hang"))
    assert found == {item: -item for item in range(5)}
    assert "nothing has finished for 4 s: all workers are started again" in said


def test_a_run_that_still_hangs_ends_and_says_what_runs_where() -> None:
    said: list[str] = []
    with Local(workers=1, stall_s=4).open(tell=said.append) as session:
        started = time.monotonic()
        with pytest.raises(ClusterError, match="nothing has finished for 4 s") as caught:
            list(session.map(_hang, [1], "hang"))
        assert time.monotonic() - started < 60
    assert caught.value.exit_code == 6
    places = [sentence for sentence in said if "task 1 of 1 of hang (position 0) is on tcp://" in sentence]
    assert places
    assert all("time.sleep(600)" in sentence for sentence in places)


def test_a_result_in_time_keeps_the_watchdog_quiet() -> None:
    said: list[str] = []
    with Local(workers=1, stall_s=4).open(tell=said.append) as session:
        assert dict(session.map(time.sleep, [0.5] * 8, "sleep")) == dict.fromkeys(range(8))
        for _ in session.map(abs, range(2), "slow reader"):
            time.sleep(4.5)
    assert said == []
