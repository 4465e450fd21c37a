import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from benchmarks.process_tree import Run, run
from benchmarks.worker_memory import children_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SPIN = "import time\nwhile time.process_time() < 0.3: pass\n"
LEAST = 0.25
"""Processor seconds that are told of 0.3: the system counts in hundredths, and each process by itself."""


def ran(script: str, limit: float = 30) -> Run:
    return run([sys.executable, "-c", script], os.environ, cores=1, limit=limit)


def started(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)


def test_processor_time_of_children_and_orphans_counts() -> None:
    child = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {SPIN!r}]).wait()"
    orphan = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {SPIN!r}])\ntime.sleep(0)"
    assert ran(child).cpu_seconds >= LEAST
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {orphan!r}])\nimport time\ntime.sleep(6)"
    assert ran(parent).cpu_seconds >= LEAST


def test_processor_time_of_children_whose_end_nobody_notices_counts() -> None:
    spin = SPIN + "time.sleep(3)"
    careless = "import signal, subprocess, sys, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
    careless += f"subprocess.Popen([sys.executable, '-c', {spin!r}])\ntime.sleep(5)"
    assert ran(careless).cpu_seconds >= LEAST


def test_a_run_over_its_limit_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    child = f"import os, pathlib, time\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    done = ran(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])", limit=6)
    assert done.code is None
    assert 6 <= done.seconds < 30
    assert not Path("/proc", pid.read_text()).exists()


def test_memory_is_that_of_all_processes_together_and_of_the_biggest() -> None:
    hold = "held = bytearray(100 << 20)\nimport time\ntime.sleep(4)\n"
    both = f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {hold!r}])\n{hold}child.wait()"
    done = ran(both)
    assert 200 < done.tree_mib < 300
    assert 100 < done.process_mib < 150


def test_the_end_of_what_it_printed_and_its_code_are_kept() -> None:
    done = ran("import sys\nprint('about to fail')\nsys.exit(3)")
    assert (done.code, done.said) == (3, "about to fail\n")


def test_what_was_started_before_lives_on() -> None:
    with started("import time; time.sleep(60)") as before:
        assert ran("pass").code == 0
        assert before.poll() is None
        before.kill()


def test_what_was_started_before_is_not_measured() -> None:
    hold = "held = bytearray(400 << 20)\nimport time\nprint(flush=True)\ntime.sleep(60)"
    with started(hold) as before:
        before.stdout.readline()
        assert ran("import time; time.sleep(1)").tree_mib < 200
        before.kill()


def test_children_are_all_seen_while_threads_come_and_go() -> None:
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            threading.Thread(target=time.sleep, args=(0.0005,)).start()

    coming = threading.Thread(target=come_and_go)
    with started("import time; time.sleep(60)") as before:
        coming.start()
        try:
            assert all(before.pid in children_of(os.getpid()) for _ in range(200))
        finally:
            over.set()
            coming.join()
            before.kill()
