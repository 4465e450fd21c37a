"""Leading readers to a version: folders of hard links and a symbolic link locally, ``latest.json`` everywhere.

All of it follows from the commits and can be made again.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scoreline.dataset.commits import folders, highest_commit
from scoreline.dataset.layout import Layout
from scoreline.dataset.manifests import read_manifest
from scoreline.errors import DataError, Problem, StorageError
from scoreline.storage import (
    absolute,
    delete_tree,
    exists,
    is_s3,
    join,
    link,
    list_names,
    point,
    read_json,
    rename,
    replace,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoreline.dataset.commits import Commit
    from scoreline.dataset.receipts import StoredFile


def stage(layout: Layout, commit: Commit) -> str:
    """Make a folder of this driver alone with the version's hard links, durable; where it is.

    Nothing to do on S3. Raises StorageError when a file of the version is gone.
    """
    folder = layout.staged_version(commit.version, uuid.uuid4().hex[:10])
    if not is_s3(layout.store):
        _fill(layout, folder, commit)
    return folder


def _fill(layout: Layout, folder: str, commit: Commit) -> None:
    for file in _files(layout, commit):
        source, target = join(layout.store, file.path), join(folder, file.name)
        try:
            link(source, target)
        except DataError as error:
            if exists(source):
                raise
            advice = "restore it, or run the config again to make it again"
            raise StorageError(Problem("a file of this version is gone", source, advice)) from error
    settle(folder)


def _files(layout: Layout, commit: Commit) -> Iterator[StoredFile]:
    for run in commit.runs:
        yield from (receipt.data for receipt in read_manifest(layout.of(run.run)).receipts)


def settle_version(layout: Layout, version: int, staged: str) -> None:
    """Give a staged folder its place, unless another driver was faster: then it goes."""
    if is_s3(layout.store):
        return
    if exists(layout.version(version)) or not rename(staged, layout.version(version)):
        delete_tree(staged)


def forget_staged(layout: Layout, staged: str) -> None:
    """Clear away a staged folder that is not published."""
    if not is_s3(layout.store):
        delete_tree(staged)


def lead_readers(layout: Layout, commit: Commit) -> Commit:
    """Lead readers to the newest version, which may be after the given one, and return the given one.

    Of several drivers the last to point looks again, so that none leads readers back.
    """
    shown, newest = None, highest_commit(layout) or commit
    while newest != shown:
        if not is_s3(layout.store):
            _bring_to_its_place(layout, newest)
            point(layout.link, layout.version(newest.version))
        replace(layout.latest, pointer(newest))
        shown, newest = newest, highest_commit(layout) or commit
    return commit


def pointer(commit: Commit) -> bytes:
    """What ``latest.json`` says of a version."""
    said = {"version": commit.version, "prefixes": commit.prefixes, "files": commit.files, "rows": commit.predicted}
    return json.dumps(said).encode()


def pointed_versions(layout: Layout) -> set[int]:
    """The versions that the link and ``latest.json`` lead to now, whether or not they should."""
    found = set()
    with suppress(StorageError, DataError, ValueError, TypeError, KeyError):
        found.add(int(read_json(layout.latest)["version"]))
    if not is_s3(layout.store):
        with suppress(OSError, ValueError):
            found.add(int(Path(layout.link).readlink().name))
    return found


def _bring_to_its_place(layout: Layout, commit: Commit) -> None:
    folder = layout.version(commit.version)
    if not exists(folder):
        settle_version(layout, commit.version, stage(layout, commit))
    elif len(list_names(folder)) < commit.files:
        _fill(layout, folder, commit)


def current(uri: str) -> tuple[str, ...]:
    """The folders, or S3 prefixes, that hold the newest version of the data set at `uri`: read it so, without races.

    Raises DataError when nothing was published there.
    """
    layout = Layout(uri, "")
    return where(layout, newest_version(layout))


def where(layout: Layout, commit: Commit) -> tuple[str, ...]:
    """The folders, or S3 prefixes, that hold a version and nothing else."""
    if not is_s3(layout.store) and exists(layout.version(commit.version)):
        return (layout.version(commit.version),)
    return folders(layout, commit)


def newest_version(layout: Layout) -> Commit:
    """The newest version of a data set. Raises DataError when nothing was published there."""
    commit = highest_commit(layout)
    if commit is None:
        advice = "check the location: it is predict.sink.uri of the config that writes it; run that config first"
        raise DataError(Problem("no version of a data set is published there", layout.uri, advice))
    return commit


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
    return Path(target).parent == Path(layout.versions)
