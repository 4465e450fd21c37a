"""What a driver aims at: the runs that its commit will name, and the units that it has to make."""

from __future__ import annotations

from typing import NamedTuple

from tests.protocol.world import Commit, File, Part, Role, Rules, World, commit_of, manifest_of


class Task(NamedTuple):
    """A unit to make: scored, or taken over as it is from a run that does not stay whole."""

    unit: str
    source: str = ""


class Aim(NamedTuple):
    """The run to make, the runs that stay beside it, and the run's units."""

    run: str
    kept: tuple[str, ...]
    tasks: tuple[Task, ...]


def aim(part: Part, world: World, base: int) -> Aim:
    """What the same command always aims at when it finds the same version."""
    role, commit = part.role, commit_of(world, base)
    if role.kind == "replace":
        return Aim(role.run, (), tuple(Task(unit) for unit in role.inputs))
    return _appended(part, world, commit) if commit else _whole(role.run, role.inputs, (), ())


def _appended(part: Part, world: World, commit: Commit) -> Aim:
    """The set difference with the manifests: new files, and files that changed since they were scored."""
    listed = {run: manifest_of(world, run) or frozenset() for run in commit.names}
    now = {unit[0]: unit for unit in part.role.inputs}
    superseded = {file for files in listed.values() for file in files if now.get(file.path, file.unit) != file.unit}
    staying = {file.path for files in listed.values() for file in files - superseded}
    kept = tuple(run for run, files in listed.items() if not files & superseded)
    if part.rules.wrong("superseded units stay"):
        kept, superseded = commit.names, set()
    adopted = tuple((file, run) for run, files in listed.items() if run not in kept for file in files - superseded)
    return _whole(part.role.run, tuple(now[path] for path in sorted(now.keys() - staying)), adopted, kept)


def _whole(recipe: str, units: tuple[str, ...], adopted: tuple[tuple[File, str], ...], kept: tuple[str, ...]) -> Aim:
    """The run whose key follows from what it scores and what it takes over."""
    key = recipe + ",".join([*units, *sorted(file.name for file, _ in adopted)])
    tasks = [Task(unit) for unit in units] + [Task(file.unit, source) for file, source in sorted(adopted)]
    return Aim(key, kept, tuple(tasks))


def file_of(rules: Rules, run: str, unit: str, made: str) -> File:
    """The file that an attempt at a unit makes; its name depends on run and unit alone."""
    name = f"{unit}-{run}"
    if rules.wrong("random names of unit files"):
        name += f"-{made}"
    if rules.wrong("file names without the key of the run"):
        name = unit
    return File(name, unit, run if rules.same_bytes else f"{run} {made}")


def planned(role: Role) -> frozenset[str]:
    """The input files that a driver promises to have in the version."""
    return frozenset(unit[0] for unit in role.inputs)
