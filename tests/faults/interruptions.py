"""One run, broken at one step, alone or with company; then the same command until it succeeds; then every promise."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.faults.remains import (
    Place,
    assert_kept,
    assert_run_is_a_part,
    below,
    broken_promise,
    committed,
    names_that_readers_see,
)
from tests.faults.scene import Ended, Scene, command, quiet
from tests.faults.steps import Fault, Killed, Step, Steps, nothing, watched

MINE, OTHER = "english", "german"
ATTEMPTS = 3
NO_ANSWER = (0, 5, 7)
"""How a command may end that lost an answer: it found out, or says that it could not."""


class Company(StrEnum):
    """Who else works on the data set, from beginning to end, while the broken run is at its step or dead."""

    ALONE = "alone"
    TWIN = "twin driver"
    OTHER = "different run"


@dataclass(frozen=True)
class Case:
    """A step to break, how, and in whose company."""

    company: Company
    fault: Fault
    at: int

    def __str__(self) -> str:
        return f"{self.company}, step {self.at} {self.fault}"


FAULTS = {
    Company.ALONE: (Fault.BEFORE, Fault.AFTER, Fault.LOST, Fault.UNSENT, Fault.DROPPED),
    Company.TWIN: (Fault.PAUSE_BEFORE, Fault.PAUSE_AFTER, Fault.BEFORE, Fault.AFTER, Fault.LOST, Fault.UNSENT),
    Company.OTHER: (Fault.PAUSE_BEFORE, Fault.PAUSE_AFTER, Fault.BEFORE, Fault.AFTER, Fault.LOST, Fault.UNSENT),
}


def cases(steps: Sequence[Step], *, proxied: bool) -> Iterator[Case]:
    """Every case of a run that takes these steps; answers are dropped on their way where there is a proxy."""
    for company, faults in FAULTS.items():
        for at, step in enumerate(steps):
            for fault in faults:
                if fits(step, fault, proxied=proxied):
                    yield Case(company, fault, at)


def fits(step: Step, fault: Fault, *, proxied: bool) -> bool:
    """Whether a fault can befall a step."""
    if fault is Fault.UNSENT:
        return step.name == "create"
    if fault is Fault.DROPPED:
        return proxied and step.name in ("create", "replace")
    return True


def steps_of(scene: Scene, place: Place, name: str) -> list[Step]:
    """The steps that an undisturbed run takes on a fresh data set."""
    steps = Steps(watched(place.uri))
    with steps.watching():
        assert command(scene.config(name, MINE, place.uri)).code == 0
    return steps.taken


def spread(every: Iterable[Case], count: int) -> list[Case]:
    """So many of the cases, always the same ones, from everywhere among them."""
    found = list(every)
    return sorted(random.Random(count).sample(found, min(count, len(found))), key=found.index)  # noqa: S311


@dataclass
class Counted:
    """What a series of cases came to."""

    cases: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    violations: list[str] = field(default_factory=list)


def play_all(scene: Scene, places: Iterator[Place], chosen: Iterable[Case], drop: Callable[[], None]) -> Counted:
    """Play cases, each on a fresh place; a promise that was broken is written down, and the next case is played."""
    counted = Counted()
    for case, place in zip(chosen, places, strict=False):
        interruption = Interruption(scene, place, case, drop)
        try:
            with quiet():
                interruption.play()
        except AssertionError as error:
            counted.violations.append(f"{place.name}: {case}: {broken_promise(error)}")
        counted.cases[f"{place.name}, {case.company}, {case.fault}"] += 1
        counted.looks += interruption.seen
        forget(place)
    return counted


def forget(place: Place) -> None:
    """Make room: delete a local data set that has been checked."""
    if place.client is None:
        shutil.rmtree(f"{place.uri}.store", ignore_errors=True)


@dataclass
class Interruption:
    """A case at work on a fresh data set at `place`.

    Attributes
    ----------
    seen : how often readers looked
    history : the models whose runs must be the versions at the end
    """

    scene: Scene
    place: Place
    case: Case
    drop: Callable[[], None] = nothing
    seen: int = 0
    history: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        name = f"{self.place.name}-{Path(self.place.uri).name}"
        self.mine = self.scene.config(name, MINE, self.place.uri)
        self.other = self.scene.config(f"{name}-other", OTHER, self.place.uri)

    def play(self) -> None:
        """Break the run, let the company work, run the same command until it succeeds, and check everything."""
        steps = Steps(watched(self.place.uri), self.case.at, self.case.fault, self._meanwhile, self.drop, self._look)
        ended = None
        with steps.watching(), suppress(Killed):
            ended = command(self.mine)
        assert len(steps.taken) > self.case.at, f"{self.case} was not reached"
        if self.case.fault.kills:
            assert ended is None
            self._meanwhile()
        self._judge(ended)
        if ended is None or ended.code:
            self._again()
        self._expect()
        assert_kept(self.scene, self.place, self.history)

    def _meanwhile(self) -> None:
        self.history = [MINE] * len(committed(self.place.files("commits/")))
        if self.case.company is Company.ALONE:
            return
        ended = command(self.mine if self.case.company is Company.TWIN else self.other)
        assert ended.code == 0, ended
        self.history += [OTHER] if self.case.company is Company.OTHER else [MINE] * (not self.history)

    def _judge(self, ended: Ended | None) -> None:
        """Whether the broken command may have ended as it did."""
        if ended is None:
            return
        if self.case.fault in (Fault.LOST, Fault.UNSENT):
            assert ended.code in NO_ANSWER, ended
        elif self.case.company is Company.OTHER:
            assert ended.code in (0, 7), ended
            # Who came first is told so, who came last is not told anything else.
            assert ended.code == 0 or self.history == [OTHER], ended
        else:
            assert ended.code == 0, ended

    def _again(self) -> None:
        """The same command until it succeeds computes what has no receipt, and nothing else."""
        files = self.place.files()
        for model in (MINE, OTHER):
            assert_run_is_a_part(files, self.scene.calm[model])
        done = len(below(files, f"receipts/{self.scene.calm[MINE].key}/"))
        ended = command(self.mine)
        assert (ended.code, ended.computed) == (0, self.scene.units - done), ended

    def _expect(self) -> None:
        """The run of the command that succeeded last is the newest version, unless the other came after its commit."""
        found = len(committed(self.place.files("commits/")))
        if self.history[-1:] != [MINE] and found > len(self.history):
            self.history.append(MINE)
        assert MINE in self.history

    def _look(self) -> None:
        """Readers see nothing yet, or all files of one run."""
        names = names_that_readers_see(self.place)
        assert not names or names in {frozenset(run.data) for run in self.scene.calm.values()}, names
        self.seen += 1
