"""Tables that wait in a local file until it is known what becomes of them: as many as there may be."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING, Self

import pyarrow as pa

from scoreline.sinks.parquet import plain

if TYPE_CHECKING:
    from collections.abc import Iterator


class Spool:
    """Tables of the same columns, first added and then read. Memory: one table; the others are in a nameless file.

    Most units refuse no row, so the file is made with the first table; it is gone when the spool is closed, and when
    the process is killed. Dictionaries are decoded: one table may have them where another has plain text.
    """

    def __init__(self) -> None:
        self.schema: pa.Schema | None = None
        self._file: IO[bytes] | None = None
        self._writer: pa.RecordBatchStreamWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, table: pa.Table) -> None:
        """Put one more table at the end."""
        if self._file is None or self._writer is None:
            self.schema = plain(table.schema)
            self._file = tempfile.TemporaryFile(prefix="scoreline-")  # noqa: SIM115  open until the spool is closed
            self._writer = pa.ipc.new_stream(self._file, self.schema)
        self._writer.write_table(table.cast(self.schema))

    def tables(self) -> Iterator[pa.Table]:
        """All tables in order, once no more are added; lazy."""
        if self._file is None or self._writer is None:
            return
        self._writer.close()
        self._file.seek(0)
        with pa.ipc.open_stream(self._file) as stream:
            for batch in stream:
                yield pa.Table.from_batches([batch])
