"""Folders of hard links while they have no place yet.

Each life of a driver fills a folder of its own, and one that was left behind is nobody's: so it is the actor's memory.
With the mistake "drivers fill one folder together" it is in the store, by version and runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol.world import Actor, Commit, Files, Move, Part, World, ended, files_of, folder_of

Names = tuple[str, ...]


def shared(part: Part) -> bool:
    """Whether drivers fill one folder together."""
    return part.rules.wrong("drivers fill one folder together")


def linked(part: Part, world: World, me: Actor, wanted: Commit, whole: str) -> Iterator[Move]:
    """One more link into the folder of version `me.target`; go on to `whole` when all are there."""
    names = wanted.names
    missing = sorted(wanted.files - _filled(part, world, me, names))
    if shared(part) and folder_of(world, me.target):
        missing = []
    at = whole if len(missing) <= 1 else me.at
    if not missing:
        yield Move("has the folder whole", world, me._replace(at=at, names=names))
    elif not any(missing[0] in files_of(world, run) for run in names):
        yield Move("misses a file of the version", world, ended(me, "5"))
    elif shared(part):
        more = world.staged | {(me.target, names, missing[0])}
        younger = world._replace(staged=more, stale=world.stale - {(me.target, names)})
        yield Move(f"links {missing[0].name}", younger, me._replace(at=at, names=names))
    else:
        held = me.held | {missing[0]}
        yield Move(f"links {missing[0].name}", world, me._replace(at=at, names=names, held=held))


def _filled(part: Part, world: World, me: Actor, names: Names) -> Files:
    if not shared(part):
        return me.held
    return frozenset(file for version, runs, file in world.staged if (version, runs) == (me.target, names))


def renamed(part: Part, world: World, me: Actor) -> World:
    """The folder in its place, if that is free; what is left over is cleared away."""
    filled = _filled(part, world, me, me.names)
    if not folder_of(world, me.target):
        world = world._replace(folders=world.folders | {(me.target, file) for file in filled})
    return forgotten(part, world, me)


def forgotten(part: Part, world: World, me: Actor) -> World:
    """The world without the folder that has no place yet."""
    if not shared(part):
        return world
    rest = frozenset(entry for entry in world.staged if entry[:2] != (me.target, me.names))
    return world._replace(staged=rest)
