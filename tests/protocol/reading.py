"""Readers that list first and then open file by file, and tasks that come late."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol.creating import create_data, create_receipt
from tests.protocol.planning import file_of
from tests.protocol.world import Actor, Commit, Files, Move, Part, World, commit_of, ended, files_of, folder_of, highest


def follow(part: Part, world: World, _: Actor) -> Iterator[Move]:
    """Follow a pointer, or ask for the newest commit; a folder is listed at once, prefixes one after another."""
    through = part.role.through
    version = {"link": world.link, "latest": world.latest, "current": highest(world)}[through]
    if not version:
        yield Move("finds nothing", world, _stopped())
    elif through == "link" or (through == "current" and part.rules.local and folder_of(world, version)):
        place = ("link", 0) if through == "link" else ("folder", version)
        todo = tuple((*place, file.name) for file in sorted(folder_of(world, version)))
        yield Move(f"lists folder {version}", world, Actor("open", todo=todo))
    else:
        commit = commit_of(world, version) or Commit(())
        yield Move(f"is led to version {version}", world, Actor("list", names=commit.names, target=len(commit.files)))


def _stopped() -> Actor:
    return Actor("done", code="error")


def list_next(_: Part, world: World, me: Actor) -> Iterator[Move]:
    """List the next prefix."""
    if not me.names:
        yield Move("has listed all", world, me._replace(at="open"))
        return
    run = me.names[0]
    found = tuple(("run", run, file.name) for file in sorted(files_of(world, run)))
    yield Move(f"lists {run}", world, me._replace(names=me.names[1:], todo=(*me.todo, *found)))


def open_next(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Open the next file where it was listed; through the link, that is where it leads now.

    A listing of a folder that is not there is empty, no error: who lists prefixes compares with what the pointer says.
    """
    if not me.todo:
        short = len(me.held) < me.target and not part.rules.wrong("readers of prefixes do not count")
        yield Move("has read all", world, _stopped() if short else Actor("done", code="read", held=me.held))
        return
    kind, what, name = me.todo[0]
    file = next((file for file in _listing(world, kind, what) if file.name == name), None)
    if file is None:
        yield Move(f"misses {name}", world, _stopped())
    else:
        yield Move(f"opens {name}", world, me._replace(todo=me.todo[1:], held=me.held | {file}))


def _listing(world: World, kind: str, what: int | str) -> Files:
    if kind == "run":
        return files_of(world, what)
    return folder_of(world, world.link if kind == "link" else what)


def attempt_again(part: Part, world: World, _: Actor) -> Iterator[Move]:
    """A second attempt at a unit, which may come at any time; its bytes differ, so that mixing them up would show."""
    run, unit = part.role.run, part.role.inputs[0]
    file = file_of(part.rules, run, unit, "late")
    for after, _ in create_data(part, world._replace(losses=0), run, file):
        standing = next(found for found in files_of(after, run) if found.name == file.name)
        me = Actor("late receipt", run=run, todo=(standing,))
        yield Move(f"creates {file.name}", after._replace(losses=world.losses), me)


def late_receipt(_: Part, world: World, me: Actor) -> Iterator[Move]:
    """The receipt of a second attempt."""
    for after, _ in create_receipt(world._replace(losses=0), me.run, me.todo[0]):
        yield Move("creates its receipt", after._replace(losses=world.losses), ended(me, "0"))
