"""One run of a program with all that it starts: wall time, processor time, memory, and an end after a limit.

Orphans (Ray leaves some) come to this process, which counts and ends them: Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.worker_memory import Watching, children_of, descendants, high_water

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PR_SET_CHILD_SUBREAPER = 36
LEAST_PAUSE, SHARE = 0.1, 50
"""Memory is looked at every 0.1 s, or less often: looking may take one part in fifty of a core's time."""


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes
    ----------
    code : exit code; None where the limit ended it
    seconds, cpu_seconds : from start to end, and of all processors in all processes of the run
    tree_mib : most memory of all processes together at one time, shared pages divided among them (PSS)
    process_mib : most memory that any one of its processes ever had (VmHWM)
    load : of the machine just before, over a minute
    said : the end of what it printed
    """

    code: int | None
    seconds: float
    cpu_seconds: float
    tree_mib: float
    process_mib: float
    load: float
    said: str

    @property
    def figures(self) -> dict[str, Any]:
        """What a result file keeps."""
        return {name: value for name, value in asdict(self).items() if name not in {"code", "said"}}


def run(command: Sequence[str], environment: Mapping[str, str], cores: int, limit: float) -> Run:
    """Run a command on the first cores to its end, or to the limit in seconds."""
    load, before, start = os.getloadavg()[0], _cpu(), time.perf_counter()
    with tempfile.TemporaryFile("w+") as said, _orphans_ended():
        with Watch() as watch, _started(command, environment, cores, said) as process:
            code = _ended(process, limit)
            seconds = time.perf_counter() - start
            if code is None:
                process.kill()
        said.seek(0)
        end = said.read()[-4000:]
    # A process that takes no notice of its children's end, as Ray's do, loses their time: then what was seen counts.
    cpu = max(_cpu() - before, watch.cpu_seconds)
    return Run(code, round(seconds, 3), round(cpu, 3), watch.tree_mib, watch.process_mib, round(load, 2), end)


def _started(
    command: Sequence[str],
    environment: Mapping[str, str],
    cores: int,
    said: Any,
) -> subprocess.Popen[bytes]:
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    pinned = ["taskset", "--cpu-list", ",".join(map(str, chosen)), *command]
    return subprocess.Popen(
        pinned, stdout=said, stderr=subprocess.STDOUT, env=dict(environment), start_new_session=True
    )


def _ended(process: subprocess.Popen[bytes], limit: float) -> int | None:
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        return None


@contextlib.contextmanager
def _orphans_ended() -> Iterator[None]:
    """Adopt what a run leaves behind, and end it, so that its time is counted and the next one has the machine.

    What this process had started before is left alone.
    """
    known = frozenset(children_of(os.getpid()))
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        while left := _started_since(known):
            for pid in left:
                _end(pid)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _started_since(known: frozenset[int]) -> list[int]:
    """Children of this process that are not known, and all that these started."""
    new = [pid for pid in children_of(os.getpid()) if pid not in known]
    return [pid for child in new for pid in (child, *descendants(child))]


def _end(pid: int) -> None:
    """Kill and reap a process; one whose parent still lives is reaped once it is adopted."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Watch(Watching):
    """While it is open, watches the memory and the processor time of all that this process started meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._known = frozenset(children_of(os.getpid()))
        self._peaks: dict[int, int] = {}
        self._used: dict[int, float] = {}
        self._most = 0

    @property
    def tree_mib(self) -> float:
        """The most at one time."""
        return round(self._most / 1024, 1)

    @property
    def process_mib(self) -> float:
        """The most of one process."""
        return round(max(self._peaks.values(), default=0) / 1024, 1)

    @property
    def cpu_seconds(self) -> float:
        """Of all processes, each until it was last seen."""
        return sum(self._used.values())

    def _watch(self) -> None:
        pause = LEAST_PAUSE
        while not self._done.wait(pause):
            took = _timed(self._look)
            pause = max(LEAST_PAUSE, SHARE * took)

    def _look(self) -> None:
        pids = _started_since(self._known)
        self._most = max(self._most, sum(map(_proportional, pids)))
        for pid in pids:
            self._peaks[pid] = max(self._peaks.get(pid, 0), high_water(pid))
            self._used[pid] = max(self._used.get(pid, 0.0), _own_cpu(pid))


def _timed(look: Callable[[], None]) -> float:
    start = time.thread_time()
    look()
    return time.thread_time() - start


def _proportional(pid: int) -> int:
    """KiB of a process, pages that it shares counted in part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _own_cpu(pid: int) -> float:
    """Seconds that a process itself used so far; 0 when it has ended."""
    try:
        numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")
