"""Two processes write one data set at the same time: who wins, what the other is told, and what is left."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from multiprocessing.synchronize import Barrier
from pathlib import Path

from tests.faults.interruptions import MINE, OTHER, forget
from tests.faults.remains import Place, assert_kept, broken_promise
from tests.faults.scene import Ended, Scene, command, quiet
from tests.faults.steps import Step, before_each

PATIENCE = 60
"""Seconds that one waits for the other before the race is declared broken."""


class Meeting(StrEnum):
    """Where the two wait for each other, once."""

    START = "start"
    FIRST_FILE = "/runs/"
    MANIFEST = "/manifests/"
    COMMIT = "/commits/"


@dataclass(frozen=True)
class Race:
    """Two models, which are the same for twins, and where their drivers meet."""

    models: tuple[str, str]
    meeting: Meeting

    def __str__(self) -> str:
        return f"{'twins' if len(set(self.models)) == 1 else 'rivals'} that meet at {self.meeting.name.lower()}"


RACES = [Race(models, meeting) for meeting in Meeting for models in ((MINE, OTHER), (MINE, MINE))]


@dataclass
class Raced:
    """What a series of races came to: how often each ended how."""

    endings: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pair:
    """Two processes that are started once and run commands for many races."""

    pool: ProcessPoolExecutor
    environment: Mapping[str, str]

    def race(self, configs: tuple[Path, Path], meeting: Meeting) -> tuple[Ended, Ended]:
        """Run two commands at once; how they ended."""
        calls = [self.pool.submit(_drive, config, meeting, dict(self.environment)) for config in configs]
        first, second = (call.result() for call in calls)
        return first, second


@contextmanager
def pair(environment: Mapping[str, str]) -> Iterator[Pair]:
    """A pair of processes with these variables, until the block ends."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context, _remember, (context.Barrier(2),)) as pool:
        yield Pair(pool, environment)


_BARRIER: list[Barrier] = []


def _remember(barrier: Barrier) -> None:
    _BARRIER.append(barrier)


def _drive(config: Path, meeting: Meeting, environment: dict[str, str]) -> Ended:
    os.environ.update(environment)
    met: list[Step] = []

    def meet(step: Step) -> None:
        if not met and (step.name == "create" and meeting in step.uri):
            met.append(step)
            _BARRIER[0].wait(PATIENCE)

    if meeting is Meeting.START:
        _BARRIER[0].wait(PATIENCE)
    with quiet(), before_each(meet):
        return command(config)


def race_all(scene: Scene, pair: Pair, races: Iterable[tuple[Race, Place]]) -> Raced:
    """Run races, each on a fresh place; a promise that was broken is written down, and the next race is run."""
    raced = Raced()
    for race, place in races:
        try:
            raced.endings[f"{place.name}, {race}: {_raced(scene, pair, race, place)}"] += 1
        except AssertionError as error:
            raced.violations.append(f"{place.name}: {race}: {broken_promise(error)}")
        forget(place)
    return raced


def _raced(scene: Scene, pair: Pair, race: Race, place: Place) -> str:
    """Run one race and judge it; the exit codes of the two, sorted."""
    name = f"race-{place.name}-{Path(place.uri).name}"
    configs = [scene.config(f"{name}-{number}", model, place.uri) for number, model in enumerate(race.models)]
    ended = pair.race((configs[0], configs[1]), race.meeting)
    codes = [each.code for each in ended]
    rivals = race.models[0] != race.models[1]
    assert sorted(codes) in ([[0, 7]] if rivals and race.meeting is Meeting.COMMIT else _ENDINGS[rivals]), ended
    history = _history(race, ended)
    assert_kept(scene, place, history)
    if 7 in codes:
        with quiet():
            again = command(configs[codes.index(7)])
        assert (again.code, again.computed, again.version) == (0, 0, 2), again
        assert_kept(scene, place, [*history, race.models[codes.index(7)]])
    return " and ".join(map(str, sorted(codes)))


_ENDINGS = {True: [[0, 0], [0, 7]], False: [[0, 0]]}
"""How two rivals, or two twins, may end that need not have been at the commit together."""


def _history(race: Race, ended: tuple[Ended, Ended]) -> list[str]:
    """The models in the order of the versions that the successful commands were told."""
    told = {each.version: model for each, model in zip(ended, race.models, strict=True) if each.code == 0}
    return [told[version] for version in sorted(told)]
