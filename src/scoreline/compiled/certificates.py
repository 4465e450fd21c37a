"""Certificates: what was proven on this machine before is not proven again by every process.

A certificate is a small file in the cache of the user. It states all that a proof depends on: the hashes of what was
fitted, the columns, how they are encoded, the versions of all packages, the processor, and this package's own files.
Where any of it is different, the pipeline is proven anew. It holds no code and no answers, and whoever may write into
the cache of a user may as well change the packages that the user runs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from platform import python_version
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "SCORELINE_CACHE"
"""The variable that names another folder for certificates; empty, and none are kept."""

MOST = 1_000
"""So many certificates are kept; then the oldest ones make room."""

_PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "sklearn", "llvmlite")
_OURS = Path(__file__).parent.parent

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Certificate:
    """What a proof is about, and the file that says that it was made: None where nothing is kept."""

    statement: bytes
    path: Path | None

    @property
    def exists(self) -> bool:
        """Whether the proof was made before, by this user on a machine like this one. Reads one small file."""
        if self.path is None:
            return False
        with suppress(OSError):
            return _is_private(self.path.parent) and self.path.read_bytes() == self.statement
        return False

    def keep(self) -> None:
        """Say that the proof was made. What keeps it from being written is logged: it is made again then."""
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.path.parent, delete=False) as file:
                file.write(self.statement)
            Path(file.name).replace(self.path)
            _make_room(self.path.parent)
        except OSError as error:
            _log.info("the proof of a compiled pipeline is not remembered: %s", error)


def certificate(stated: Mapping[str, Any]) -> Certificate:
    """The certificate of what is stated, JSON values, on this machine with these packages; may not exist."""
    statement = json.dumps({**stated, **_here()}, indent=1, sort_keys=True).encode()
    folder = _folder()
    name = f"{hashlib.sha256(statement).hexdigest()[:32]}.json"
    return Certificate(statement, None if folder is None else folder / name)


def _folder() -> Path | None:
    named = os.environ.get(FOLDER)
    if named is not None:
        return Path(named).absolute() / "proven" if named else None
    cache = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(cache) if cache.startswith("/") else Path.home() / ".cache") / "scoreline" / "proven"
    except RuntimeError:
        # Nobody's home.
        return None


def _is_private(folder: Path) -> bool:
    """Whether the user alone may write into a folder."""
    known = folder.stat()
    return known.st_uid == os.geteuid() and not known.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _make_room(folder: Path) -> None:
    kept = [(each.stat().st_mtime, each.path) for each in os.scandir(folder)]
    for _, path in sorted(kept)[: max(0, len(kept) - MOST)]:
        Path(path).unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _here() -> dict[str, Any]:
    """What proofs may depend on besides what is proven, as it is in this process."""
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
    known = sorted(
        (str(path), each.st_size, each.st_mtime_ns) for path in _OURS.rglob("*.py") for each in [path.stat()]
    )
    return hashlib.sha256(repr(known).encode()).hexdigest()
