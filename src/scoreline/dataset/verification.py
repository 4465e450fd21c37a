"""Verification: everything of a data set read back and compared with what commits, manifests and receipts say."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from scoreline.dataset.claims import is_collected
from scoreline.dataset.commits import read_commit, versions
from scoreline.dataset.layout import Layout
from scoreline.dataset.manifests import read_manifest
from scoreline.dataset.plans import read_plan
from scoreline.dataset.versions import newest_version, pointer
from scoreline.errors import DataError, Problem, StorageError, counted
from scoreline.storage import exists, is_s3, join, list_names, list_sizes, read_bytes, sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scoreline.dataset.commits import Commit, PublishedRun
    from scoreline.dataset.manifests import Manifest
    from scoreline.dataset.receipts import Receipt, StoredFile

Item = TypeVar("Item")

_READERS = 8


@dataclass(frozen=True)
class Verification:
    """What was read back.

    Attributes
    ----------
    versions, runs, files, bytes : how much was compared
    problems : whatever is not as it was written
    collected : versions whose files were deleted by a collection; nothing is left of them to compare
    """

    uri: str
    versions: int
    runs: int
    files: int
    bytes: int
    problems: tuple[Problem, ...]
    collected: tuple[int, ...] = ()

    def as_json(self) -> dict[str, object]:
        """All fields as JSON values."""
        found = [{"what": p.what, "where": p.where, "advice": p.advice} for p in self.problems]
        return {
            "uri": self.uri,
            "versions": self.versions,
            "runs": self.runs,
            "files": self.files,
            "bytes": self.bytes,
            "collected": list(self.collected),
            "problems": found,
        }

    def lines(self) -> list[str]:
        """The result as a person reads it."""
        read = f"{counted(self.versions, 'version')}, {counted(self.runs, 'run')}, {counted(self.files, 'file')}"
        gone = f"; collected: {', '.join(map(str, self.collected))}" if self.collected else ""
        return [f"verified     {read} ({self.bytes:,} bytes){gone}: all as they were written"]


def verify(uri: str) -> Verification:
    """Read every commit, manifest, receipt and file of a data set, whole, and compare their hashes.

    Eager; reads all bytes once, in threads. Finds any changed bit, and anything that is missing of versions that were
    not collected. Raises DataError when nothing was published there.
    """
    layout = Layout(uri, "")
    if not versions(layout):
        newest_version(layout)
    problems = [*_gaps(layout)]
    commits = list(_read(layout, problems))
    runs = {run.run: run for commit in commits for run in commit.runs}
    left = {name: run for name, run in runs.items() if not is_collected(layout.of(name))}
    checked = {name: _checked_run(layout.of(name), run) for name, run in left.items()}
    problems += [problem for run in checked.values() for problem in run.problems]
    gone = tuple(commit.version for commit in commits if not set(commit.names) <= set(left))
    for commit in commits:
        if commit.version not in gone:
            problems += _links(layout, commit, [file for name in commit.names for file in checked[name].data])
    # What is current is not known where the newest commit cannot be read.
    if commits and commits[-1].version == max(versions(layout)):
        problems += _pointers(layout, commits[-1])
        if commits[-1].version in gone:
            problems.append(Problem("files of the current version are gone", layout.uri, _AGAIN))
    files = [file for run in checked.values() for file in run.files]
    return Verification(
        uri, len(commits), len(checked), len(files), sum(file.size for file in files), tuple(problems), gone
    )


_AGAIN = "run the config again to make them again, or roll back to another version"
_RESTORE = "restore it from a copy, or delete it and run the config again to make it again"


@dataclass(frozen=True)
class _Checked:
    """A run after its files were read: what it consists of, and what is wrong."""

    data: tuple[StoredFile, ...]
    files: tuple[StoredFile, ...]
    problems: tuple[Problem, ...]


def _read(layout: Layout, problems: list[Problem]) -> Iterator[Commit]:
    for version in versions(layout):
        try:
            yield read_commit(layout, version)
        except StorageError as error:
            problems += error.problems


def _gaps(layout: Layout) -> Iterator[Problem]:
    known = versions(layout)
    for version in sorted(set(range(1, max(known) + 1)) - set(known)):
        yield Problem(f"the commit of version {version} is gone", layout.commit(version), "restore it from a copy")


def _checked_run(layout: Layout, published: PublishedRun) -> _Checked:
    try:
        manifest = read_manifest(layout)
    except (StorageError, DataError) as error:
        return _Checked((), (), error.problems)
    problems: list[Problem] = []
    if manifest.sha256 != published.manifest_sha256:
        problems.append(Problem("a manifest is not what was written", layout.manifest, _RESTORE))
    data = tuple(receipt.data for receipt in manifest.receipts)
    files = tuple(file for receipt in manifest.receipts for file in receipt.stored)
    problems += _in_threads(partial(_file_problem, layout), files)
    problems += _in_threads(partial(_receipt_problem, layout), manifest.receipts)
    problems += [*_strangers(layout, manifest), *_plan_problems(layout)]
    return _Checked(data, files, tuple(problems))


def _in_threads(ask: Callable[[Item], Problem | None], items: Sequence[Item]) -> list[Problem]:
    with ThreadPoolExecutor(_READERS) as pool:
        return [problem for problem in pool.map(ask, items) if problem is not None]


def _file_problem(layout: Layout, file: StoredFile) -> Problem | None:
    uri = join(layout.store, file.path)
    try:
        found = sha256_of(uri)
    except DataError:
        return Problem("a file is gone", uri, _AGAIN)
    return None if found == file.sha256 else Problem("a file is not what was written", uri, _RESTORE)


def _receipt_problem(layout: Layout, receipt: Receipt) -> Problem | None:
    uri = layout.receipt(receipt.unit)
    try:
        found = read_bytes(uri)
    except DataError:
        return Problem("a receipt is gone", uri, "the manifest has a copy; nothing needs to be done")
    return None if found == receipt.as_line() else Problem("a receipt is not what was written", uri, _RESTORE)


def _strangers(layout: Layout, manifest: Manifest) -> Iterator[Problem]:
    listed = {receipt.data.name for receipt in manifest.receipts}
    for name in sorted(set(list_sizes(layout.data)) - listed):
        yield Problem("a file is there that no unit wrote", join(layout.data, name), "remove it: readers on S3 see it")


def _plan_problems(layout: Layout) -> Iterator[Problem]:
    try:
        plan = read_plan(layout)
    except StorageError:
        yield Problem("the plan of a run is damaged", layout.plan, _RESTORE)
        return
    if plan is None:
        yield Problem("the plan of a run is gone", layout.plan, _RESTORE)
    elif plan.key != layout.score_key or plan.as_bytes() != read_bytes(layout.plan):
        yield Problem("the plan of a run is not what was written", layout.plan, _RESTORE)


def _links(layout: Layout, commit: Commit, files: Sequence[StoredFile]) -> Iterator[Problem]:
    """What is wrong with a version's folder of links, where there is one."""
    folder = layout.version(commit.version)
    if is_s3(layout.store) or not exists(folder):
        return
    there = set(list_names(folder))
    if there != {file.name for file in files}:
        what = f"the folder of version {commit.version} does not hold the files that its commit names"
        yield Problem(what, folder, "delete the folder: the command that publishes there makes it again")
    for file in files:
        place, linked = Path(folder, file.name), Path(join(layout.store, file.path))
        if (
            file.name in there
            and not (linked.exists() and place.samefile(linked))
            and sha256_of(str(place)) != file.sha256
        ):
            yield Problem("a file is not what was written", str(place), _RESTORE)


def _pointers(layout: Layout, newest: Commit) -> Iterator[Problem]:
    advice = "run the config again: it leads readers to the current version"
    led = is_s3(layout.store) or os.path.realpath(layout.link) == os.path.realpath(layout.version(newest.version))
    if not led:
        yield Problem(f"the link does not lead to version {newest.version}, the current one", layout.link, advice)
    if not exists(layout.latest) or read_bytes(layout.latest) != pointer(newest):
        yield Problem(f"latest.json does not tell of version {newest.version}, the current one", layout.latest, advice)
