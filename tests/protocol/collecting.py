"""Collection: the only one that deletes, and only when it is asked to.

Before it deletes a run it sets a mark, then looks again whether a commit names the run or a driver raised a flag. A
driver raises its flag, then looks for a mark. Whoever is second sees the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol.world import Actor, Move, Part, World, commit_of, ended, folder_of, highest


def survey(part: Part, world: World, _: Actor) -> Iterator[Move]:
    """Remember where readers are led, then lead them to the newest version."""
    held = (world.link, world.latest)
    if part.rules.wrong("a collection leaves pointers as they are"):
        yield Move("leaves the pointers", world, Actor("choose", base=highest(world), todo=(0, 0)))
    else:
        yield Move("reads the pointers", world, Actor("look", base=highest(world), todo=held))


def choose(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """What is to go: folders of links first, then runs."""
    kept = kept_versions(part, world) | set(me.todo)
    folders = [("folder", version) for version in sorted({version for version, _ in world.folders} - kept)]
    left = [("staged", key) for key in sorted(world.stale)]
    doomed = [("run", run) for run in sorted(_runs(world)) if run in world.marks or _may_go(part, world, run, kept)]
    yield Move("chooses", world, Actor("next", todo=(*folders, *left, *doomed), base=me.base, names=_text(me.todo)))


def _text(pointers: tuple) -> tuple[str, ...]:
    return tuple(str(version) for version in pointers)


def kept_versions(part: Part, world: World) -> set[int]:
    """The newest versions, and those that were the newest within the retention."""
    newest = highest(world)
    if part.rules.wrong("a collection forgets the newest versions"):
        return {version for version in range(1, newest + 1) if version > world.settled}
    # The version that was the newest when the retention began was replaced within it, if at all.
    since = world.settled + part.rules.wrong("the retention counts from the commit itself")
    if part.rules.wrong("a collection forgets the retention"):
        since = newest
    return {version for version in range(1, newest + 1) if version > newest - part.rules.keep or version >= since}


def _runs(world: World) -> set[str]:
    """All runs of which anything is there."""
    return {owner for owner, _ in (*world.data, *world.receipts, *world.manifests)} | world.marks


def _may_go(part: Part, world: World, run: str, kept: set[int]) -> bool:
    named = any(run in commit_of(world, version).names for version in kept if version)
    return not named and (run not in world.flags or part.rules.wrong("a collection forgets the retention"))


def next_one(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Turn to the next thing to delete; a run is marked first."""
    if not me.todo:
        yield Move("is done", world, ended(me, "0"))
        return
    kind, what = me.todo[0]
    if kind != "run" or part.rules.wrong("a collection sets no marks"):
        yield Move(f"turns to {kind} {what}", world, me._replace(at="delete"))
    else:
        yield Move(f"marks {what}", world._replace(marks=world.marks | {what}), me._replace(at="recheck"))


def recheck(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """After the mark: let the run be if somebody was there first."""
    run = me.todo[0][1]
    kept = kept_versions(part, world) | {int(version) for version in me.names}
    if _may_go(part, world, run, kept):
        yield Move(f"may delete {run}", world, me._replace(at="delete"))
    else:
        yield Move(f"lets {run} be", world._replace(marks=world.marks - {run}), _turned(me))


def _turned(me: Actor) -> Actor:
    return me._replace(at="next", todo=me.todo[1:])


def delete(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """One file at a time. Of a run its records go first: no receipt may vouch for a file that is made again."""
    kind, what = me.todo[0]
    if kind == "run":
        yield from _delete_run(part, world, me, what)
    elif kind == "staged":
        yield from _delete_staged(world, me, what)
    elif files := sorted(folder_of(world, what)):
        yield Move(f"unlinks {files[0].name} in {what}", world._replace(folders=world.folders - {(what, files[0])}), me)
    else:
        yield Move(f"has deleted folder {what}", world, _turned(me))


def _delete_run(part: Part, world: World, me: Actor, run: str) -> Iterator[Move]:
    order = ("manifests", "receipts", "data")
    if part.rules.wrong("a collection deletes data before receipts"):
        order = ("data", "receipts", "manifests")
    for kind in order:
        entries = getattr(world, kind)
        if left := sorted(entry for entry in entries if entry[0] == run)[:1]:
            yield Move(f"deletes of {kind} {left[0][1]}", world._replace(**{kind: entries - set(left)}), me)
            return
    yield Move(f"takes the mark off {run}", world._replace(marks=world.marks - {run}), _turned(me))


def _delete_staged(world: World, me: Actor, what: tuple) -> Iterator[Move]:
    if left := sorted(entry for entry in world.staged if entry[:2] == what):
        yield Move(f"unlinks {left[0][2].name}", world._replace(staged=world.staged - {left[0]}), me)
    else:
        yield Move("has deleted what was left", world, _turned(me))
