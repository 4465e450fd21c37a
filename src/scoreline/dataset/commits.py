"""Commits: the immutable records that publish runs as numbered versions, and the only truth about them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from scoreline.errors import Problem, StorageError
from scoreline.storage import join, list_names, read_bytes

if TYPE_CHECKING:
    from scoreline.dataset.layout import Layout
    from scoreline.dataset.manifests import Manifest

Kind = Literal["replace", "append", "replay", "rollback"]


@dataclass(frozen=True)
class PublishedRun:
    """A whole run as part of a version: its score_key, the hash of its manifest, its files and the account of rows."""

    run: str
    manifest_sha256: str
    files: int
    rows_in: int
    predicted: int
    quarantined: int
    filtered: int


@dataclass(frozen=True)
class Commit:
    """Version `version` of a data set.

    Attributes
    ----------
    kind : how it came to be
    runs : the runs whose files make the version; the one that was published with it comes last
    created : when, in ISO 8601 and UTC
    """

    version: int
    kind: Kind
    runs: tuple[PublishedRun, ...]
    created: str

    @property
    def run(self) -> str:
        """The run that was published with it."""
        return self.runs[-1].run

    @property
    def names(self) -> tuple[str, ...]:
        """The score_keys of its runs."""
        return tuple(run.run for run in self.runs)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Folders, relative to the store, that hold the version's files and nothing else."""
        return tuple(f"runs/{run.run}/data/" for run in self.runs)

    @property
    def files(self) -> int:
        """Number of its files."""
        return sum(run.files for run in self.runs)

    @property
    def rows_in(self) -> int:
        """Rows that came in."""
        return sum(run.rows_in for run in self.runs)

    @property
    def predicted(self) -> int:
        """Rows that it has."""
        return sum(run.predicted for run in self.runs)

    @property
    def quarantined(self) -> int:
        """Rows that were refused."""
        return sum(run.quarantined for run in self.runs)

    @property
    def filtered(self) -> int:
        """Rows that cleaning dropped on purpose."""
        return sum(run.filtered for run in self.runs)

    def as_bytes(self) -> bytes:
        """The commit as it is stored, with the hash of what it says; always the same bytes."""
        said = {**asdict(self), "rows": {name: getattr(self, name) for name in _ACCOUNT}}
        return _spelled({**said, "sha256": hashlib.sha256(_spelled(said)).hexdigest()})


_ACCOUNT = ("rows_in", "predicted", "quarantined", "filtered")


def _spelled(said: dict[str, Any]) -> bytes:
    return json.dumps(said, indent=1, sort_keys=True).encode()


def published_run(layout: Layout, manifest: Manifest) -> PublishedRun:
    """A run as part of a version, as its manifest tells."""
    receipts = manifest.receipts
    return PublishedRun(
        run=layout.score_key,
        manifest_sha256=manifest.sha256,
        files=len(receipts),
        rows_in=sum(receipt.rows_in for receipt in receipts),
        predicted=sum(receipt.predicted for receipt in receipts),
        quarantined=sum(receipt.quarantined for receipt in receipts),
        filtered=sum(receipt.filtered for receipt in receipts),
    )


def next_commit(base: Commit | None, kind: Kind, runs: tuple[PublishedRun, ...]) -> Commit:
    """The commit that would follow `base`."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Commit(1 if base is None else base.version + 1, kind, runs, created)


def versions(layout: Layout) -> tuple[int, ...]:
    """The numbers of all versions that were ever published, in order. One listing."""
    return tuple(int(name.removesuffix(".json")) for name in list_names(layout.commits) if name.endswith(".json"))


def highest_commit(layout: Layout) -> Commit | None:
    """The newest version, or None for a data set that has none yet. One listing and one read."""
    known = versions(layout)
    return read_commit(layout, max(known)) if known else None


def read_commit(layout: Layout, version: int) -> Commit:
    """A version's commit. Raises DataError when there is none, StorageError when it is damaged."""
    body = read_bytes(layout.commit(version))
    try:
        stored = json.loads(body)
        runs = tuple(PublishedRun(**run) for run in stored["runs"])
        commit = Commit(stored["version"], stored["kind"], runs, stored["created"])
        whole = commit.as_bytes() == body and commit.version == version and bool(runs)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StorageError(_damaged(layout, version)) from error
    if not whole:
        raise StorageError(_damaged(layout, version))
    return commit


def _damaged(layout: Layout, version: int) -> Problem:
    what = f"the commit of version {version} is damaged: it is not what was written"
    return Problem(
        what, layout.commit(version), "restore it from a copy; scoreline data verify says what else is damaged"
    )


def folders(layout: Layout, commit: Commit) -> tuple[str, ...]:
    """The folders of a version's runs, which hold its files and nothing else."""
    return tuple(join(layout.store, prefix) for prefix in commit.prefixes)
