"""Adoption: a new run takes over finished units of runs that do not stay whole, as they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from scoreline.dataset.receipts import no_answer, write_receipt
from scoreline.errors import StorageError
from scoreline.storage import Created, is_s3, join, link, parent, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.dataset.layout import Layout
    from scoreline.dataset.receipts import Receipt, StoredFile

_COPIES = 8


def adopt(layout: Layout, receipts: Sequence[Receipt]) -> tuple[Receipt, ...]:
    """Bring the units' files into the run's folders and write their receipts there; done again, it changes nothing.

    Locally hard links, on S3 copies, eight at a time.
    """
    with ThreadPoolExecutor(_COPIES) as pool:
        moved = list(pool.map(partial(_brought, layout), receipts))
    if not is_s3(layout.store):
        for folder in {parent(join(layout.store, file.path)) for receipt in moved for file in receipt.stored}:
            settle(folder)
    return tuple(write_receipt(layout, receipt) for receipt in moved)


def _brought(layout: Layout, receipt: Receipt) -> Receipt:
    refused = receipt.quarantine
    return replace(
        receipt,
        data=_linked(layout, receipt.data, layout.data),
        quarantine=None if refused is None else _linked(layout, refused, layout.quarantine),
    )


def _linked(layout: Layout, file: StoredFile, folder: str) -> StoredFile:
    uri = join(folder, file.name)
    if link(join(layout.store, file.path), uri) is Created.UNKNOWN:
        raise StorageError(no_answer(uri))
    return replace(file, path=layout.below_store(uri))
