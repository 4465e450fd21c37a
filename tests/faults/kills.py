"""SIGKILL for real processes in the middle of scoring; then the same command until it succeeds; then every promise."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from tests.dask_processes import DaskProcesses
from tests.faults.interruptions import MINE
from tests.faults.remains import (
    Place,
    assert_kept,
    assert_run_is_a_part,
    below,
    broken_promise,
    names_that_readers_see,
)
from tests.faults.scene import Ended, Scene, command, quiet

WORKERS = 2
PATIENCE = 120
"""Seconds that a driver may go on without finishing a unit."""
LOCAL = {"kind": "local", "workers": WORKERS}
INLINE = {"kind": "inline"}


@dataclass(frozen=True)
class Stock:
    """What is there of a run: when each receipt was written, and how many units have files but no receipt."""

    receipts: dict[str, int]
    orphans: int


@dataclass
class Killed:
    """What a series of kills came to.

    Attributes
    ----------
    kills : how many processes of which kind were killed
    endings : exit codes of drivers that were not killed themselves, by series
    orphans : the most units that had files and no receipt after a kill: they are computed again
    """

    kills: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        counts = {"kills": self.kills.total(), "by kind": dict(self.kills), "endings": dict(self.endings)}
        spent = {"seconds by series": self.seconds, "orphans at most": self.orphans}
        return {**counts, **spent, "violations": self.violations}


class Driver:
    """The command line predicting, in a session of its own."""

    def __init__(self, scene: Scene, place: Place, cluster: dict[str, Any]) -> None:
        self.scene, self.place, self.threads = scene, place, 1 if cluster == INLINE else WORKERS
        config = scene.config(Path(place.uri).name, MINE, place.uri, cluster=cluster)
        self.log = config.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scoreline", "predict", str(config)],
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )

    def reaches(self, receipts: int) -> bool:
        """Wait until so many units are done; False when the driver ended before."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            if len(self._receipts()) >= receipts:
                return True
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"no {receipts} units within {PATIENCE} s: {self.said()}")
            time.sleep(0.001)
        return False

    def _receipts(self) -> list[Path]:
        return list(Path(f"{self.place.uri}.store/receipts/{self.scene.calm[MINE].key}").glob("[!.]*.json"))

    def stock(self) -> Stock:
        """What is there now; all of it must be as an undisturbed run would have made it."""
        files, run = self.place.files(), self.scene.calm[MINE]
        assert_run_is_a_part(files, run)
        names = names_that_readers_see(self.place)
        assert not names or names == frozenset(run.data), names
        receipts = {path.name: path.stat().st_mtime_ns for path in self._receipts()}
        return Stock(receipts, len(below(files, f"runs/{run.key}/data/")) - len(receipts))

    def offspring(self) -> list[psutil.Process]:
        """The processes of the session besides the driver."""
        return list(_of_session(self.process.pid))

    def kill(self) -> None:
        """Kill the driver alone, and wait until those whom it started have noticed."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        left = psutil.wait_procs(self.offspring(), timeout=60)[1]
        assert not left, left

    def finish(self) -> int:
        """Wait for the end; the exit code."""
        code = self.process.wait(PATIENCE)
        assert not psutil.wait_procs(self.offspring(), timeout=60)[1]
        return code

    def said(self) -> str:
        """The last lines that the drivers of this data set told."""
        return self.log.read_text("utf-8", "replace")[-600:]


def _of_session(leader: int) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.pid != leader and os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (ProcessLookupError, psutil.Error):
            continue


def _spoken(process: psutil.Process) -> str:
    """The command of a process; nothing for one that has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@dataclass
