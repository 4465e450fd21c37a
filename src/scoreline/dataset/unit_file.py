"""Writing one unit: a local spool file first, then one create; what an earlier attempt made stands."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scoreline.dataset.receipts import StoredFile, no_answer
from scoreline.errors import StorageError
from scoreline.storage import Created, create, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from scoreline.dataset.layout import Layout
    from scoreline.sinks.base import Sink


def write_unit_file(
    sink: Sink, tables: Iterable[pa.Table], schema: pa.Schema, layout: Layout, uri: str
) -> tuple[StoredFile, int]:
    """Write the tables as one file at `uri`, at most once; return what stands there and the number of rows.

    The bytes depend on the rows and the score_key alone, so a file that an earlier attempt left is the same one, and
    stands. Raises StorageError when there is no space, or when the store gives no answer.
    """
    with tempfile.TemporaryDirectory(prefix="scoreline-") as folder:
        spool = Path(folder) / "unit.parquet"
        rows = sink.write(tables, schema, spool, {"scoreline.score_key": layout.score_key})
        return _published(spool, layout, uri), rows


def _published(spool: Path, layout: Layout, uri: str) -> StoredFile:
    with spool.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    outcome = create(uri, spool)
    if outcome is Created.UNKNOWN:
        raise StorageError(no_answer(uri))
    stored = StoredFile(uri.removeprefix(layout.store).lstrip("/"), sha256, spool.stat().st_size)
    if outcome is Created.EXISTS:
        body = read_bytes(uri)
        return StoredFile(stored.path, hashlib.sha256(body).hexdigest(), len(body))
    return stored
