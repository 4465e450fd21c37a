"""The driver of a run, step by step; a rollback is a driver without units."""

from __future__ import annotations

from collections.abc import Iterator

from tests.protocol.creating import create_commit, create_data, create_manifest, create_receipt, receipt_of
from tests.protocol.planning import aim, file_of
from tests.protocol.staging import forgotten, linked
from tests.protocol.world import (
    Actor,
    Commit,
    File,
    Files,
    Move,
    Part,
    World,
    commit_of,
    ended,
    files_of,
    highest,
    manifest_of,
)

UNKNOWN, CONFLICT, STORAGE, COLLECTING = "7 unknown", "7 conflict", "5", "7 collecting"


def plan(part: Part, world: World, _: Actor) -> Iterator[Move]:
    """Find the newest version, and from it what is to be made."""
    base = highest(world)
    if part.role.kind == "rollback":
        yield from _plan_rollback(part, world, base)
        return
    run, kept, tasks = aim(part, world, base)
    if not tasks and base:
        yield Move("finds nothing new", world, Actor("look", base=base))
    else:
        at = "begin" if part.rules.collected else "resume"
        yield Move(f"plans {run}", world, Actor(at, base=base, run=run, names=(*kept, run), todo=tasks))


def _plan_rollback(part: Part, world: World, base: int) -> Iterator[Move]:
    relative = part.rules.wrong("a rollback goes one version back")
    old, newest = commit_of(world, base - 1 if relative else part.role.wanted), commit_of(world, base)
    if old.names == newest.names and not relative:
        yield Move("finds the wanted runs", world, Actor("look", base=base))
    else:
        at = "begin" if part.rules.collected else "check"
        yield Move(f"plans to restore {old.names}", world, Actor(at, base=base, names=old.names))


