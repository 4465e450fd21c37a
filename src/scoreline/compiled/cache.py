"""The cache of the user: where a process leaves what it found out about a fitted pipeline for the next one.

Whatever is kept there states all that it depends on: what was fitted, the versions of the packages below, the
processor, and this package's own files, by size and time. Where any of it is different, it is made anew. Nothing there
is code, and whoever may write into the cache of a user may as well change the packages that the user runs; what others
may write to is not read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import stat
import time
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = "SCORELINE_CACHE"
"""The variable that names another folder for the cache; empty, and nothing is kept."""

NEW = ".new-"
"""How the name of something begins that is still being written."""

_ABANDONED_S = 3600.0
"""What was written to so long ago, and has no name yet, nobody goes on with."""

_NAME = re.compile("[0-9a-f]{32}")
_PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "sklearn", "llvmlite")
_LATE_PACKAGES = ("numba", "joblib")
"""Packages that need not be imported."""

_OURS = Path(__file__).parent.parent

_log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where something is kept, and the statement of what it depends on, as JSON."""

    path: Path
    statement: bytes

    @property
    def is_private(self) -> bool:
        """Whether it is there, and the user alone may write into it and into the folders that it is in."""
        return all(map(_is_private, (self.path, *self.path.parents[:2])))

    def make_folder(self) -> Path:
        """The folder that it is in, made where it is not there. Raises OSError."""
        for folder in (self.path.parent.parent, self.path.parent):
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        return self.path.parent


def place_of(kind: str, stated: Mapping[str, Any]) -> Place | None:
    """Where a kind of thing is kept that depends on what is stated, JSON values, and on this machine.

    None where nothing is kept, or where nobody can tell what machine this is. It need not be there.
    """
    folder = _folder()
    if folder is None:
        return None
    try:
        statement = json.dumps({**stated, **_here()}, indent=1, sort_keys=True).encode()
    except Exception as error:  # noqa: BLE001  where LLVM does not work, say, proofs are made again
        _log.info("nothing is kept in the cache: %s: %s", type(error).__name__, error)
        return None
    return Place(folder / kind / hashlib.sha256(statement).hexdigest()[:32], statement)


def make_room(folder: Path, size: Callable[[Path], int], most: int) -> None:
    """Remove what is too much, the oldest first, and what was abandoned; nothing that has another kind of name."""
    left = most
    for path, written in _by_age(folder):
        is_new = path.name.startswith(NEW)
        left -= 0 if is_new else size(path)
        if (written < time.time() - _ABANDONED_S) if is_new else left < 0:
            remove(path)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there and may be removed."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _by_age(folder: Path) -> list[tuple[Path, float]]:
    """What is in a folder and ours, the newest first, and when it was written."""
    found = []
    for each in os.scandir(folder):
        # Another process may just have removed it.
        with suppress(OSError):
            if _NAME.fullmatch(each.name) or each.name.startswith(NEW):
                found.append((Path(each.path), each.stat(follow_symlinks=False).st_mtime))
    return sorted(found, key=lambda pair: pair[1], reverse=True)


def _is_private(path: Path) -> bool:
    with suppress(OSError):
        known = path.stat()
        return known.st_uid == os.geteuid() and not known.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return False


def _folder() -> Path | None:
    named = os.environ.get(FOLDER)
    if named == "" or not hasattr(os, "geteuid"):
        return None
    cache = os.environ.get("XDG_CACHE_HOME", "")
    try:
        if named is not None:
            return Path(named).expanduser().absolute()
        return (Path(cache) if cache.startswith("/") else Path.home() / ".cache") / "scoreline"
    except RuntimeError:
        # A user without a home.
        return None


@lru_cache(maxsize=1)
def _here() -> dict[str, Any]:
    """What anything that is kept may depend on, as it is in this process."""
    from llvmlite import binding

    versions = {name: str(import_module(name).__version__) for name in _PACKAGES}
    versions |= {"python": python_version(), **{name: version(name) for name in _LATE_PACKAGES}}
    processor = f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"
    return {
        "versions": versions,
        "processor": hashlib.sha256(processor.encode()).hexdigest(),
        "scoreline": _own_files(),
    }


def _own_files() -> str:
    """A hash of this package's files, by size and time: what changes the code changes it."""
    known = [(str(path), path.stat()) for path in sorted(_OURS.rglob("*.py"))]
    told = [(path, file.st_size, file.st_mtime_ns) for path, file in known]
    return hashlib.sha256(repr(told).encode()).hexdigest()
