"""Leading readers to the newest version: everything here follows from the commits, and can be done again."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol.staging import linked, renamed
from tests.protocol.world import Actor, Move, Part, World, commit_of, ended, folder_of, highest


def look(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Look for the newest version; whoever has just led to it is done."""
    newest = highest(world)
    blind = part.rules.wrong("no second look after the pointers") and me.newest
    if me.newest == newest or blind:
        yield Move("is done", world, _afterwards(part, me))
    else:
        held = me.held if me.target == newest else frozenset()
        at = "place" if part.rules.local else "latest"
        yield Move(f"finds version {newest}", world, me._replace(at=at, newest=newest, target=newest, held=held))


def _afterwards(part: Part, me: Actor) -> Actor:
    return me._replace(at="choose") if part.role.kind == "gc" else ended(me, "0")


def place(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """See whether the version's folder has its place."""
    if folder_of(world, me.newest):
        yield Move("finds the folder in place", renamed(part, world, _of_version(world, me)), me._replace(at="point"))
    elif part.rules.wrong("a folder gets its place before it is whole"):
        yield Move("begins the folder", world, me._replace(at="hasty"))
    else:
        yield Move("finds no folder", world, me._replace(at="fill"))


def _of_version(world: World, me: Actor) -> Actor:
    return me._replace(names=commit_of(world, me.newest).names)


def fill(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Fill the folder of a version that is committed."""
    yield from linked(part, world, me, commit_of(world, me.newest), whole="rename")


def hasty(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """The mistake: give the folder its place with the first link in it."""
    folders = world.folders | {(me.newest, min(commit_of(world, me.newest).files))}
    yield Move("renames too early", world._replace(folders=folders), me._replace(at="point"))


def rename(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Give the folder its place; one that is there already stands."""
    yield Move("renames the folder", renamed(part, world, me), me._replace(at="point", held=frozenset()))


def point(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Swap the symbolic link."""
    me = me._replace(at="latest", held=frozenset(), names=())
    if folder_of(world, me.newest):
        yield Move(f"points the link to {me.newest}", world._replace(link=me.newest), me)
    else:
        yield Move("misses the folder", world, ended(me, "5"))


def latest(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Write latest.json over what it says."""
    too_early = commit_of(world, me.newest) is None
    after = me._replace(at="stage" if part.rules.local else "commit", newest=0) if too_early else me._replace(at="look")
    yield Move(f"writes {me.newest} into latest.json", world._replace(latest=me.newest), after)
