"""Manifests: the immutable list of a run's units, made once all of them are done."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoreline.dataset.receipts import no_answer, parsed, read_receipts
from scoreline.errors import Problem, StorageError
from scoreline.storage import Created, create, exists, join, list_sizes, read_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from scoreline.dataset.layout import Layout
    from scoreline.dataset.receipts import Receipt


@dataclass(frozen=True)
class Manifest:
    """What a run came to: the receipts of its units in their order, and the hash of the file that lists them."""

    receipts: tuple[Receipt, ...]
    sha256: str


def create_manifest(layout: Layout, receipts: Sequence[Receipt]) -> Manifest:
    """Create the run's manifest; where there is one already, it stands. Returns what is there.

    Raises StorageError when the store gives no answer.
    """
    if create(layout.manifest, b"".join(receipt.as_line() + b"\n" for receipt in receipts)) is Created.UNKNOWN:
        raise StorageError(no_answer(layout.manifest))
    return read_manifest(layout)


def read_manifest(layout: Layout) -> Manifest:
    """The manifest of a run; eager, one read. Raises StorageError when it is damaged, DataError when it is gone."""
    body = read_bytes(layout.manifest)
    receipts = tuple(parsed(line, layout.manifest) for line in body.splitlines())
    return Manifest(receipts, hashlib.sha256(body).hexdigest())


def finished_names(layout: Layout) -> frozenset[str]:
    """The names of units that have a receipt and a file of predictions, so that nobody computes them again.

    Reads no receipt, of which there may be very many: what they say is looked at by `finished_units`. Eager: a look for
    the manifest, then two listings at once.
    """
    if exists(layout.manifest):
        return frozenset(finished_units(layout))
    with ThreadPoolExecutor(2) as pool:
        receipts, files = pool.map(list_sizes, (layout.receipts, layout.data))
    names = (name.removesuffix(".json") for name in receipts)
    return frozenset(name for name in names if layout.unit_file(name).rpartition("/")[2] in files)


def finished_units(layout: Layout, names: Collection[str] | None = None) -> dict[str, Receipt]:
    """The receipts of units that need not be computed again, by unit name: those whose files are all there.

    Of all units, or of those of these `names`. Eager: two listings, and one read of the manifest or of each receipt.
    """
    found = read_manifest(layout).receipts if exists(layout.manifest) else read_receipts(layout, names)
    folders = (layout.data, layout.quarantine)
    there = {layout.below_store(join(folder, name)) for folder in folders for name in list_sizes(folder)}
    wanted = (receipt for receipt in found if names is None or receipt.unit in names)
    return {receipt.unit: receipt for receipt in wanted if all(file.path in there for file in receipt.stored)}


def check_files(layout: Layout, manifest: Manifest) -> None:
    """Raise StorageError unless the run's folder holds exactly the files that its manifest lists. One listing."""
    there = list_sizes(layout.data)
    listed = {receipt.data.name: receipt.data.size for receipt in manifest.receipts}
    gone = [name for name in listed if name not in there]
    if gone:
        what = f"{len(gone)} of {len(listed)} files of this run are gone, such as {gone[0]}"
        raise StorageError(Problem(what, layout.data, "run the same command again to make them again"))
    other = [name for name, size in there.items() if listed.get(name) != size]
    if other:
        what = f"a file in the folder of this run is not the one that was written: {other[0]}"
        raise StorageError(Problem(what, layout.data, "remove it if it is not ours, or restore it from a copy"))
