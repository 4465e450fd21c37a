"""Collection: the only place that deletes anything of a data set, and only when it is asked to."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from scoreline.dataset.commits import read_commit, versions
from scoreline.dataset.layout import Layout
from scoreline.dataset.versions import lead_readers, newest_version, pointed_versions
from scoreline.errors import counted
from scoreline.storage import delete, delete_tree, exists, is_s3, join, list_names, newest_change, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from scoreline.dataset.commits import Commit


@dataclass(frozen=True)
class Collected:
    """What a collection deleted, or would delete.

    Attributes
    ----------
    runs : score_keys of runs that no kept version has, or that never were published, all of it old
    versions : local folders of versions that are not kept
    leftovers : local folders that an interrupted driver left half filled
    kept : versions that stay
    deleted : False when it was only asked what would go
    """

    uri: str
    runs: tuple[str, ...]
    versions: tuple[int, ...]
    leftovers: tuple[str, ...]
    kept: tuple[int, ...]
    deleted: bool

    def as_json(self) -> dict[str, object]:
        """All fields as JSON values."""
        return {
            "uri": self.uri,
            "runs": list(self.runs),
            "versions": list(self.versions),
            "leftovers": list(self.leftovers),
            "kept": list(self.kept),
            "deleted": self.deleted,
        }

    def lines(self) -> list[str]:
        """The result as a person reads it."""
        did = "deleted" if self.deleted else "would go"
        found = f"{counted(len(self.runs), 'run')}, {counted(len(self.versions), 'version')}"
        said = [f"kept         versions {', '.join(map(str, self.kept))}", f"{did:<12} {found}"]
        said += [f"  run {run}" for run in self.runs]
        if not self.deleted and (self.runs or self.versions or self.leftovers):
            said.append("nothing was deleted; the same command with --yes does it")
        return said


def collect(uri: str, *, keep: int, older_than: float, delete_them: bool) -> Collected:
    """Delete runs that no kept version has and that nobody touched for `older_than` seconds.

    Kept are the `keep` newest versions, those that were current within `older_than`, and those that readers are led to.
    With the runs go folders of links of other versions. Commits stay: they are the history. Eager; a few listings for
    each run. A run whose files are gone is computed again by the command that made it. One collection at a time.
    Raises DataError when nothing was published there.
    """
    layout, since = Layout(uri, ""), time.time() - older_than
    led = pointed_versions(layout)
    if delete_them:
        lead_readers(layout, newest_version(layout))
    chosen = _choice(layout, keep, since, led)
    folders, leftovers = ((), ()) if is_s3(layout.store) else _local_folders(layout, chosen.old, since)
    if delete_them:
        chosen = _delete_runs(layout, chosen, lambda: _choice(layout, keep, since, led))
        for place in (*map(layout.version, folders), *leftovers):
            delete_tree(place)
    return Collected(uri, chosen.runs, folders, leftovers, chosen.kept, delete_them)


@dataclass(frozen=True)
class _Choice:
    """What may go: runs, and the versions none of whose folders is needed; and the versions that are kept."""

    runs: tuple[str, ...]
    old: frozenset[int]
    kept: tuple[int, ...]


def _choice(layout: Layout, keep: int, since: float, led: set[int]) -> _Choice:
    newest_version(layout)
    commits = [read_commit(layout, version) for version in versions(layout)]
    # A version is left by readers when the next one comes, not when it came itself.
    left = {commit.version: _time_of(after) <= since for commit, after in pairwise(commits)}
    kept = [c for c in commits if c in commits[-keep:] or c.version in led or not left[c.version]]
    staying = {name for commit in kept for name in commit.names}
    begun = set(list_names(layout.marks))
    runs = (run for run in sorted((_runs(layout) | begun) - staying) if _last_touched(layout.of(run)) <= since)
    old = frozenset(commit.version for commit in commits if commit not in kept)
    return _Choice(tuple(runs), old, tuple(commit.version for commit in kept))


def _delete_runs(layout: Layout, chosen: _Choice, choose_again: Callable[[], _Choice]) -> _Choice:
    """Mark the chosen runs, look again whether somebody took one up meanwhile, and delete the others."""
    for run in map(layout.of, chosen.runs):
        replace(run.mark, b"")
    again = choose_again()
    for run in map(layout.of, chosen.runs):
        if run.score_key in again.runs:
            _delete(run)
        delete(run.mark)
    return dataclasses.replace(again, runs=tuple(run for run in chosen.runs if run in again.runs))


def _delete(layout: Layout) -> None:
    """Delete a run: what vouches for files before the files, so that a run half deleted is one to compute again."""
    delete(layout.manifest)
    for place in (layout.receipts, layout.run, layout.quarantine):
        delete_tree(place)
    delete(layout.plan)


def _time_of(commit: Commit) -> float:
    return datetime.fromisoformat(commit.created).timestamp()


def _runs(layout: Layout) -> set[str]:
    """The score_keys of all runs of which anything is there."""
    found = {name for folder in ("runs", "receipts", "quarantine") for name in list_names(join(layout.store, folder))}
    found |= {name.removesuffix(".json") for name in list_names(layout.plans)}
    return found | {name.removesuffix(".ndjson") for name in list_names(layout.manifests)}


def _last_touched(layout: Layout) -> float:
    """When anything of a run was written last: also when a driver began to work on it again."""
    changes = (
        newest_change(place) for place in (layout.run, layout.quarantine, layout.receipts, layout.plan, layout.manifest)
    )
    return max((change for change in changes if change is not None), default=0.0)


def _local_folders(layout: Layout, old: frozenset[int], since: float) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The folders of old versions that are there, and what interrupted drivers left half filled."""
    if not exists(layout.versions):
        return (), ()
    there = list(Path(layout.versions).iterdir())
    folders = sorted(int(path.name) for path in there if path.name.isdigit() and int(path.name) in old)
    left = sorted(str(path) for path in there if path.name.startswith(".") and path.stat().st_mtime <= since)
    return tuple(folders), tuple(left)
