"""What every sink is: how the rows of a unit become the bytes of one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np
    import pyarrow as pa

    from scoreline.chunks.stored import StoredGroup
    from scoreline.sinks._passage import Passage


class NumberedRows(NamedTuple):
    """Rows to write, and the number of each in its unit: an ascending int64 array, counted from 0."""

    table: pa.Table
    numbers: np.ndarray


class Sink(BaseModel):
    """One kind of sink."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    uri: str = Field(min_length=1, description="Where the published predictions are found; local or s3://.")

    def write(
        self, tables: Iterable[pa.Table], schema: pa.Schema, spool: Path | BinaryIO, footer: Mapping[str, str]
    ) -> int:
        """Write tables, in order, as one local file, or into one that is open; return the number of rows.

        The bytes depend on the rows, the schema and the footer alone, never on how the rows were cut into tables.
        Memory: one row group. The file is whole when this returns; on an exception it is of no use.
        """
        raise NotImplementedError

    def passage(self, stored: Iterable[StoredGroup], schema: pa.Schema) -> Passage | None:
        """How the rows of a unit that lies in row groups are written with columns passed on as they lie there.

        None where they are not: the unit is then given to `write`. It depends on the row groups and the schema alone;
        reads no more of the groups than that takes.
        """
        return None
