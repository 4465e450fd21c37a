"""Small worlds in which everything that can go wrong goes wrong: who is there, and what was published before."""

from __future__ import annotations

from dataclasses import replace

from tests.protocol.moves import Scenario
from tests.protocol.planning import file_of
from tests.protocol.world import Actor, Commit, Role, Rules, World

LOCAL, S3, SAME_BYTES = Rules(), Rules(local=False), Rules(local=False, same_bytes=True)


def published(rules: Rules, *versions: tuple[str, tuple[str, ...]]) -> World:
    """A store with versions of one run each, published long before the retention began; pointers at the newest."""
    runs = {run: frozenset(file_of(rules, run, unit, "old") for unit in units) for run, units in versions}
    entries = frozenset((run, file) for run, files in runs.items() for file in files)
    links = frozenset((number, file) for number, (run, _) in enumerate(versions, 1) for file in runs[run])
    return World(
        data=entries,
        receipts=entries,
        manifests=frozenset(runs.items()),
        commits=frozenset((number, Commit(((run, runs[run]),))) for number, (run, _) in enumerate(versions, 1)),
        folders=links if rules.local else frozenset(),
        link=len(versions) if rules.local else 0,
        latest=len(versions),
        settled=len(versions),
    )


def scenario(name: str, start: World, roles: tuple[Role, ...], rules: Rules) -> Scenario:
    """A scenario with everybody still at home."""
    start = start._replace(actors=(Actor(),) * len(roles))
    rules = replace(rules, collected=any(role.kind == "gc" for role in roles))
    return Scenario(f"{name}, {'local' if rules.local else 'S3'}", roles, start, rules)


def one_run(rules: Rules) -> Scenario:
    """One run of two units, killed twice anywhere, two answers lost, and a second attempt at a unit that comes late."""
    roles = (Role("replace", "A", ("f", "g")), Role("straggler", "A", ("f",)))
    return scenario("one run", World(kills=2, losses=2), roles, rules)


def twins(rules: Rules) -> Scenario:
    """One run, driven by two drivers at once."""
    role = Role("replace", "A", ("f",))
    return scenario("twins", World(kills=1, losses=1), (role, role), rules)


def rivals(rules: Rules) -> Scenario:
    """Two different runs that replace, either killed anywhere, on a data set that has a version."""
    roles = (Role("replace", "A", ("f",)), Role("replace", "B", ("f",)))
    start = published(rules, ("O", ("f",)))
    return scenario("rivals", start._replace(kills=1, losses=_losses(rules)), roles, rules)


def _losses(rules: Rules) -> int:
    """Answers get lost on the network; a local folder is searched without that, since it has more steps."""
    return 0 if rules.local else 1


def read_while_replaced(through: str, rules: Rules) -> Scenario:
    """A reader, while a run of two units takes the place of another."""
    roles = (Role("replace", "A", ("f", "g")), Role("reader", through=through))
    start = published(rules, ("O", ("f", "g")))
    return scenario(f"read through {through}", start._replace(kills=1), roles, rules)


def appends(second: tuple[str, ...], name: str, rules: Rules) -> Scenario:
    """Two drivers append new files that are, or are not, the same."""
    roles = (Role("append", "P", ("e", "f")), Role("append", "P", second))
    start = published(rules, ("O", ("e",)))
    return scenario(name, start._replace(kills=1, losses=_losses(rules)), roles, rules)


def append_changed(rules: Rules) -> Scenario:
    """An append that finds a changed file and takes over the other one, while another brings a new file; a reader."""
    roles = (Role("append", "P", ("e+", "f")), Role("append", "P", ("e+", "f", "g")), Role("reader", through="latest"))
    start = published(rules, ("O", ("e", "f")))
    return scenario("append of a changed file", start, roles, rules)


def rollback(other: Role, name: str, rules: Rules) -> Scenario:
    """A rollback, killed anywhere, beside somebody else."""
    start = published(rules, ("A", ("f", "g")), ("B", ("f",)))
    losses = 0 if other.kind == "reader" else _losses(rules)
    return scenario(name, start._replace(kills=1, losses=losses), (BACK, other), rules)


def collected_while(role: Role, name: str, rules: Rules) -> Scenario:
    """A collection beside somebody who needs what nobody needed for long; either is killed anywhere."""
    roles = (role, Role("gc"))
    start = published(rules, ("A", ("f", "g")), ("B", ("f",)))
    return scenario(name, start._replace(kills=1, ages=1), roles, rules)


def collected_while_read(through: str, rules: Rules) -> Scenario:
    """A run replaces another one, which is collected while somebody reads.

    Kills are left out where another scenario has the same steps with them.
    """
    kills = 0 if rules.local and through != "link" else 1
    roles = (Role("replace", "A", ("f",)), Role("gc"), Role("reader", through=through))
    start = published(rules, ("O", ("f", "g")))
    return scenario(f"gc while read through {through}", start._replace(kills=kills, ages=1), roles, rules)


def collected_unfinished(rules: Rules) -> Scenario:
    """A run that was begun and left alone for long is collected when it goes on."""
    roles = (Role("replace", "A", ("f", "g")), Role("gc"))
    start = published(rules, ("O", ("f",)))
    return scenario("gc of an unfinished run", start._replace(kills=1, ages=1), roles, rules)


AGAIN = Role("replace", "A", ("f", "g"))
BACK = Role("rollback", wanted=1)


def every(rules: Rules) -> tuple[Scenario, ...]:
    """All scenarios for one kind of store."""
    doors = ("link", "current", "latest") if rules.local else ("current", "latest")
    return (
        one_run(rules),
        twins(rules),
        rivals(rules),
        *(read_while_replaced(door, rules) for door in doors),
        appends(("e", "g"), "appends of different files", rules),
        appends(("e", "f", "g"), "appends that overlap", rules),
        append_changed(rules),
        rollback(Role("replace", "C", ("f",)), "rollback beside a run", rules),
        rollback(Role("reader", through=doors[0]), "rollback while read", rules),
        collected_while(AGAIN, "gc while its run is published again", rules),
        collected_while(BACK, "gc while its run is restored", rules),
        collected_unfinished(rules),
        *(collected_while_read(door, rules) for door in doors),
    )


def named(name: str, rules: Rules) -> Scenario:
    """The scenario of that name."""
    return next(scenario for scenario in every(rules) if scenario.name.startswith(f"{name}, "))
