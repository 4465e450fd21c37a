"""Creating what must not exist yet, with answers that get lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.protocol.world import Commit, File, Files, Part, World, commit_of, files_of, manifest_of


class Answer(NamedTuple):
    """The world after a request, and what its sender was told: created, exists, unknown, or lost on the way."""

    world: World
    told: str


def create_data(part: Part, world: World, run: str, file: File) -> Iterator[Answer]:
    """A unit's file."""
    standing = {found for found in files_of(world, run) if found.name == file.name}
    if part.rules.wrong("a plain PUT of unit files"):
        rest = world.data - {(run, found) for found in standing}
        yield Answer(world._replace(data=rest | {(run, file)}), "created")
        return
    made = world if standing else world._replace(data=world.data | {(run, file)})
    yield from _answers(world, made, bool(standing))


def create_receipt(world: World, run: str, file: File) -> Iterator[Answer]:
    """The record that a unit is done."""
    there = receipt_of(world, run, file.unit) is not None
    made = world if there else world._replace(receipts=world.receipts | {(run, file)})
    yield from _answers(world, made, there)


def create_manifest(world: World, run: str, files: Files) -> Iterator[Answer]:
    """The list of a run's units."""
    there = manifest_of(world, run) is not None
    made = world if there else world._replace(manifests=world.manifests | {(run, files)})
    yield from _answers(world, made, there)


def receipt_of(world: World, run: str, unit: str) -> File | None:
    """The file that a unit's receipt vouches for."""
    return next((file for owner, file in world.receipts if owner == run and file.unit == unit), None)


def _answers(world: World, made: World, there: bool) -> Iterator[Answer]:
    """The plain answer; or none that can be found out, whether the request arrived or not."""
    yield Answer(made, "exists" if there else "created")
    if world.losses:
        yield Answer(made._replace(losses=world.losses - 1), "unknown")
        yield Answer(world._replace(losses=world.losses - 1), "unknown")


def create_commit(part: Part, world: World, version: int, commit: Commit) -> Iterator[Answer]:
    """A commit: its answer may get lost when it was taken, when it was not, and while it is still on its way."""
    made = landed(part, world, version, commit)
    yield Answer(made, "created" if commit_of(world, version) is None else "exists")
    if world.losses:
        yield Answer(made._replace(losses=world.losses - 1), "lost")
        yield Answer(world._replace(losses=world.losses - 1), "lost")
        on_its_way = world.late | {(part.number, version, commit)}
        yield Answer(world._replace(losses=world.losses - 1, late=on_its_way), "lost")


def landed(part: Part, world: World, version: int, commit: Commit) -> World:
    """The world after a request for a commit arrived."""
    standing = commit_of(world, version)
    if standing is None:
        return world._replace(commits=world.commits | {(version, commit)})
    if part.rules.wrong("a plain PUT of commits"):
        return world._replace(commits=(world.commits - {(version, standing)}) | {(version, commit)})
    return world
