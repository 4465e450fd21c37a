"""Trees to go down as files in the cache of the user: packed once, and mapped by all workers, which so share them."""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scoreline.compiled.cache import NEW, make_room, place_of, remove
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
        if self.place is None or not self.place.is_private:
            return None
        try:
            return _loaded(self.place)
        except Exception as error:  # noqa: BLE001  NumPy raises many things for what is no array
            _log.info("trees in %s are packed again: %s: %s", self.place.path, type(error).__name__, error)
            remove(self.place.path)
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
    told = json.loads((place.path / _ABOUT).read_bytes())
    arrays = Descent(*(np.load(place.path / f"{name}.npy", mmap_mode="r") for name in Descent._fields))
    about = told["about"]
    if told["hash"] != _hash_of(place, about) or about["hashes"] != list(map(_hash, arrays)):
        raise ValueError("they are not what was written")
    views = about["views"]
    pairs, sorting = (tuple(map(tuple, views[name])) for name in ("views", "sorting"))
    return Going(arrays, Views(pairs, views["root"], views["roots"], sorting))


def _hash(array: np.ndarray) -> str:
    """The hash of a contiguous array with its type and shape."""
    found = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    found.update(array.data)
    return found.hexdigest()


def _hash_of(place: Place, about: Mapping[str, Any]) -> str:
    """The hash of what is told about trees, and of what they are made of."""
    return hashlib.sha256(place.statement + json.dumps(about, sort_keys=True).encode()).hexdigest()


def _write(place: Place, trees: Going) -> None:
    folder = place.make_folder()
    made = Path(mkdtemp(dir=folder, prefix=NEW))
    try:
        arrays = Descent(*map(np.ascontiguousarray, trees.trees))
        for name, array in arrays._asdict().items():
            np.save(made / f"{name}.npy", array, allow_pickle=False)
        about = {"hashes": list(map(_hash, arrays)), "views": _described(trees.views)}
        (made / _ABOUT).write_text(json.dumps({"about": about, "hash": _hash_of(place, about)}, indent=1))
        if not place.path.exists():
            made.rename(place.path)
    finally:
        remove(made)
    make_room(folder, _size, MOST_BYTES)


def _described(views: Views) -> dict[str, Any]:
    return {"views": views.views, "root": views.root, "roots": views.roots, "sorting": views.sorting}


def _size(folder: Path) -> int:
    with suppress(OSError):
        return sum(file.stat().st_size for file in folder.iterdir())
    # Another process has just removed it.
    return 0
