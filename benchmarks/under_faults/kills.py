"""Kills at random moments of writing, and what the same command makes of them."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.under_faults.verdicts import NEW, OLD, verdict

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from benchmarks.under_faults.contenders import Stand

PATIENCE_SECONDS = 120


class Running:
    """A started job whose output is read as it comes."""

    def __init__(self, stand: Stand, word: str) -> None:
        self.process = stand.begin(word)
        self.output = ""
        self._marks = stand.marks
        self._seen = {mark: threading.Event() for mark in self._marks}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        if self.process.stdout is None:
            return
        for line in self.process.stdout:
            self.output += line
            for mark in self._marks:
                if mark in line:
                    self._seen[mark].set()
        for event in self._seen.values():
            event.set()

    def wait_until_writing(self) -> None:
        """Wait until it says that it begins to write."""
        self._seen[self._marks[0]].wait(PATIENCE_SECONDS)

    def written(self, within: float) -> bool:
        """Whether it has written everything, or ended, within so many seconds."""
        return self._seen[self._marks[1]].wait(within)

    def end(self) -> int:
        """Wait for its end and for that of all that it started; its exit code, that of a kill when it hangs."""
        try:
            code = self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        left = psutil.wait_procs(list(session(self.process.pid)), timeout=PATIENCE_SECONDS)[1]
        for process in left:
            process.kill()
        self._reader.join(PATIENCE_SECONDS)
        return code


def session(leader: int) -> Iterator[psutil.Process]:
    """The other processes of a session."""
    for process in psutil.process_iter():
        try:
            if process.pid != leader and os.getsid(process.pid) == leader:
                yield process
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue


@dataclass
class KillTrials:
    """Trials of one contender on local disk, each from the same old version.

    Writing lasts from the first change on disk to the moment when the program says that it is done: what comes before,
    such as imports in worker processes, takes longer and puts nothing at risk.
    """

    stand: Stand
    chance: random.Random
    seconds: float = 0.0

    def prepare(self) -> None:
        """Make the old version, keep it, and learn from undisturbed runs how long writing takes."""
        _whole(Running(self.stand, "old"))
        self._expect(OLD)
        _copy(self._place, self._kept)
        running = self._writing()
        start = time.perf_counter()
        running.written(PATIENCE_SECONDS)
        self.seconds = time.perf_counter() - start
        _whole(running)
        self._expect(NEW)

    def trial(self, victim: str) -> dict[str, Any]:
        """Kill "driver" or "worker" at a random moment of writing, read, run the same command again, read."""
        while True:
            self._restore()
            running = self._writing()
            if not running.written(self.chance.uniform(0, self.seconds)):
                break
            running.end()
        killed = running.process.pid if victim == "driver" else self.chance.choice(_workers(running.process.pid))
        psutil.Process(killed).send_signal(signal.SIGKILL)
        code = running.end()
        found = verdict(self.stand.contender, self.stand.read())
        return {"code": code, "found": found, **again(self.stand, code, found)}

    def _writing(self) -> Running:
        """The job, begun, at the first change on disk after it says that it begins to write."""
        before = _files(self._place)
        running = Running(self.stand, "new")
        running.wait_until_writing()
        while _files(self._place) == before and not running.written(0.001):
            pass
        return running

    @property
    def _place(self) -> Path:
        return Path(self.stand.target).parent

    @property
    def _kept(self) -> Path:
        return self._place.with_name("kept")

    def _restore(self) -> None:
        shutil.rmtree(self._place)
        _copy(self._kept, self._place)

    def _expect(self, state: str) -> None:
        found = verdict(self.stand.contender, self.stand.read())
        if found["state"] != state:
            raise RuntimeError(f"{self.stand.contender.name}: {found} where the {state} version should be")


def _copy(source: Path, target: Path) -> None:
    """A copy with its links, hard ones too, and times."""
    subprocess.run(["/bin/cp", "--archive", source, target], check=True)


def _files(folder: Path) -> set[tuple[str, int]]:
    """The files in a folder, with times of change; what goes while this looks counts as gone."""
    found = set()
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            status = path.lstat()
            if not stat.S_ISDIR(status.st_mode):
                found.add((str(path), status.st_mtime_ns))
    return found


def _whole(running: Running) -> None:
    if running.end():
        raise RuntimeError(running.output[-2000:])


def _workers(driver: int) -> list[int]:
    """Worker processes of a local cluster: Dask starts them by multiprocessing, Scoreline has them forked."""
    return [process.pid for process in session(driver) if _is_worker(process)]


def _is_worker(process: psutil.Process) -> bool:
    command = " ".join(process.cmdline())
    return "spawn_main" in command or ("forkserver" in command and "forkserver" in " ".join(process.parent().cmdline()))


def again(stand: Stand, code: int, found: dict[str, Any]) -> dict[str, Any]:
    """What the same command makes of what was found, started again as a scheduler does: unless it ended with 0."""
    if code == 0:
        return {"after_again": found} | ({"seconds_until_right": 0.0} if found["state"] == NEW else {})
    start = time.perf_counter()
    running = Running(stand, "new")
    code = running.end()
    seconds = time.perf_counter() - start
    after = verdict(stand.contender, stand.read())
    told = {"code_again": code, "after_again": after, "computed_again": stand.computed(running.output)}
    return told | ({"seconds_until_right": round(seconds, 2)} if after["state"] == NEW else {})
