"""Trees to go down as files in the cache of the user: packed once, and mapped by all workers, which so share them."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scoreline.compiled.cache import by_age, is_private, place_of
from scoreline.compiled.descent import Going
from scoreline.compiled.flat import Descent
from scoreline.compiled.views import Views

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoreline.compiled.cache import Place

MOST_BYTES = 1 << 30
"""Bytes of all trees that are kept; then the oldest ones make room."""

_ABOUT = "about.json"

_log = logging.getLogger(__name__)


class KeptTrees(NamedTuple):
    """The trees of one forest, where they are kept; None where nothing is."""

    place: Place | None

    def load(self) -> Going | None:
        """The trees that are kept, mapped; None where they are not there or not what was written. Reads them once."""
        if self.place is None or not is_private(self.place.path):
            return None
        try:
            return _loaded(self.place)
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.info("trees in %s are packed again: %s", self.place.path, error)
            shutil.rmtree(self.place.path, ignore_errors=True)
            return None

    def keep(self, trees: Going) -> Going:
        """Write trees, and give back the mapped ones; those that were given where they cannot be written."""
        if self.place is None:
            return trees
        try:
            _write(self.place, trees)
        except OSError as error:
            _log.info("trees are not kept: %s", error)
            return trees
        return self.load() or trees


def kept_trees(stated: Mapping[str, Any]) -> KeptTrees:
    """The trees that are made of what is stated, JSON values; they need not be there."""
    return KeptTrees(place_of("trees", stated))


def _loaded(place: Place) -> Going:
    about = json.loads((place.path / _ABOUT).read_bytes())
    if about["of"] != place.statement.decode():
        raise ValueError("they are of something else")
    arrays = Descent(*(np.load(place.path / f"{name}.npy", mmap_mode="r") for name in Descent._fields))
    if _hashes(arrays) != about["hashes"]:
        raise ValueError("they are not what was written")
    told = about["views"]
    pairs, sorting = (tuple(map(tuple, told[name])) for name in ("views", "sorting"))
    return Going(arrays, Views(pairs, told["root"], told["roots"], sorting))


def _hashes(arrays: Descent) -> list[str]:
    return list(map(_hash, arrays))


def _hash(array: np.ndarray) -> str:
    """The hash of a contiguous array with its type and shape."""
    found = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    found.update(array.data)
    return found.hexdigest()


def _write(place: Place, trees: Going) -> None:
    parent = place.path.parent
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Path(mkdtemp(dir=parent))
    try:
        arrays = Descent(*map(np.ascontiguousarray, trees.trees))
        for name, array in arrays._asdict().items():
            np.save(made / f"{name}.npy", array, allow_pickle=False)
        about = {"of": place.statement.decode(), "hashes": _hashes(arrays), "views": _described(trees.views)}
        (made / _ABOUT).write_text(json.dumps(about, indent=1))
        if not place.path.exists():
            made.rename(place.path)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    _make_room(parent)


def _described(views: Views) -> dict[str, Any]:
    return {"views": views.views, "root": views.root, "roots": views.roots, "sorting": views.sorting}


def _make_room(folder: Path) -> None:
    left = MOST_BYTES
    for kept in by_age(folder):
        left -= sum(file.stat().st_size for file in kept.iterdir())
        if left < 0:
            shutil.rmtree(kept, ignore_errors=True)