class Series:
    """Kills on one data set, spread over the scoring of its units.

    Attributes
    ----------
    victims : kills something of a running driver and says what
    """

    scene: Scene
    place: Place
    cluster: dict[str, Any]
    kills: int
    chance: random.Random
    killed: Killed = field(default_factory=Killed)

    def moments(self) -> list[int]:
        """After how many receipts to kill: everywhere between the first unit and the last."""
        units = self.scene.units
        return [max(1, (kill * units + self.chance.randrange(units)) // self.kills) for kill in range(self.kills)]

    def wait(self) -> None:
        """Let a random part of a unit go by."""
        time.sleep(self.chance.uniform(0, 0.03))

    def kill_drivers(self) -> None:
        """Kill one driver after the other; each goes on where the one before was killed."""
        for receipts in self.moments():
            driver = Driver(self.scene, self.place, self.cluster)
            before = driver.stock()
            if not driver.reaches(max(receipts, len(before.receipts) + 1)):
                assert driver.process.returncode == 0, driver.said()
                break
            self.wait()
            driver.kill()
            self.killed.kills["driver"] += 1
            self._take_stock(driver, before)
        self._finish()

    def kill_nobody(self) -> None:
        """On this kind of cluster, too, an undisturbed run has the bytes that all are compared with."""
        assert Driver(self.scene, self.place, self.cluster).finish() == 0
        assert_kept(self.scene, self.place, [MINE])

    def kill_others(self, strike: Callable[[Driver, random.Random], str]) -> None:
        """Kill what works for one driver, again and again; a driver that gives up is followed by another."""
        driver = Driver(self.scene, self.place, self.cluster)
        for receipts in self.moments():
            before = driver.stock()
            while not driver.reaches(max(receipts, len(before.receipts))):
                if driver.finish() == 0:
                    break
                driver = self._follow(driver)
            else:
                self.wait()
                self.killed.kills[strike(driver, self.chance)] += 1
                self._take_stock(driver, before)
        self._finish(driver)

    def _follow(self, driver: Driver) -> Driver:
        """The same command again after a driver gave up because of its cluster."""
        assert driver.process.returncode == 6, driver.said()
        self.killed.endings["6"] += 1
        return Driver(self.scene, self.place, self.cluster)

    def _take_stock(self, driver: Driver, before: Stock) -> None:
        after = driver.stock()
        assert before.receipts.items() <= after.receipts.items()
        if driver.process.poll() is not None:
            assert after.orphans <= driver.threads, after
            self.killed.orphans = max(self.killed.orphans, after.orphans)

    def _finish(self, driver: Driver | None = None) -> None:
        while True:
            driver = driver or Driver(self.scene, self.place, self.cluster)
            code, before = driver.finish(), driver.stock()
            self.killed.endings[str(code)] += 1
            if code == 0:
                break
            assert code == 6, driver.said()
            assert self.killed.endings["6"] < PATIENCE, driver.said()
            driver = None
        assert_kept(self.scene, self.place, [MINE])
        with quiet():
            again = command(self.scene.config(Path(self.place.uri).name, MINE, self.place.uri))
        assert again == Ended(0, "", 0, 1), again
        assert driver.stock() == before


def kill_worker_of_local(driver: Driver, chance: random.Random) -> str:
    """Kill a worker process of a driver's own cluster, whose nanny lives in the driver, or what it was forked from."""
    while driver.process.poll() is None:
        forked = [process for process in driver.offspring() if _is_forked(process)]
        if forked:
            killed = chance.choice([*forked, _parent(forked[0])])
            killed.kill()
            return "worker of a local cluster" if killed in forked else "what workers are forked from"
        time.sleep(0.01)
    return "nobody, since the driver was done"


def _is_forked(process: psutil.Process) -> bool:
    """Whether it was forked as workers are, from a process of the same command line."""
    return "forkserver" in _spoken(process) and "forkserver" in _spoken(_parent(process))


def _parent(process: psutil.Process) -> psutil.Process:
    """The parent of a process; itself when it has just ended."""
    try:
        return process.parent() or process
    except psutil.NoSuchProcess:
        return process


class HandStarted(DaskProcesses):
    """A scheduler with workers that have nannies, started by hand."""

    def add_worker(self, **environment: str) -> None:
        """Start a worker with one thread, and its nanny."""
        self.workers.append(self._start("worker", self.address, "--nthreads", "1", **environment))

    def family(self, worker: subprocess.Popen[bytes]) -> tuple[psutil.Process, list[psutil.Process]]:
        """The nanny, and the worker processes that it has now."""
        (nanny,) = [child for child in psutil.Process(worker.pid).children() if "dask" in _spoken(child)]
        return nanny, [child for child in nanny.children() if "spawn_main" in _spoken(child)]

    def kill_worker(self, _driver: Driver, chance: random.Random) -> str:
        """Kill a worker; its nanny starts another."""
        while True:
            worker = chance.choice(self.workers)
            for process in self.family(worker)[1]:
                process.kill()
                return "worker with a nanny"
            time.sleep(0.01)

    def kill_nanny(self, _driver: Driver, chance: random.Random) -> str:
        """Kill a nanny, and start another worker with a nanny in its stead."""
        worker = self.workers.pop(chance.randrange(len(self.workers)))
        self.family(worker)[0].kill()
        self.add_worker()
        return "nanny"

    @property
    def cluster(self) -> dict[str, Any]:
        """The cluster as a config names it."""
        return {"kind": "scheduler", "address": self.address, "timeout_s": 60.0}


@contextmanager
def hand_started(folder: Path) -> Iterator[HandStarted]:
    """A cluster that is killed at the end."""
    folder.mkdir()
    processes = HandStarted(folder)
    try:
        for _ in range(WORKERS):
            processes.add_worker()
        yield processes
    finally:
        processes.close()


def kill_schedulers(series: Series, folder: Path) -> None:
    """Kill one scheduler after the other, with what belongs to it; each driver says so and is followed by another."""
    for number, receipts in enumerate(series.moments()):
        with hand_started(folder / f"scheduler-{number}") as dask:
            driver = Driver(series.scene, series.place, {**dask.cluster, "timeout_s": 10.0, "reconnect_s": 2.0})
            before = driver.stock()
            if driver.reaches(max(receipts, len(before.receipts) + 1)):
                series.wait()
                dask.send(signal.SIGKILL, dask.scheduler)
                series.killed.kills["scheduler"] += 1
            code = driver.finish()
            assert code in (0, 6), driver.said()
            series.killed.endings[str(code)] += 1
            series._take_stock(driver, before)
    series._finish()


def play(counted: Killed, name: str, act: Callable[[], None]) -> None:
    """Play a series, and write down how long it took and which promise was broken."""
    started = time.monotonic()
    try:
        act()
    except AssertionError as error:
        counted.violations.append(f"{name}: {broken_promise(error)}")
    counted.seconds[name] = round(counted.seconds.get(name, 0.0) + time.monotonic() - started, 1)


@dataclass(frozen=True)
class Amount:
    """How many processes of each kind to kill.

    Attributes
    ----------
    per_data_set : how many kills one data set suffers
    calm : first let every kind of cluster make the data set undisturbed, and compare
    """

    inline: int
    local: int
    workers: int
    remote: int
    remote_workers: int
    nannies: int
    schedulers: int
    per_data_set: int = 6
    calm: bool = True


def kill_all(scene: Scene, folder: Path, amount: Amount, seed: int) -> Killed:
    """Kill so many, in series on fresh data sets, and compare each with the undisturbed run."""
    counted, chance = Killed(), random.Random(seed)  # noqa: S311  for moments, not for secrets

    def series(name: str, cluster: dict[str, Any], kills: int) -> Iterator[Series]:
        """Fresh series until so many kills are planned."""
        for start in range(0, kills, amount.per_data_set):
            place = Place(str(folder / f"{name}-{start}"))
            yield Series(scene, place, cluster, min(amount.per_data_set, kills - start), chance, counted)

    for each in series("inline", INLINE, amount.inline):
        play(counted, "driver, no cluster", each.kill_drivers)
    _kill_local(counted, series, amount)
    with hand_started(folder / "dask") as dask:
        _kill_remote(counted, series, amount, dask)
    for each in series("schedulers", INLINE, amount.schedulers):
        play(counted, "schedulers", partial(kill_schedulers, each, folder))
    return counted


MakeSeries = Callable[[str, dict[str, Any], int], Iterator[Series]]


def _kill_local(counted: Killed, series: MakeSeries, amount: Amount) -> None:
    for each in series("calm-local", LOCAL, int(amount.calm)):
        play(counted, "undisturbed, local cluster", each.kill_nobody)
    for each in series("local", LOCAL, amount.local):
        play(counted, "driver, local cluster", each.kill_drivers)
    for each in series("workers", LOCAL, amount.workers):
        play(counted, "workers, local cluster", partial(each.kill_others, kill_worker_of_local))


def _kill_remote(counted: Killed, series: MakeSeries, amount: Amount, dask: HandStarted) -> None:
    for each in series("calm-remote", dask.cluster, int(amount.calm)):
        play(counted, "undisturbed, remote cluster", each.kill_nobody)
    for each in series("remote", dask.cluster, amount.remote):
        play(counted, "driver, remote cluster", each.kill_drivers)
    for each in series("remote-workers", dask.cluster, amount.remote_workers):
        play(counted, "workers, remote cluster", partial(each.kill_others, dask.kill_worker))
    for each in series("nannies", dask.cluster, amount.nannies):
        play(counted, "nannies, remote cluster", partial(each.kill_others, dask.kill_nanny))
