"""What every sink is: how the rows of a unit become the bytes of one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pyarrow as pa


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
