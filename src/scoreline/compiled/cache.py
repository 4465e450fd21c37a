"""The cache of the user: where a process leaves what it found out about a fitted pipeline for the next one.

Whatever is kept there states all that it depends on: what was fitted, the versions of all packages, the processor, and
this package's own files. Where any of it is different, it is made anew. Nothing there is code, and whoever may write
into the cache of a user may as well change the packages that the user runs; what others may write to is not read.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "SCORELINE_CACHE"
"""The variable that names another folder for the cache; empty, and nothing is kept."""

_PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "sklearn", "llvmlite")
_OURS = Path(__file__).parent.parent


class Place(NamedTuple):
    """Where something is kept, and the statement of what it depends on, as JSON."""

    path: Path
    statement: bytes


def place_of(kind: str, stated: Mapping[str, Any]) -> Place | None:
    """Where a kind of thing is kept that depends on what is stated, JSON values, and on this machine.

    None where nothing is kept. It need not be there.
    """
    folder = _folder()
    if folder is None:
        return None
    statement = json.dumps({**stated, **_here()}, indent=1, sort_keys=True).encode()
    return Place(folder / kind / hashlib.sha256(statement).hexdigest()[:32], statement)


def is_private(folder: Path) -> bool:
    """Whether a folder is there, and the user alone may write into it."""
    with suppress(OSError):
        known = folder.stat()
        return known.st_uid == os.geteuid() and not known.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return False


def by_age(folder: Path) -> list[Path]:
    """What is in a folder, the newest first."""
    kept = [(each.stat().st_mtime, each.path) for each in os.scandir(folder)]
    return [Path(path) for _, path in sorted(kept, reverse=True)]


def _folder() -> Path | None:
    named = os.environ.get(FOLDER)
    if named is not None:
        return Path(named).absolute() if named else None
    cache = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(cache) if cache.startswith("/") else Path.home() / ".cache") / "scoreline"
    except RuntimeError:
        # A user without a home.
        return None


@lru_cache(maxsize=1)
def _here() -> dict[str, Any]:
    """What anything that is kept may depend on, as it is in this process."""
    from llvmlite import binding

    versions = {name: str(import_module(name).__version__) for name in _PACKAGES}
    processor = f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"
    return {
        "versions": {"python": python_version(), **versions},
        "processor": hashlib.sha256(processor.encode()).hexdigest(),
        "scoreline": _own_files(),
    }


def _own_files() -> str:
    """A hash of this package's files, by size and time: what changes the code changes it."""
    known = [(str(path), path.stat()) for path in sorted(_OURS.rglob("*.py"))]
    told = [(path, file.st_size, file.st_mtime_ns) for path, file in known]
    return hashlib.sha256(repr(told).encode()).hexdigest()
