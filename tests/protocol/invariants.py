"""What must hold in every world that can be reached, and at every step that leads there."""

from __future__ import annotations

from collections.abc import Callable

from tests.protocol.creating import receipt_of
from tests.protocol.moves import Scenario, Taken
from tests.protocol.planning import planned
from tests.protocol.world import (
    LEADING,
    Actor,
    Commit,
    Role,
    World,
    commit_of,
    files_of,
    folder_of,
    highest,
)

_AFTER_THE_COMMIT = LEADING | {"hasty"}
_SHOWN = World._fields.index("latest") + 1


def a_version_has_every_unit_exactly_once(scenario: Scenario, taken: Taken) -> bool:
    """And an append loses nothing of the version before."""
    if taken.after.commits == taken.before.commits:
        return True
    return all(
        _exactly_once(_role_of(scenario, taken, commit), version, commit, taken.after)
        for version, commit in taken.after.commits - taken.before.commits
    )


def _role_of(scenario: Scenario, taken: Taken, commit: Commit) -> Role:
    if taken.number is not None:
        return scenario.roles[taken.number]
    return next(scenario.roles[number] for number, _, late in taken.before.late if late == commit)


def _exactly_once(role: Role, version: int, commit: Commit, world: World) -> bool:
    paths = sorted(file.path for _, files in commit.runs for file in files)
    if role.kind == "rollback":
        return True
    wanted = set(planned(role))
    if role.kind == "append" and version > 1:
        wanted |= {file.path for file in commit_of(world, version - 1).files}
    return paths == sorted(wanted)


def files_of_kept_versions_are_those_of_their_manifests(scenario: Scenario, taken: Taken) -> bool:
    """Neither gone nor changed nor more, while the version is among the newest or was so within the retention."""
    world, newest = taken.after, highest(taken.after)
    if (world.data, world.commits) == (taken.before.data, taken.before.commits):
        return True
    return all(
        files_of(world, run) == files
        for version, commit in world.commits
        if version > newest - scenario.rules.keep or version >= world.settled
        for run, files in commit.runs
    )


def a_commit_stands_for_ever_and_no_version_is_left_out(_: Scenario, taken: Taken) -> bool:
    """Versions are 1, 2, 3 and so on, each made once."""
    if taken.after.commits == taken.before.commits:
        return True
    numbers = sorted(version for version, _ in taken.after.commits)
    return taken.before.commits <= taken.after.commits and numbers == list(range(1, len(numbers) + 1))


def a_run_is_published_over_the_version_that_it_was_planned_on(_: Scenario, taken: Taken) -> bool:
    """Or else what somebody published meanwhile would silently be replaced."""
    if taken.number is None or taken.after.commits == taken.before.commits:
        return True
    planned_on = taken.before.actors[taken.number].base
    return all(version == planned_on + 1 for version, _ in taken.after.commits - taken.before.commits)


def who_ends_well_has_published(scenario: Scenario, taken: Taken) -> bool:
    """All input of a run that ends with 0 is in a version that was the newest when it began, or later."""
    before, after = _before_and_after(taken)
    if after.code != "0" or before.code == "0" or scenario.roles[taken.number].kind not in {"replace", "append"}:
        return True
    role = scenario.roles[taken.number]
    return any(version >= before.base and _has(commit, role) for version, commit in taken.after.commits)


def _before_and_after(taken: Taken) -> tuple[Actor, Actor]:
    if taken.number is None:
        return Actor(), Actor()
    return taken.before.actors[taken.number], taken.after.actors[taken.number]


def _has(commit: Commit, role: Role) -> bool:
    if role.kind == "replace":
        return commit.names == (role.run,)
    return planned(role) <= {file.path for file in commit.files}


def a_conflict_is_told_only_when_the_version_is_anothers(_: Scenario, taken: Taken) -> bool:
    """So whoever is told so has not published, and twins are never told so."""
    before, after = _before_and_after(taken)
    if after.code != "7 conflict" or before.code == after.code:
        return True
    standing = commit_of(taken.after, before.base + 1)
    return standing is not None and standing.names != before.names


