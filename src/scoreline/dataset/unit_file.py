"""Writing one unit: a local spool file first, then one create; what an earlier attempt made stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.dataset.hashed_file import HashedFile
from scoreline.dataset.receipts import StoredFile, no_answer
from scoreline.errors import Problem, StorageError
from scoreline.storage import Created, create, draft, open_input, sha256_of, size

if TYPE_CHECKING:
    from pathlib import Path

    from scoreline.dataset.layout import Layout

Write = Callable[[BinaryIO, Mapping[str, str]], int]
"""Writes the content into an open file, with what its footer is to say; returns the number of rows."""


def write_unit_file(write: Write, layout: Layout, uri: str) -> tuple[StoredFile, int]:
    """Write one file at `uri`, at most once; return what stands there and the number of rows.

    The bytes depend on the rows and the score_key alone, so a file that an earlier attempt left is the same one, and
    stands. Raises StorageError when there is no space, or when the store gives no answer.
    """
    with draft(uri) as spool:
        with HashedFile(spool) as file:
            rows = write(cast("BinaryIO", file), {"scoreline.score_key": layout.score_key})
        made = StoredFile(layout.below_store(uri), file.sha256, spool.stat().st_size)
        return _published(spool, made, uri), rows


def _published(spool: Path, made: StoredFile, uri: str) -> StoredFile:
    outcome = create(uri, spool)
    if outcome is Created.UNKNOWN:
        raise StorageError(no_answer(uri))
    return made if outcome is Created.CREATED else _standing(made, spool, uri)


def _standing(made: StoredFile, spool: Path, uri: str) -> StoredFile:
    """The file that an earlier attempt left; raises StorageError unless it is whole and has as many rows as ours.

    Its bytes are the same, unless the model answers otherwise each time: then the first answer counts.
    """
    sha256 = sha256_of(uri)
    if sha256 == made.sha256:
        return made
    with open_input(uri) as file:
        rows = _rows_of(file)
    if rows != _rows_of(spool):
        advice = "delete this file, then run the same command again"
        raise StorageError(Problem("the file that an earlier attempt left is damaged", uri, advice))
    return replace(made, sha256=sha256, size=size(uri))


def _rows_of(file: BinaryIO | Path) -> int | None:
    """The rows of a Parquet file, all of them read and compared with their checksums; None for one that is damaged."""
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as opened:
            return int(sum(batch.num_rows for batch in opened.iter_batches()))
    except (pa.ArrowException, OSError):
        return None
