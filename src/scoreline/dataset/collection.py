"""Collection: the only place that deletes anything of a data set, and only when it is asked to."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scoreline.dataset.commits import read_commit, versions
from scoreline.dataset.layout import Layout
from scoreline.dataset.versions import newest_version
from scoreline.errors import counted
from scoreline.storage import delete, delete_tree, exists, is_s3, join, list_names, newest_change

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """Delete runs that none of the `keep` newest versions has and that nobody touched for `older_than` seconds.

    With them go folders of links of older versions. Commits stay: they are the history. Eager; a few listings for each
    run. A run whose files are gone is computed again by the command that made it. Raises DataError when nothing was
    published there.
    """
    layout = Layout(uri, "")
    newest_version(layout)
    commits = [read_commit(layout, version) for version in versions(layout)]
    kept, since = commits[-keep:], time.time() - older_than
    staying = {name for commit in commits if commit in kept or _time_of(commit) > since for name in commit.names}
    runs = tuple(run for run in sorted(_runs(layout) - staying) if _last_touched(layout.of(run)) <= since)
    old = {commit.version for commit in commits if commit not in kept and _time_of(commit) <= since}
    folders, leftovers = ((), ()) if is_s3(layout.store) else _local_folders(layout, old, since)
    if delete_them:
        _delete(layout, runs, folders, leftovers)
    return Collected(uri, runs, folders, leftovers, tuple(commit.version for commit in kept), delete_them)


def _time_of(commit: Commit) -> float:
    return datetime.fromisoformat(commit.created).timestamp()


def _runs(layout: Layout) -> set[str]:
    """The score_keys of all runs of which anything is there."""
    found = {*list_names(layout.runs), *list_names(join(layout.store, "receipts"))}
    found |= {*list_names(join(layout.store, "quarantine"))}
    found |= {name.removesuffix(".json") for name in list_names(layout.plans)}
    return found | {name.removesuffix(".ndjson") for name in list_names(layout.manifests)}


def _places(layout: Layout) -> tuple[str, ...]:
    """What a run has besides its plan and manifest: data first, so that a run half deleted is one to compute again."""
    return (layout.run, layout.quarantine, layout.receipts)


def _last_touched(layout: Layout) -> float:
    """When anything of a run was written last: also when a driver began to work on it again."""
    changes = (newest_change(place) for place in (*_places(layout), layout.plan, layout.manifest))
    return max((change for change in changes if change is not None), default=0.0)


def _local_folders(layout: Layout, old: set[int], since: float) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The folders of old versions that are there, and what interrupted drivers left half filled."""
    if not exists(layout.versions):
        return (), ()
    there = list(Path(layout.versions).iterdir())
    folders = sorted(int(path.name) for path in there if path.name.isdigit() and int(path.name) in old)
    left = sorted(str(path) for path in there if path.name.startswith(".") and path.stat().st_mtime <= since)
    return tuple(folders), tuple(left)


def _delete(layout: Layout, runs: Iterable[str], folders: Iterable[int], leftovers: Iterable[str]) -> None:
    for version in folders:
        delete_tree(layout.version(version))
    for place in leftovers:
        delete_tree(place)
    for run in map(layout.of, runs):
        for place in _places(run):
            delete_tree(place)
        delete(run.manifest)
        delete(run.plan)
