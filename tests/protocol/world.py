"""The store of a data set, and whoever works on it, as one small frozen value.

The model knows the order of steps and what each one reads and writes. It does not know bytes, durability or speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class File(NamedTuple):
    """A unit's file: its name, the input file that the unit scores, and which attempt at it made the bytes."""

    name: str
    unit: str
    made: str

    @property
    def path(self) -> str:
        """The input file without its stamp: `f` and `f+` are one file before and after it changed."""
        return self.unit[0]


Files = frozenset[File]


class Commit(NamedTuple):
    """The whole runs of a version, each with the files that its manifest listed when the commit was made."""

    runs: tuple[tuple[str, Files], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.runs)

    @property
    def files(self) -> Files:
        return frozenset().union(*(files for _, files in self.runs))


class Actor(NamedTuple):
    """Somebody at work: where it stands, and what it holds in memory. Killing it leaves `at` and `newest` as traces.

    Attributes
    ----------
    at : the next step; "idle", "dead", "failed" and "done" are between lives
    code : what the last life ended with
    base : the version that it found when it planned
    names : the runs that the commit it aims at names, its own last
    todo : what is left to do: units to score, names to open, things to delete
    held : files in hand: receipts, a private folder of links, what a reader has read
    target, newest : version that it stages, version to which it leads readers
    leading : it was killed while pointers were in its hands, and has not ended well since
    """

    at: str = "idle"
    code: str = ""
    base: int = 0
    run: str = ""
    names: tuple[str, ...] = ()
    todo: tuple = ()
    held: Files = frozenset()
    target: int = 0
    newest: int = 0
    leading: bool = False


class World(NamedTuple):
    """What is in the store, who works on it, and how many faults may still come.

    Attributes
    ----------
    data, receipts : (run, file); a receipt vouches for the file
    manifests : (run, files); commits : (version, commit); folders : (version, file), local only
    staged : (version, names of its runs, file): folders that several drivers fill together, by one mistake only
    stale : those of these folders to which nothing was added within the retention
    link, latest : the versions that the pointers lead to, 0 for none
    flags : runs on which a driver began to work within the retention
    marks : runs that a collection is about to delete
    settled : the version that was the newest when the retention passed last
    late : (actor, version, commit): requests that are on their way although nobody waits for the answer
    """

    data: frozenset = frozenset()
    receipts: frozenset = frozenset()
    manifests: frozenset = frozenset()
    commits: frozenset = frozenset()
    folders: frozenset = frozenset()
    staged: frozenset = frozenset()
    stale: frozenset = frozenset()
    link: int = 0
    latest: int = 0
    flags: frozenset = frozenset()
    marks: frozenset = frozenset()
    settled: int = 0
    late: frozenset = frozenset()
    actors: tuple[Actor, ...] = ()
    kills: int = 0
    losses: int = 0
    ages: int = 0


@dataclass(frozen=True)
class Role:
    """What an actor is there for.

    Attributes
    ----------
    kind : replace, append, rollback, gc, straggler, reader
    run : the run of a replace, or of the task that a straggler attempts again; the recipe of an append
    inputs : the input files as this actor sees them
    through : what a reader follows: link, latest or current
    wanted : the version that a rollback restores
    """

    kind: str
    run: str = ""
    inputs: tuple[str, ...] = ()
    through: str = ""
    wanted: int = 0


@dataclass(frozen=True)
class Rules:
    """What holds for everybody.

    Attributes
    ----------
    local : the data set is in a local folder, not on S3
    keep : how many versions a collection keeps
    collected : somebody collects
    same_bytes : every attempt at a unit makes the same bytes, as most models do
    mistakes : what is wrong with the protocol
    """

    local: bool = True
    keep: int = 1
    collected: bool = False
    same_bytes: bool = False
    mistakes: frozenset[str] = frozenset()

    def wrong(self, mistake: str) -> bool:
        """Whether a mistake is built in."""
        return mistake in self.mistakes


@dataclass(frozen=True)
class Part:
    """An actor's place in the world: its number, role and rules."""

    number: int
    role: Role
    rules: Rules


class Move(NamedTuple):
    """One step: what it is called in a trace, and what the world and the actor are after it."""

    said: str
    world: World
    me: Actor


BETWEEN_LIVES = frozenset({"idle", "dead", "failed", "done"})
LEADING = frozenset({"look", "place", "fill", "rename", "point", "latest"})


def highest(world: World) -> int:
    """The newest version, 0 for none."""
    return max((version for version, _ in world.commits), default=0)


def commit_of(world: World, version: int) -> Commit | None:
    """A version's commit."""
    return next((commit for number, commit in world.commits if number == version), None)


def files_of(world: World, run: str) -> Files:
    """What a listing of a run's folder shows."""
    return frozenset(file for owner, file in world.data if owner == run)


def manifest_of(world: World, run: str) -> Files | None:
    """What a run's manifest lists."""
    return next((files for owner, files in world.manifests if owner == run), None)


def folder_of(world: World, version: int) -> Files:
    """What a listing of a version's folder shows; a folder without files is none."""
    return frozenset(file for number, file in world.folders if number == version)


def ended(me: Actor, code: str) -> Actor:
    """The actor at the end of a life, its memory gone. Whoever ends well is not started again."""
    return Actor(at="done" if code == "0" else "failed", code=code)
