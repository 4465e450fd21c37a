"""The real functions, stepped, killed and left without answers in generated orders; the model's invariants hold."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.protocol.real_code import UNITS, commits, content, drive, listed, make_unit, runs_of
from tests.protocol.stepping import Fate, Killed, Stepping, SteppingStore

from scoreline.dataset.layout import Layout
from scoreline.errors import ConflictError, StorageError
from scoreline.storage import operations

_KEYS = ("a" * 64, "b" * 64)
_NUMBER = st.integers(0, 2)
_MEMORY = "/dev/shm"  # noqa: S108  (thousands of fsyncs; what survives a power cut is no matter here)
_COMMIT, _POINTER, _END = "/commits/", "/latest.json", "the end"
_STOPS = [
    *((_COMMIT, fate) for fate in (*Fate, None)),
    *((_POINTER, fate) for fate in (Fate.KILLED_BEFORE, Fate.KILLED_AFTER, None)),
    *((place, fate) for place in ("/data/", "/receipts/", "/manifests/") for fate in Fate if fate is not Fate.DONE),
    *[(_END, None)] * 3,
]


class Publication(RuleBasedStateMachine):
    """Up to three drivers at a time of two runs, a reader, late attempts at units; nobody ever leaves a mess."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(operations, "store_of", lambda _: SteppingStore())
        self.folder = Path(tempfile.mkdtemp(dir=_MEMORY if Path(_MEMORY).is_dir() else None))
        self.layouts = {key: Layout(str(self.folder / "scores"), key) for key in _KEYS}
        self.layout = self.layouts[_KEYS[0]]
        self.drivers: list[tuple[str, int, Stepping]] = []
        self.attempts, self.led_back = 0, False
        self.seen: dict[int, bytes] = {}
        self.reading: tuple[list[str], dict[str, Any]] | None = None

    @precondition(lambda self: not self.drivers)
    @rule(keys=st.sampled_from([_KEYS, _KEYS[::-1], _KEYS[:1] * 2]))
    def start_two(self, keys: tuple[str, ...]) -> None:
        """Rivals, or twins."""
        for key in keys:
            self.start(key)

    @precondition(lambda self: 0 < len(self.drivers) < 3)
    @rule(key=st.sampled_from(_KEYS))
    def start(self, key: str) -> None:
        self.attempts += 1
        layout, attempt, base = self.layouts[key], self.attempts, max(commits(self.layout), default=0)
        self.drivers.append((key, base, Stepping(lambda: drive(layout, attempt))))

    @precondition(lambda self: self.drivers)
    @rule(number=_NUMBER, steps=st.integers(1, 4))
    def go_on(self, number: int, steps: int) -> None:
        self.let_go(number, *[Fate.DONE] * steps)

    @precondition(lambda self: self.drivers)
    @rule(number=_NUMBER, stop=st.sampled_from(_STOPS))
    def go_up_to(self, number: int, stop: tuple[str, Fate | None]) -> None:
        """Go on to a step, such as the one that publishes or the one that leads readers, and stop or meet a fate."""
        place, fate = stop
        _, _, driver = self.drivers[number % len(self.drivers)]
        while driver.outcome is None and place not in driver.ahead[1]:
            driver.step()
        self.let_go(number, *([fate] if fate else []))

    def let_go(self, number: int, *fates: Fate) -> None:
        chosen = self.drivers[number % len(self.drivers)]
        for fate in fates:
            if chosen[2].outcome is None:
                chosen[2].step(fate)
        if chosen[2].outcome is not None:
            self.drivers.remove(chosen)
            self.judge(*chosen)

    def judge(self, key: str, base: int, driver: Stepping) -> None:
        """Who says that it published has published; who is told of a conflict has not."""
        outcome, there = driver.outcome, commits(self.layout)
        if isinstance(outcome, int):
            assert runs_of(there[outcome]) == [key]
            assert outcome >= base
            assert self.drivers or self.led_back or self.shown() == max(there)
        elif isinstance(outcome, ConflictError) and "did not say" not in str(outcome):
            assert runs_of(there[base + 1]) != [key]
        else:
            assert isinstance(outcome, (Killed, StorageError, ConflictError)), repr(outcome)
        # Who is killed with the pointers in its hands may have led readers back: the next command mends that.
        self.led_back |= isinstance(outcome, Killed) and _POINTER in driver.ahead[1]

    def shown(self) -> int:
        """The version to which both pointers lead."""
        latest = json.loads(Path(self.layout.latest).read_bytes())["version"]
        assert self.link.resolve().name == str(latest)
        return latest

    @rule(key=st.sampled_from(_KEYS), unit=st.sampled_from(UNITS))
    def come_late(self, key: str, unit: str) -> None:
        """A task that was given up for lost writes its unit after all."""
        self.attempts += 1
        make_unit(self.layouts[key], unit, self.attempts)

    @precondition(lambda self: self.link.exists())
    @rule()
    def list_version(self) -> None:
        self.reading = (sorted(path.name for path in self.link.iterdir()), {})

    @precondition(lambda self: self.reading)
    @rule()
    def open_next(self) -> None:
        """A reader that listed opens the next file through the link: one version, or an error."""
        names, read = self.reading
        try:
            read[names[0]] = pq.read_table(self.link / names[0])["run"].to_pylist()
        except FileNotFoundError:
            self.reading = None
            return
        self.reading = (names[1:], read)
        if not names[1:]:
            assert len(read) == len(UNITS)
            assert len({run for runs in read.values() for run in runs}) == 1
            self.reading = None

    @property
    def link(self) -> Path:
        return Path(self.layout.uri)

    @invariant()
    def commits_stand_and_no_version_is_left_out(self) -> None:
        there = commits(self.layout)
        assert {version: there[version] for version in self.seen} == self.seen
        assert sorted(there) == list(range(1, len(there) + 1))
        self.seen = there

    @invariant()
    def committed_runs_are_as_their_manifests_say(self) -> None:
        for run in {run for commit in self.seen.values() for run in runs_of(commit)}:
            files = listed(self.layout, run)
            assert content(Path(self.layouts[run].data)) == files
            assert len(files) == len(UNITS)

    @invariant()
    def pointers_lead_to_whole_committed_versions(self) -> None:
        latest = Path(self.layout.latest)
        if latest.exists():
            assert json.loads(latest.read_bytes())["version"] in self.seen
        if self.link.exists():
            (run,) = runs_of(self.seen[int(self.link.resolve().name)])
            assert content(self.link) == listed(self.layout, run)

    def teardown(self) -> None:
        try:
            self.end_well()
        finally:
            for _, _, driver in self.drivers:
                driver.kill()
            self.patch.undo()
            shutil.rmtree(self.folder)

    def end_well(self) -> None:
        """After all this the same commands end well, and lead readers to what they published."""
        for key in _KEYS:
            version = Stepping(lambda layout=self.layouts[key]: drive(layout, 0)).finish()
            self.commits_stand_and_no_version_is_left_out()
            assert (version, runs_of(self.seen[version])) == (max(self.seen), [key])
            assert self.shown() == version
            self.committed_runs_are_as_their_manifests_say()
            self.pointers_lead_to_whole_committed_versions()


TestPublication = Publication.TestCase
TestPublication.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
