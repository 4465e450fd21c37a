"""Adoption: a new run takes over finished units of runs that do not stay whole, as they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from scoreline.dataset.receipts import no_answer, write_receipt
from scoreline.errors import StorageError
from scoreline.storage import Created, is_s3, join, link, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.dataset.layout import Layout
    from scoreline.dataset.receipts import Receipt

_COPIES = 8


def adopt(layout: Layout, receipts: Sequence[Receipt]) -> tuple[Receipt, ...]:
    """Bring the units' files into the run's folder and write their receipts there; done again, it changes nothing.

    Refused rows stay where they are. Locally hard links, on S3 copies, eight at a time.
    """
    with ThreadPoolExecutor(_COPIES) as pool:
        moved = list(pool.map(partial(_bring, layout), receipts))
    if receipts and not is_s3(layout.store):
        settle(layout.data)
    return tuple(write_receipt(layout, receipt) for receipt in moved)


def _bring(layout: Layout, receipt: Receipt) -> Receipt:
    uri = join(layout.data, receipt.data.name)
    if link(join(layout.store, receipt.data.path), uri) is Created.UNKNOWN:
        raise StorageError(no_answer(uri))
    return replace(receipt, data=replace(receipt.data, path=f"{layout.prefix}{receipt.data.name}"))
