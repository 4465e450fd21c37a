"""Every step that anybody can take: those of drivers, collections and readers, and what fate does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.protocol import collecting, driving, leading, reading
from tests.protocol.creating import landed
from tests.protocol.world import BETWEEN_LIVES, LEADING, Actor, Move, Part, Role, Rules, World, highest

Step = Callable[[Part, World, Actor], Iterator[Move]]

STEPS: Mapping[str, Step] = {
    "begin": driving.begin,
    "asked": driving.asked,
    "resume": driving.resume,
    "data": driving.data,
    "receipt": driving.receipt,
    "publish": driving.publish,
    "check": driving.check,
    "stage": driving.stage,
    "commit": driving.commit,
    "ask": driving.ask,
    "look": leading.look,
    "place": leading.place,
    "fill": leading.fill,
    "rename": leading.rename,
    "hasty": leading.hasty,
    "point": leading.point,
    "latest": leading.latest,
    "choose": collecting.choose,
    "next": collecting.next_one,
    "recheck": collecting.recheck,
    "delete": collecting.delete,
    "list": reading.list_next,
    "open": reading.open_next,
    "late receipt": reading.late_receipt,
}
FIRST: Mapping[str, Step] = {
    "replace": driving.plan,
    "append": driving.plan,
    "rollback": driving.plan,
    "gc": collecting.survey,
    "reader": reading.follow,
    "straggler": reading.attempt_again,
}
MORTAL = frozenset({"replace", "append", "rollback", "gc"})


@dataclass(frozen=True)
class Scenario:
    """A world to begin with, and what its actors are there for."""

    name: str
    roles: tuple[Role, ...]
    start: World
    rules: Rules

    @property
    def parts(self) -> tuple[Part, ...]:
        """The actors' places."""
        return tuple(Part(number, role, self.rules) for number, role in enumerate(self.roles))


@dataclass(frozen=True)
class Taken:
    """A step that was taken: by which actor (None for fate), from where to where."""

    number: int | None
    said: str
    before: World
    after: World


def taken_from(scenario: Scenario, parts: tuple[Part, ...], world: World) -> Iterator[Taken]:
    """Every step that can be taken in a world."""
    for part in parts:
        yield from _of_actor(part, world)
    yield from _of_fate(scenario, parts, world)


def _of_actor(part: Part, world: World) -> Iterator[Taken]:
    me = world.actors[part.number]
    if me.at == "done":
        return
    starts = me.at in BETWEEN_LIVES
    step = FIRST[part.role.kind] if starts else STEPS[me.at]
    for move in step(part, world, me):
        yield _taken(part, world, move)
    if world.kills and not starts and part.role.kind in MORTAL:
        dead = Actor("dead", leading=me.at in LEADING)
        yield _taken(part, world, Move("is killed", world._replace(kills=world.kills - 1), dead))


def _taken(part: Part, before: World, move: Move) -> Taken:
    number = part.number
    me = move.me
    if before.actors[number].leading and me.at != "done":
        me = me._replace(leading=True)
    actors = (*move.world.actors[:number], me, *move.world.actors[number + 1 :])
    return Taken(number, move.said, before, move.world._replace(actors=actors))


def _of_fate(scenario: Scenario, parts: tuple[Part, ...], world: World) -> Iterator[Taken]:
    for request in world.late:
        number, version, commit = request
        after = landed(parts[number], world._replace(late=world.late - {request}), version, commit)
        yield Taken(None, f"the request for commit {version} arrives late", world, after)
    if world.ages and not world.late and all(me.at in BETWEEN_LIVES for me in world.actors):
        stale = frozenset(entry[:2] for entry in world.staged)
        older = world._replace(ages=world.ages - 1, settled=highest(world), flags=frozenset(), stale=stale)
        yield Taken(None, "the retention passes", world, older)
