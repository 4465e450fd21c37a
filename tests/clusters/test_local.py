import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from distributed.nanny import WorkerProcess
from pydantic import ValidationError

from scoreline.clusters.local import Local
from scoreline.errors import ClusterError

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]

WITHOUT_GUARD = """
from scoreline.clusters.local import Local
with Local(workers=1).open() as session:
    print(session.workers)
"""
# Both belong to the whole process: Python's resource tracker, and the pool in which distributed pickles.
STAYS = ("resource_tracker", "Dask-Offload")


def _children() -> list[str]:
    found = [" ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)]
    return [child for child in found if not any(name in child for name in STAYS)]


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if not thread.name.startswith(STAYS)}


def test_nannies_look_for_their_workers_often_while_these_start(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    wait, before = WorkerProcess._wait_until_connected, WorkerProcess._init_msg_interval

    def told(process: WorkerProcess, *given: object) -> object:
        asked.append(process._init_msg_interval)
        return wait(process, *given)

    monkeypatch.setattr(WorkerProcess, "_wait_until_connected", told)
    with Local(workers=2).open() as session:
        assert session.workers == 2
    assert asked == [0.01, 0.01]
    assert WorkerProcess._init_msg_interval == before


def test_workers_compute_with_one_thread_whatever_the_shell_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_"]
    with Local(workers=1).open() as session:
        found = dict(session.map(os.getenv, names, "environment"))
    assert found == {0: "1", 1: "1", 2: "1", 3: "16777216"}


def test_closing_leaves_no_process_no_thread_and_the_environment_as_it_was() -> None:
    before = (_children(), _threads(), dict(os.environ))
    with Local(workers=2).open() as session:
        list(session.map(abs, range(5), "absolute"))
        # Two workers, and what they are forked from.
        assert len(_children()) == len(before[0]) + 3
    assert (_children(), _threads(), dict(os.environ)) == before


def test_auto_is_one_worker_for_each_core() -> None:
    from dask.system import CPU_COUNT

    with Local().open() as session:
        assert (session.workers, len(session.worker_logs())) == (CPU_COUNT, CPU_COUNT)


def test_workers_get_the_memory_that_is_asked_for_and_listen_to_this_machine_only() -> None:
    before = psutil.Process().children(recursive=True)
    with Local(workers=1, memory_limit="512MiB").open() as session:
        (worker,) = session.client.scheduler_info()["workers"].values()
        started = [each for each in psutil.Process().children(recursive=True) if each not in before]
        listening = {
            connection.laddr.ip
            for process in (psutil.Process(), *started)
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
    assert worker["memory_limit"] == 512 * 2**20
    assert listening == {"127.0.0.1"}


def test_a_failing_task_and_a_dying_worker_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with Local(workers=1).open() as session:
        with pytest.raises(ValueError, match="chr"):
            list(session.map(chr, [-1], "character"))
        with pytest.raises(ClusterError):
            list(session.map(os._exit, [1], "exit"))
    assert capfd.readouterr() == ("", "")


def test_an_item_that_kills_one_worker_after_the_other_is_named() -> None:
    def exit_at_two(item: int) -> int:
        if item == 2:
            os._exit(1)
        return item

    with Local(workers=2).open() as session:
        with pytest.raises(ClusterError, match="workers that tried this task died") as caught:
            list(session.map(exit_at_two, [2], "exit"))
        assert caught.value.problems[0].where == "in task 1 of 1 of exit (position 0)"
        assert dict(session.map(exit_at_two, [1], "exit")) == {0: 1}


def test_a_worker_that_dies_once_does_no_harm_and_is_told(tmp_path: Path) -> None:
    def exit_once(item: int) -> int:
        if item == 3 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os._exit(1)
        time.sleep(0.15)
        return item * item

    said: list[str] = []
    with Local(workers=2).open(tell=said.append) as session:
        assert dict(session.map(exit_once, range(30), "exit")) == {item: item * item for item in range(30)}
    assert [sentence for sentence in said if sentence.startswith("worker tcp://") and " is lost; " in sentence]


def test_a_script_without_a_main_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "bare.py"
    script.write_text(WITHOUT_GUARD)
    started = time.monotonic()
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=50)
    assert "ClusterError: the workers did not start" in ended.stderr
    assert "if __name__ == '__main__'" in ended.stderr
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "options", [{"workers": 0}, {"workers": 1_000_000}, {"workers": "many"}, {"memory_limit": "lots"}, {"wrokers": 2}]
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Local.model_validate(options)


def test_arrow_gives_memory_back_in_workers() -> None:
    with Local(workers=1).open() as session:
        assert dict(session.map(_memory_pool, [0], "pool")) == {0: "jemalloc"}


def _memory_pool(_: int) -> str:
    import pyarrow as pa

    return str(pa.default_memory_pool().backend_name)
