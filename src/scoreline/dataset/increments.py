"""Increments: what is left to score when a version keeps what it has.

Nothing here reads or writes: the difference of two sets, the input files as they are and those in the manifests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scoreline.errors import DataError, Problem
from scoreline.units import InputFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scoreline.dataset.commits import PublishedRun
    from scoreline.dataset.manifests import Manifest
    from scoreline.dataset.receipts import Receipt


@dataclass(frozen=True)
class Increment:
    """What a new run scores, and what the version keeps.

    Attributes
    ----------
    paths : input files to score
    kept : runs that stay whole
    adopted : units of runs that do not: the new run takes them over as they are
    superseded : units whose predictions are made again
    """

    paths: frozenset[str]
    kept: tuple[PublishedRun, ...] = ()
    adopted: tuple[Receipt, ...] = ()
    superseded: tuple[Receipt, ...] = ()


Present = Mapping[str, InputFile]
"""The input files as they are, by path."""


def increment(
    version: Mapping[PublishedRun, Manifest], now: Present, renew: Callable[[Receipt, Present], bool]
) -> Increment:
    """What is to be scored so that the version has every file that is there now exactly once.

    Units are made again where `renew` says so; files that such a unit shares with others take those along. Raises
    DataError when a unit must be made again and one of its files is gone.
    """
    receipts = [receipt for manifest in version.values() for receipt in manifest.receipts]
    superseded = _closed(receipts, {receipt.unit for receipt in receipts if renew(receipt, now)})
    again = tuple(receipt for receipt in receipts if receipt.unit in superseded)
    _check_present(again, now)
    staying = {file.path for receipt in receipts if receipt.unit not in superseded for file in receipt.files}
    whole, adopted = [], []
    for run, manifest in version.items():
        kept = [receipt for receipt in manifest.receipts if receipt.unit not in superseded]
        if len(kept) == len(manifest.receipts):
            whole.append(run)
        else:
            adopted += kept
    return Increment(frozenset(now) - staying, tuple(whole), tuple(adopted), again)


def repaired(found: Increment) -> Increment:
    """The increment without files that the version does not have yet: only what is made again is scored."""
    again = {file.path for receipt in found.superseded for file in receipt.files}
    return replace(found, paths=found.paths & again)


def out_of_date(recipe: str) -> Callable[[Receipt, Present], bool]:
    """Units that another recipe made, or of files that changed since; units whose files are all gone are not."""

    def renew(receipt: Receipt, now: Present) -> bool:
        there = [file for file in receipt.files if file.path in now]
        return bool(there) and (receipt.recipe != recipe or any(now[file.path] != file for file in there))

    return renew


def with_refused_rows(receipt: Receipt, _now: Present) -> bool:
    """Units that have rows in quarantine."""
    return receipt.quarantined > 0


def _closed(receipts: Iterable[Receipt], units: set[str]) -> set[str]:
    """The units, and those that share a file with one of them, and so on."""
    by_path, files = defaultdict(list), {}
    for receipt in receipts:
        files[receipt.unit] = [file.path for file in receipt.files]
        for path in files[receipt.unit]:
            by_path[path].append(receipt.unit)
    found, waiting = set(units), list(units)
    while waiting:
        others = {unit for path in files[waiting.pop()] for unit in by_path[path]} - found
        found |= others
        waiting += others
    return found


def _check_present(receipts: Iterable[Receipt], now: Present) -> None:
    gone = sorted({file.path for receipt in receipts for file in receipt.files if file.path not in now})
    if gone:
        what = f"{len(gone)} input files are gone that were scored together with files that must be scored again"
        advice = 'bring them back, or score everything that is there with "mode": "replace"'
        raise DataError(Problem(what, ", ".join(gone[:5]), advice))
