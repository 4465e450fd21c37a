"""The versions of a data set, as its commits tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from scoreline.dataset.claims import is_collected
from scoreline.dataset.commits import read_commit, versions
from scoreline.dataset.layout import Layout
from scoreline.dataset.publication import roll_back
from scoreline.dataset.versions import newest_version, where
from scoreline.errors import counted

if TYPE_CHECKING:
    from scoreline.dataset.commits import Commit


@dataclass(frozen=True)
class History:
    """All versions, oldest first, and those of them whose files were collected."""

    uri: str
    commits: tuple[Commit, ...]
    collected: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return {"uri": self.uri, "versions": [self._told(commit) for commit in self.commits]}

    def _told(self, commit: Commit) -> dict[str, Any]:
        account = {name: getattr(commit, name) for name in ("files", "rows_in", "predicted", "quarantined", "filtered")}
        runs = [asdict(run) for run in commit.runs]
        told = {"version": commit.version, "kind": commit.kind, "created": commit.created, **account, "runs": runs}
        return {**told, "collected": commit.version in self.collected}

    def lines(self) -> list[str]:
        """As a person reads it."""
        return [self._line(commit) for commit in self.commits]

    def _line(self, commit: Commit) -> str:
        rows = f"{commit.predicted:,} predicted, {commit.quarantined:,} quarantined, {commit.filtered:,} filtered"
        gone = "; collected" if commit.version in self.collected else ""
        runs = f"{counted(len(commit.runs), 'run')}, the last {commit.run[:10]}"
        return f"{commit.version:>5}  {commit.created}  {commit.kind:<8} {rows}; {runs}{gone}"


@dataclass(frozen=True)
class Current:
    """Where the newest version of a data set is."""

    uri: str
    version: int
    folders: tuple[str, ...]
    rows: int

    def as_json(self) -> dict[str, Any]:
        """All fields as JSON values."""
        return {**vars(self), "folders": list(self.folders)}

    def lines(self) -> list[str]:
        """The folders alone, one a line, for programs that read them."""
        return list(self.folders)


def history(uri: str) -> History:
    """All versions of a data set; eager, a read for each. Raises DataError when nothing was published there."""
    layout = Layout(uri, "")
    newest_version(layout)
    commits = tuple(read_commit(layout, version) for version in versions(layout))
    names = {name for commit in commits for name in commit.names}
    gone = {name for name in names if is_collected(layout.of(name))}
    return History(uri, commits, tuple(commit.version for commit in commits if gone & set(commit.names)))


def rolled_back(uri: str, version: int | None) -> Current:
    """Publish the runs of an older version as the next one; see `scoreline.dataset.publication.roll_back`."""
    layout = Layout(uri, "")
    commit = roll_back(layout, version)
    return Current(uri, commit.version, where(layout, commit), commit.predicted)


def where_current(uri: str) -> Current:
    """Where the newest version is; see `scoreline.dataset.versions.current`."""
    layout = Layout(uri, "")
    commit = newest_version(layout)
    return Current(uri, commit.version, where(layout, commit), commit.predicted)
