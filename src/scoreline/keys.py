"""The two identities: what makes a bundle, and what makes a run's predictions."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from scoreline.storage import FileInfo

LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn")
"""Packages whose versions can change what is learned."""


def digest(identity: Any) -> str:
    """sha256 of a JSON value in canonical form: order of keys and spacing do not matter.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()


def snapshot(files: Iterable[FileInfo]) -> list[list[str | int]]:
    """What identifies input files wherever they lie: relative path, size, and etag or modification time."""
    return [[file.path, file.size, file.stamp] for file in files]


def module_hashes(modules: Sequence[Path]) -> dict[str, str]:
    """sha256 of each own module by its name."""
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in modules}


def library_versions() -> dict[str, str]:
    """Installed versions of the packages that can change what is learned."""
    return {name: version(name) for name in LIBRARIES}


def train_key(
    files: Iterable[FileInfo], learning: Mapping[str, Any], references: Sequence[str], modules: Sequence[Path]
) -> str:
    """The identity of a bundle.

    Input snapshot, how it is read, the sections of the config that decide what is learned, reference hashes, own
    modules, and library versions. Never locations, cluster, logging.
    """
    return digest(
        {
            "files": snapshot(files),
            "learning": learning,
            "references": references,
            "modules": module_hashes(modules),
            "versions": library_versions(),
        }
    )


def recipe(
    bundle: Mapping[str, Any], options: Mapping[str, Any], references: Sequence[str], modules: Sequence[Path]
) -> dict[str, Any]:
    """What decides the prediction of a row, besides the row: a score_key is the hash of this and of the input.

    How files are read, contract, cleaning and model hash, options of ``predict`` that change a row or its columns,
    reference hashes, own modules. Never locations, cluster, logging, trust or versions of ours.
    """
    return {**bundle, "options": options, "references": list(references), "modules": module_hashes(modules)}
