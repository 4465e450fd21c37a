"""Append, replay, rollback and gc, broken at every step: the same command again, and all is as if nothing had been."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq
from tests.faults.remains import Place, broken_promise, names_that_readers_see
from tests.faults.scene import Ended, Scene, command, new_rows
from tests.faults.steps import Fault, Killed, Step, Steps, watched

from scoreline import pipeline
from scoreline.api import _commanded
from scoreline.cli.outcome import _explained
from scoreline.dataset.collection import collect
from scoreline.dataset.history import rolled_back
from scoreline.dataset.verification import verify
from scoreline.errors import ScorelineError

NO_ANSWER = (0, 5, 7)
FAULTS = (Fault.BEFORE, Fault.AFTER, Fault.LOST, Fault.UNSENT)
ATTEMPTS = 3
ROWS = 12


@dataclass(frozen=True)
class World:
    """A data set in a folder of its own, with its input, and copies of the folder as it was."""

    scene: Scene
    folder: Path

    @property
    def uri(self) -> str:
        """Where predictions are published."""
        return str(self.folder / "now" / "out")

    def config(self, model: str = "english", name: str = "job", **sections: Any) -> Path:
        """The config of a run over the input of this world."""
        name = f"{self.folder.name}-{name}"
        source = {"kind": "parquet", "uri": str(self.folder / "now" / "new")}
        artifacts = str(self.folder / "now" / "artifacts")
        return self.scene.config(name, model, self.uri, source=source, artifacts=artifacts, **sections)

    def arrive(self, number: int, rows: int = ROWS) -> None:
        """An input file, which may be there in another shape."""
        path = self.folder / "now" / "new" / f"{number:03}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(new_rows(number, rows), path)

    def keep(self) -> None:
        """Remember how everything is now."""
        shutil.copytree(self.folder / "now", self.folder / "before", symlinks=True, copy_function=_linked)

    def again(self) -> None:
        """Make everything as it was remembered."""
        shutil.rmtree(self.folder / "now")
        shutil.copytree(self.folder / "before", self.folder / "now", symlinks=True, copy_function=_linked)


def _linked(source: str, target: str) -> str:
    """Copy input and records, which may be written to, and link what is created once."""
    if "/out.store/" in source:
        Path(target).hardlink_to(source)
    else:
        shutil.copy2(source, target)
    return target


def append(world: World) -> Callable[[], Ended]:
    """A third file has come, and the second one is another."""
    predict = {"mode": "append"}
    for number in (0, 1):
        world.arrive(number)
    assert command(world.config(predict=predict)).code == 0
    world.arrive(2)
    world.arrive(1, ROWS + 4)
    return lambda: command(world.config(predict=predict))


def replay(world: World) -> Callable[[], Ended]:
    """Two models were published, and what the second one's run refused is repaired with a new value of the input."""
    for number in (0, 1):
        world.arrive(number)
    assert [command(world.config(model)).code for model in ("german", "english")] == [0, 0]
    world.arrive(1, 2)
    return lambda: ended(lambda: _commanded(replayed, world.config(), (), ()))


def replayed(job: Any, context: Any) -> Any:
    """What `quarantine replay` does."""
    return pipeline.replay_quarantine(job, context, job.model.uri)


def rollback(world: World) -> Callable[[], Ended]:
    """Two models were published, and the second was a mistake."""
    world.arrive(0)
    assert [command(world.config(model)).code for model in ("german", "english")] == [0, 0]
    return lambda: ended(lambda: rolled_back(world.uri, None))


def gc(world: World) -> Callable[[], Ended]:
    """Three versions were published, and one is to stay."""
    world.arrive(0)
    for model in ("german", "english"):
        assert command(world.config(model)).code == 0
    assert command(world.config(predict={"row_id": False})).code == 0
    return lambda: ended(lambda: collect(world.uri, keep=1, older_than=0, delete_them=True))


def ended(act: Callable[[], Any]) -> Ended:
    """How the command line would have ended."""
    try:
        act()
    except (ScorelineError, OSError) as error:
        problems, code = _explained(error, "")
        return Ended(code, problems[0].what)
    return Ended(0)


def remains(world: World) -> tuple[Any, ...]:
    """What must be as after an undisturbed command: versions, files, and what readers see.

    A driver that was killed leaves its staging folder, which is hidden and which gc deletes.
    """
    place = Place(world.uri)
    found = [path for path in place.paths() if not path.rpartition("/")[2].startswith(".")]
    folders = Path(f"{world.uri}.store/versions").iterdir()
    versions = sorted(path.name for path in folders if not path.name.startswith("."))
    table = ds.dataset(world.uri, format="parquet").to_table()
    commits = [path for path in found if path.startswith("commits/")]
    return len(commits), versions, sorted(found), sorted(map(str, table.to_pylist()))


def damages(world: World) -> list[str]:
    """What `data verify` finds."""
    return [problem.what for problem in verify(world.uri).problems]


@dataclass(frozen=True)
class Breaking:
    """A step by its number, and what befalls it."""

    at: int
    fault: Fault


def broken(world: World, act: Callable[[], Ended], breaking: Breaking, seen: set[frozenset[str]]) -> Step:
    """Break one step; then the same command until it succeeds. `seen` is filled with what readers saw meanwhile."""
    place = Place(world.uri)

    def look() -> None:
        seen.add(names_that_readers_see(place))

    steps = Steps(watched(world.uri), breaking.at, breaking.fault, observe=look)
    result = None
    with steps.watching(), suppress(Killed):
        result = act()
    step = steps.taken[breaking.at]
    assert result is None or result.code in NO_ANSWER, (step, result)
    for _ in range(ATTEMPTS):
        if result is None or result.code:
            result = act()
    assert result is not None
    assert result.code == 0, (step, result)
    return step


def cases(world: World, act: Callable[[], Ended]) -> Iterator[tuple[int, Fault]]:
    """Every fault of every step that changes something."""
    steps = Steps(watched(world.uri))
    with steps.watching():
        assert act().code == 0
    for at, step in enumerate(steps.taken):
        if step.changes:
            yield from ((at, fault) for fault in FAULTS if fault is not Fault.UNSENT or step.name == "create")


def play(world: World, story: Callable[[World], Callable[[], Ended]]) -> tuple[int, list[str]]:
    """Break every step of a story in every way; the number of cases, and what went wrong."""
    act = story(world)
    world.keep()
    versions = {names_that_readers_see(Place(world.uri))}
    every = list(cases(world, act))
    calm = remains(world)
    versions.add(names_that_readers_see(Place(world.uri)))
    violations = []
    for at, fault in every:
        world.again()
        try:
            _play(world, act, Breaking(at, fault), calm, versions)
        except AssertionError as error:
            violations.append(f"{story.__name__}, step {at} {fault}: {broken_promise(error)}")
    return len(every), violations


def _play(world: World, act: Callable[[], Ended], breaking: Breaking, calm: Any, versions: set[frozenset[str]]) -> None:
    seen: set[frozenset[str]] = set()
    step = broken(world, act, breaking, seen)
    assert remains(world) == calm, step
    assert damages(world) == [], step
    assert seen <= versions, step


STORIES = (append, replay, rollback, gc)
