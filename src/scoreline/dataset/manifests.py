"""Manifests: the immutable list of a run's units, made once all of them are done."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scoreline.dataset.receipts import no_answer, parsed, read_receipts
from scoreline.errors import Problem, StorageError
from scoreline.storage import Created, create, exists, join, list_sizes, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


@dataclass(frozen=True)
class Finished:
    """The units that need not be computed again, as far as names tell.

    Attributes
    ----------
    names : units that have a receipt, or whose files are all there when the run's manifest has them
    listed : the receipts of those whose files are all there, when the run's manifest has them
    """

    layout: Layout
    names: frozenset[str]
    listed: Mapping[str, Receipt] | None = None

    def with_data(self) -> frozenset[str]:
        """Those of the units whose file of predictions is there; eager, one listing without a manifest."""
        if self.listed is not None:
            return self.names
        there = _data(self.layout)
        return frozenset(n for n in self.names if self.layout.below_store(self.layout.unit_file(n)) in there)

    def receipts(self) -> dict[str, Receipt]:
        """The receipts of units whose files are all there, by unit name; eager, a read for each without a manifest."""
        if self.listed is not None:
            return dict(self.listed)
        return _with_files(self.layout, read_receipts(self.layout, self.names), _data(self.layout))


def finished(layout: Layout) -> Finished:
    """The units of a run that are finished; eager: a listing, or the manifest and a listing of each folder of files.

    Reads no receipt and looks for no file, of which there may be very many: work begins before that.
    """
    if exists(layout.manifest):
        listed = _with_files(layout, read_manifest(layout).receipts, _data(layout))
        return Finished(layout, frozenset(listed), listed)
    return Finished(layout, frozenset(name.removesuffix(".json") for name in list_sizes(layout.receipts)))


def _data(layout: Layout) -> set[str]:
    """The paths of the files of predictions that are there."""
    return {layout.below_store(join(layout.data, name)) for name in list_sizes(layout.data)}


def _with_files(layout: Layout, receipts: Iterable[Receipt], there: set[str]) -> dict[str, Receipt]:
    """The receipts all of whose files are there, by unit name; one listing finds those that are not known to be."""
    kept = (layout.below_store(join(layout.quarantine, name)) for name in list_sizes(layout.quarantine))
    files = there.union(kept)
    return {receipt.unit: receipt for receipt in receipts if all(file.path in files for file in receipt.stored)}


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
