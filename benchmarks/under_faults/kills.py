"""Kills at random moments of writing, and what the same command makes of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]

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
    """Trials of one contender on local disk, each from the same old version."""

    stand: Stand
    chance: random.Random
    seconds: float = 0.0

    def prepare(self) -> None:
        """Make the old version, keep it, and learn from undisturbed runs how long writing takes."""
        _whole(Running(self.stand, "old"))
        self._expect(OLD)
        shutil.copytree(self._place, self._kept, symlinks=True)
        running = Running(self.stand, "new")
        running.wait_until_writing()
        start = time.perf_counter()
        running.written(PATIENCE_SECONDS)
        self.seconds = time.perf_counter() - start
        _whole(running)
        self._expect(NEW)

    def trial(self, victim: str) -> dict[str, Any]:
        """Kill "driver" or "worker" at a random moment of writing, read, run the same command again, read."""
        while True:
            self._restore()
            running = Running(self.stand, "new")
            running.wait_until_writing()
            if not running.written(self.chance.uniform(0, self.seconds)):
                break
            running.end()
        killed = running.process.pid if victim == "driver" else self.chance.choice(_workers(running.process.pid))
        psutil.Process(killed).send_signal(signal.SIGKILL)
        start = time.perf_counter()
        code = running.end()
        found = verdict(self.stand.contender, self.stand.read())
        return {"code": code, "found": found, **self._again(found, start)}

    def _again(self, found: dict[str, Any], start: float) -> dict[str, Any]:
        """What the same command makes of it; when the new version is there already, there is nothing to run."""
        if found["state"] == NEW:
            return {"seconds_until_right": 0.0, "computed_again": 0, "after_again": found}
        start = time.perf_counter()
        running = Running(self.stand, "new")
        code = running.end()
        seconds = time.perf_counter() - start
        after = verdict(self.stand.contender, self.stand.read())
        told = {"code_again": code, "after_again": after, "computed_again": self.stand.computed(running.output)}
        return told | ({"seconds_until_right": round(seconds, 2)} if after["state"] == NEW else {})

    @property
    def _place(self) -> Path:
        return Path(self.stand.target).parent

    @property
    def _kept(self) -> Path:
        return self._place.with_name("kept")

    def _restore(self) -> None:
        shutil.rmtree(self._place)
        subprocess.run(["/bin/cp", "--archive", self._kept, self._place], check=True)

    def _expect(self, state: str) -> None:
        found = verdict(self.stand.contender, self.stand.read())
        if found["state"] != state:
            raise RuntimeError(f"{self.stand.contender.name}: {found} where the {state} version should be")


def _whole(running: Running) -> None:
    if running.end():
        raise RuntimeError(running.output[-2000:])


def _workers(driver: int) -> list[int]:
    """Worker processes of a local cluster, which Dask starts by multiprocessing."""
    return [process.pid for process in session(driver) if "spawn_main" in " ".join(process.cmdline())]
