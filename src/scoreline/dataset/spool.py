"""Tables that wait in a local file until it is known what becomes of them: as many as there may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from scoreline.sinks.parquet import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Spool:
    """A file of tables of the same columns, filled first and read then. Memory: one table.

    Dictionaries are decoded: one table may have them where another has plain text.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.schema: pa.Schema | None = None
        self._writer: pa.RecordBatchStreamWriter | None = None

    def add(self, table: pa.Table) -> None:
        """Put one more table at the end."""
        if self._writer is None:
            self.schema = plain(table.schema)
            self._writer = pa.ipc.new_stream(str(self.path), self.schema)
        self._writer.write_table(table.cast(self.schema))

    def tables(self) -> Iterator[pa.Table]:
        """All tables in order, once no more are added; lazy."""
        if self._writer is None:
            return
        self._writer.close()
        with pa.OSFile(str(self.path)) as file, pa.ipc.open_stream(file) as stream:
            for batch in stream:
                yield pa.Table.from_batches([batch])