def begin(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Tell collections that somebody works on the runs that the commit will name."""
    if part.rules.wrong("a rollback tells nobody") and not me.run:
        yield Move("goes on", world, me._replace(at="asked"))
    else:
        yield Move("raises its flags", world._replace(flags=world.flags | set(me.names)), me._replace(at="asked"))


def asked(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """After the flags: whether a collection was there first. One of the two always sees the other."""
    if world.marks & set(me.names) and not part.rules.wrong("drivers ignore the marks of a collection"):
        yield Move("meets a collection", world, ended(me, COLLECTING))
    elif me.run:
        yield Move("sees no mark", world, me._replace(at="resume"))
    else:
        yield Move("sees no mark", world, me._replace(at="check"))


def resume(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """List receipts and files: what has both is done."""
    finished = {file for owner, file in world.receipts if owner == me.run}
    if not part.rules.wrong("receipts are trusted without their files"):
        names = {file.name for file in files_of(world, me.run)}
        finished = {file for file in finished if file.name in names}
    if part.rules.wrong("a resume starts from nothing"):
        finished = set()
    missing = tuple(task for task in me.todo if task.unit not in {file.unit for file in finished})
    if part.rules.wrong("a commit before all units have receipts"):
        missing = missing[:1]
    at = "data" if missing else "publish"
    yield Move("lists receipts", world, me._replace(at=at, todo=missing, held=frozenset(finished)))


def data(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Score the next unit, or take it over, and create its file; one that is there stands."""
    task = me.todo[0]
    file = _made(part, world, me)
    if file is None:
        yield Move(f"misses {task.unit} of {task.source}", world, ended(me, STORAGE))
        return
    for after, told in create_data(part, world, me.run, file):
        if told == "unknown":
            yield Move("hears nothing of a file", after, ended(me, UNKNOWN))
        else:
            standing = next(found for found in files_of(after, me.run) if found.name == file.name)
            todo = (standing, *me.todo[1:])
            yield Move(f"creates {file.name}: {told}", after, me._replace(at="receipt", todo=todo))


def _made(part: Part, world: World, me: Actor) -> File | None:
    task = me.todo[0]
    if not task.source:
        return file_of(part.rules, me.run, task.unit, str(part.number))
    return next((file for file in files_of(world, task.source) if file.unit == task.unit), None)


def receipt(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Create the unit's receipt; one that is there stands, if it is for the same bytes."""
    file = me.todo[0]
    for after, told in create_receipt(world, me.run, file):
        if told == "unknown":
            yield Move("hears nothing of a receipt", after, ended(me, UNKNOWN))
        elif receipt_of(after, me.run, file.unit) != file:
            yield Move("finds a receipt for other bytes", after, ended(me, STORAGE))
        else:
            rest, held = me.todo[1:], me.held | {file}
            yield Move(f"creates its receipt: {told}", after, _next(me, rest, held))


def _next(me: Actor, rest: tuple, held: Files) -> Actor:
    return me._replace(at="data" if rest else "publish", todo=rest, held=held)


def publish(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """A run that is the newest version already is not published twice."""
    newest = commit_of(world, highest(world))
    if newest is not None and newest.names == me.names:
        yield Move("finds itself published", world, Actor("look", base=me.base))
    else:
        yield from _manifest(world, me)


def _manifest(world: World, me: Actor) -> Iterator[Move]:
    """Create the list of the run's units; one that is there stands."""
    for after, told in create_manifest(world, me.run, me.held):
        if told == "unknown":
            yield Move("hears nothing of the manifest", after, ended(me, UNKNOWN))
        else:
            yield Move(f"creates the manifest: {told}", after, me._replace(at="check", held=frozenset()))


def check(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Each run that nobody else vouches for must have exactly the files that its manifest lists."""
    runs = (me.run,) if me.run else me.names
    if part.rules.wrong("a rollback checks no files") and not me.run:
        runs = ()
    if all(_as_listed(world, run) for run in runs) or part.rules.wrong("no check of the listing"):
        yield Move("compares the listing", world, _staging(part, me))
    else:
        yield Move("misses files of a run", world, ended(me, STORAGE))


def _as_listed(world: World, run: str) -> bool:
    listed = manifest_of(world, run)
    return listed is not None and {file.name for file in listed} == {file.name for file in files_of(world, run)}


def _staging(part: Part, me: Actor) -> Actor:
    after = me._replace(target=me.base + 1)
    if part.rules.wrong("pointers before the commit"):
        return after._replace(at="latest", newest=after.target)
    return after._replace(at="stage" if part.rules.local else "commit")


def stage(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Give the version's folder, which has no place yet, one more link; go on when it is whole."""
    yield from linked(part, world, me, _wanted(world, me), whole="commit")


def _wanted(world: World, me: Actor) -> Commit:
    return Commit(tuple((run, manifest_of(world, run) or frozenset()) for run in me.names))


def commit(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Create the commit of the version after the one that was planned on: the only step that publishes."""
    me = _rebased(part, world, me)
    for after, told in create_commit(part, world, me.base + 1, _wanted(world, me)):
        said = f"creates commit {me.base + 1}: {told}"
        if told == "created":
            yield Move(said, after, _published(me))
        elif told == "lost":
            yield from _unanswered(part, said, after, me)
        else:
            yield from _taken(part, said, after, me)


def _rebased(part: Part, world: World, me: Actor) -> Actor:
    base = highest(world)
    if part.rules.wrong("a set difference with an old manifest"):
        return me._replace(base=base, names=(*(commit_of(world, base) or Commit(())).names, me.run))
    if part.rules.wrong("a commit over a base that moved"):
        return me._replace(base=base)
    return me


def _published(me: Actor) -> Actor:
    return Actor("look", base=me.base, target=me.target, held=me.held, names=me.names)


def _unanswered(part: Part, said: str, world: World, me: Actor) -> Iterator[Move]:
    if part.rules.wrong("no read-back after a lost answer"):
        yield Move(said, world, ended(me, CONFLICT))
    elif part.rules.wrong("silence counts as success"):
        yield Move(said, world, _published(me))
    else:
        yield Move(said, world, me._replace(at="ask"))


def ask(part: Part, world: World, me: Actor) -> Iterator[Move]:
    """Read the commit back: it tells whose it is. Nothing there: send the same again. No answer again: unknown."""
    if commit_of(world, me.base + 1) is None:
        yield Move("reads nothing back", world, me._replace(at="commit"))
    else:
        yield from _taken(part, "reads the commit back", world, me)
    cleaned = _cleaned(part, world, me)
    yield Move("gives up asking", cleaned, ended(me, UNKNOWN))


def _taken(part: Part, said: str, world: World, me: Actor) -> Iterator[Move]:
    """Somebody's commit is there: a driver of the same runs made it, or the version is another's."""
    mine = commit_of(world, me.base + 1).names == me.names
    if mine and not part.rules.wrong("twins take each other for strangers"):
        yield Move(f"{said}, ours", world, _published(me))
    else:
        yield Move(f"{said}, another's", _cleaned(part, forgotten(part, world, me), me), ended(me, CONFLICT))


def _cleaned(part: Part, world: World, me: Actor) -> World:
    """Nothing is ever cleaned up, except by mistake."""
    if not part.rules.wrong("cleaning up when the commit fails"):
        return world
    return world._replace(data=frozenset(pair for pair in world.data if pair[0] != me.run))
