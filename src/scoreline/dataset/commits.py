"""Commits: one immutable record publishes a run's units as the next version; pointers follow it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scoreline.dataset.layout import Layout
from scoreline.dataset.receipts import no_answer, parsed
from scoreline.errors import ConflictError, DataError, Problem, StorageError
from scoreline.storage import Created, absolute, create, exists, is_s3, join, list_names, read_bytes, read_json, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.dataset.receipts import Receipt


@dataclass(frozen=True)
class Commit:
    """Version `version` of a data set.

    Attributes
    ----------
    run : the score_key whose units it publishes
    manifest_sha256 : hash of the run's manifest
    prefixes : folders, relative to the store, that hold the version's files and nothing else
    """

    version: int
    run: str
    manifest_sha256: str
    prefixes: tuple[str, ...]
    files: int
    rows_in: int
    predicted: int
    quarantined: int
    filtered: int
    created: str


def highest_commit(layout: Layout) -> Commit | None:
    """The newest version, or None for a data set that has none yet. One listing."""
    names = [name for name in list_names(layout.commits) if name.endswith(".json")]
    return _read(join(layout.commits, max(names))) if names else None


def _read(uri: str) -> Commit:
    stored: dict[str, Any] = read_json(uri)
    return Commit(**{**stored, "prefixes": tuple(stored["prefixes"])})


def publish(layout: Layout, receipts: Sequence[Receipt], base: Commit | None) -> Commit:
    """Publish a run whose units all have receipts, as the version after `base`; then lead readers to it.

    A run that is the newest version already is not published twice; of several drivers of one run any may do any step.
    Raises ConflictError when another run took the version: nothing of this run is lost, and the same command publishes
    it.
    """
    newest = highest_commit(layout)
    if newest is not None and newest.run == layout.score_key:
        return _pointed(layout, newest)
    manifest = "".join(json.dumps(asdict(receipt), sort_keys=True) + "\n" for receipt in receipts).encode()
    if create(layout.manifest, manifest) is Created.UNKNOWN:
        raise StorageError(no_answer(layout.manifest))
    commit = _next(layout, base)
    if not is_s3(layout.store):
        _stage(layout, commit.version)
    return _pointed(layout, _committed(layout, commit))


def _next(layout: Layout, base: Commit | None) -> Commit:
    manifest = read_bytes(layout.manifest)
    receipts = _listed(manifest)
    return Commit(
        version=1 if base is None else base.version + 1,
        run=layout.score_key,
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        prefixes=(f"runs/{layout.score_key}/data/",),
        files=len(receipts),
        rows_in=sum(receipt.rows_in for receipt in receipts),
        predicted=sum(receipt.predicted for receipt in receipts),
        quarantined=sum(receipt.quarantined for receipt in receipts),
        filtered=sum(receipt.filtered for receipt in receipts),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _listed(manifest: bytes) -> list[Receipt]:
    """The receipts that a manifest lists: it was created once, and what it lists is the version."""
    return [parsed(json.loads(line)) for line in manifest.splitlines()]


def _committed(layout: Layout, commit: Commit) -> Commit:
    uri = layout.commit(commit.version)
    outcome = create(uri, json.dumps(asdict(commit), indent=1, sort_keys=True).encode())
    if outcome is Created.CREATED:
        return commit
    if outcome is Created.UNKNOWN:
        raise ConflictError(no_answer(uri))
    winner = _read(uri)
    if winner.run != layout.score_key:
        _forget_staged(layout, commit.version)
        raise ConflictError(
            Problem(
                f"another run ({winner.run[:10]}) published version {winner.version} while this one was working",
                layout.uri,
                "run the same command again to publish this run's predictions as the next version",
            )
        )
    return winner


def _stage(layout: Layout, version: int) -> None:
    """Fill a version's folder with hard links; one that an earlier attempt or another driver began is completed."""
    folder = Path(layout.staged_version(version))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fill(folder, layout)
    except (FileExistsError, FileNotFoundError):
        # Once the version is committed, another driver may bring the folder to its place, or clear it away.
        if not exists(layout.commit(version)):
            raise


def _fill(folder: Path, layout: Layout) -> None:
    for receipt in _listed(read_bytes(layout.manifest)):
        file = layout.unit_file(receipt.unit)
        try:
            os.link(file, folder / layout.file_name(receipt.unit))
        except FileExistsError:
            continue
        except FileNotFoundError as error:
            if exists(file):
                raise
            problem = Problem("a file of this run is gone", file, "restore it, or predict into another place")
            raise StorageError(problem) from error


def _forget_staged(layout: Layout, version: int) -> None:
    if not is_s3(layout.store):
        shutil.rmtree(layout.staged_version(version), ignore_errors=True)


def _pointed(layout: Layout, commit: Commit) -> Commit:
    """Lead readers to the newest commit, which may be after the given one, and return the given one.

    Locally by the symlink, everywhere by ``latest.json``; both can be made again. Of several drivers the last to point
    looks again, so that none leads readers back.
    """
    shown, newest = None, highest_commit(layout) or commit
    while newest != shown:
        if not is_s3(layout.store):
            _link(Layout(layout.uri, newest.run), newest.version)
        pointer = {"version": newest.version, "prefixes": newest.prefixes, "rows": newest.predicted}
        replace(layout.latest, json.dumps(pointer).encode())
        shown, newest = newest, highest_commit(layout) or commit
    return commit


def _link(layout: Layout, version: int) -> None:
    folder, staged = Path(layout.version(version)), Path(layout.staged_version(version))
    if not folder.exists():
        _stage(layout, version)
        try:
            staged.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    _forget_staged(layout, version)
    link = Path(absolute(layout.uri).rstrip("/"))
    fresh = Path(layout.store) / f".current-{uuid.uuid4().hex}"
    fresh.symlink_to(os.path.relpath(folder, link.parent))
    fresh.replace(link)


def current(uri: str) -> tuple[str, ...]:
    """The folders, or S3 prefixes, that hold the newest version of the data set at `uri`: read it so, without races.

    Raises DataError when nothing was published there.
    """
    layout = Layout(uri, "")
    commit = highest_commit(layout)
    if commit is None:
        raise DataError(Problem("no version of this data set is published", uri, "run the config that writes it"))
    if not is_s3(layout.store) and exists(layout.version(commit.version)):
        return (layout.version(commit.version),)
    return tuple(join(layout.store, prefix) for prefix in commit.prefixes)


def check_target(layout: Layout) -> None:
    """Raise StorageError when something that is not a data set of ours stands where the symlink would go."""
    path = Path(absolute(layout.uri).rstrip("/"))
    if is_s3(layout.uri) or not (exists(str(path)) or path.is_symlink()) or _is_ours(layout, path):
        return
    raise StorageError(
        Problem(
            "something is there already that was not published by scoreline, and it is never overwritten",
            str(path),
            "choose another predict.sink.uri, or move it away",
        )
    )


def _is_ours(layout: Layout, path: Path) -> bool:
    """Whether a path is the symlink that leads readers to a version of the data set."""
    if not path.is_symlink():
        return False
    target = os.path.normpath(path.parent / path.readlink())
    return Path(target).parent == Path(layout.version(1)).parent