def a_reader_sees_one_version_or_an_error(scenario: Scenario, taken: Taken) -> bool:
    """Never a mixture, never a part."""
    before, after = _before_and_after(taken)
    if after.code != "read" or before.code == after.code:
        return True
    return any(after.held == commit.files for _, commit in taken.after.commits)


def pointers_lead_to_whole_committed_versions(_: Scenario, taken: Taken) -> bool:
    """So a reader that met an error succeeds when it tries again."""
    world, before = taken.after, taken.before
    if world[:_SHOWN] == before[:_SHOWN]:
        return True
    return _link_is_whole(world) and _latest_is_whole(world)


def _link_is_whole(world: World) -> bool:
    commit = commit_of(world, world.link)
    return not world.link or (commit is not None and folder_of(world, world.link) == commit.files)


def _latest_is_whole(world: World) -> bool:
    commit = commit_of(world, world.latest)
    if commit is None:
        return not world.latest
    return all(files_of(world, run) == files for run, files in commit.runs)


def who_ends_well_leaves_pointers_at_the_newest_version(scenario: Scenario, taken: Taken) -> bool:
    """Unless somebody else is about to move them on, or was killed while they were in its hands."""
    before, after = _before_and_after(taken)
    led = after.code == "0" and before.at == "look" and scenario.roles[taken.number].kind != "gc"
    if not led or _at_the_newest(scenario, taken.after):
        return True
    others = (me for number, me in enumerate(taken.after.actors) if number != taken.number)
    return any(me.leading or me.at in _AFTER_THE_COMMIT for me in others) or bool(taken.after.late)


def _at_the_newest(scenario: Scenario, world: World) -> bool:
    newest = highest(world)
    return world.latest == newest and (world.link == newest or not scenario.rules.local)


def a_rollback_restores_exactly_the_wanted_runs(scenario: Scenario, taken: Taken) -> bool:
    """Whatever happened before the same command was given again."""
    if taken.number is None or scenario.roles[taken.number].kind != "rollback":
        return True
    if taken.after.commits == taken.before.commits:
        return True
    wanted = commit_of(taken.after, scenario.roles[taken.number].wanted)
    return all(commit.runs == wanted.runs for _, commit in taken.after.commits - taken.before.commits)


def what_is_done_is_not_computed_again(_: Scenario, taken: Taken) -> bool:
    """A resume computes only units that have no receipt with a file."""
    before, after = _before_and_after(taken)
    if before.at != "resume" or after.at != "data":
        return True
    names = {file.name for file in files_of(taken.before, before.run)}
    standing = (receipt_of(taken.before, before.run, task.unit) for task in after.todo)
    return not any(file is not None and file.name in names for file in standing)


Invariant = Callable[[Scenario, Taken], bool]

INVARIANTS: tuple[Invariant, ...] = (
    a_version_has_every_unit_exactly_once,
    files_of_kept_versions_are_those_of_their_manifests,
    a_commit_stands_for_ever_and_no_version_is_left_out,
    a_run_is_published_over_the_version_that_it_was_planned_on,
    who_ends_well_has_published,
    a_conflict_is_told_only_when_the_version_is_anothers,
    a_reader_sees_one_version_or_an_error,
    pointers_lead_to_whole_committed_versions,
    who_ends_well_leaves_pointers_at_the_newest_version,
    a_rollback_restores_exactly_the_wanted_runs,
    what_is_done_is_not_computed_again,
)

ALL_END_WELL = "from every world some continuation ends well for everybody"


def everybody_ended_well(scenario: Scenario, world: World) -> bool:
    """The end that every world must be able to reach."""
    ended = zip(scenario.roles, world.actors, strict=True)
    return all(_ended_well(role, me) for role, me in ended) and _at_the_newest(scenario, world)


def _ended_well(role: Role, me: Actor) -> bool:
    # What was collected cannot be restored, and saying so is a good end.
    return me.at == "done" or (role.kind == "rollback" and me.code == "5")
