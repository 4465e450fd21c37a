"""What every source is: files that are surveyed once and then read unit by unit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from scoreline.units import Unit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pyarrow as pa

    from scoreline.chunks.stored import StoredGroup
    from scoreline.contract import Contract, ContractConfig
    from scoreline.storage import FileInfo
    from scoreline.units import RawPart


@dataclass(frozen=True)
class Survey:
    """What is known of a source before a row is read.

    Attributes
    ----------
    files : every input file with size and stamp (etag or modification time), sorted by relative path
    units : the units of work, in input order
    contract : the resolved contract: names and types of all input columns
    source : the source with what was detected (encoding, delimiter) written out, for workers to read alike
    notes : sentences for the log: what was detected (encoding, types), safe casts, files without rows
    stored : the type in which all files store a column, for files that have types
    """

    files: tuple[FileInfo, ...]
    units: tuple[Unit, ...]
    contract: Contract
    source: Source
    notes: tuple[str, ...] = ()
    stored: Mapping[str, pa.DataType] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Records in all units."""
        return sum(unit.rows for unit in self.units)

    @property
    def size(self) -> int:
        """Bytes of all units."""
        return sum(unit.size for unit in self.units)

    def only(self, paths: Collection[str]) -> Survey:
        """The survey of some of its files: units keep what they have of them, numbered anew; the contract stays."""
        pieces = (tuple(piece for piece in unit.pieces if piece.path in paths) for unit in self.units)
        units = tuple(Unit(number, kept) for number, kept in enumerate(kept for kept in pieces if kept))
        return replace(self, files=tuple(file for file in self.files if file.path in paths), units=units)

    def changes(self) -> tuple[str, ...]:
        """What became of surveyed files since, a sentence each; files that are new are none. Eager, one listing."""
        now = {file.path: (file.size, file.stamp) for file in self.source.files()}
        return tuple(
            f"{file.uri} {'changed' if file.path in now else 'is gone'}"
            for file in self.files
            if now.get(file.path) != (file.size, file.stamp)
        )


class Source(BaseModel):
    """One kind of source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    uri: str = Field(min_length=1, description="File, folder or glob; local or s3://.")

    @property
    def reading(self) -> dict[str, Any]:
        """How files become records, wherever they are: every option but the location, as JSON values.

        Of a survey's source it is part of both keys: other marks or another encoding are other records.
        """
        return self.model_dump(mode="json", exclude={"uri"})

    def files(self) -> tuple[FileInfo, ...]:
        """The input files as they are now, sorted by relative path; eager, one listing.

        Raises DataError when there are none.
        """
        raise NotImplementedError

    def survey(self, declared: ContractConfig, known: Contract | None = None) -> Survey:
        """List the files, compare all headers or footers with the contract, cut units. Eager; reads no rows of Parquet.

        `declared` is the config's contract section; `known` is a bundle's resolved contract, which then rules names and
        types (columns it has and the files lack are missing; the caller says by `Survey.contract` which exist).
        Raises DataError with all problems: no files, no rows, missing columns (with close names), duplicate names,
        files whose types differ (named, grouped by how they differ), unreadable or truncated files, an encoding or
        delimiter that cannot be.
        """
        raise NotImplementedError

    def read(self, unit: Unit, contract: Contract, columns: Sequence[str], batch_rows: int) -> Iterator[RawPart]:
        """Yield the unit's records in order, at most `batch_rows` a part, only `columns` decoded. Memory: one batch.

        `contract` is the survey's. Every record of the unit is in exactly one part. A unit without records yields
        nothing.
        """
        raise NotImplementedError

    def stored(self, unit: Unit, contract: Contract, columns: Sequence[str]) -> Iterator[StoredGroup]:
        """The row groups that the unit's rows lie in, in order, with the `columns` that reading leaves as they are.

        Lazy, no rows are read. A source whose files are not Parquet yields nothing.
        """
        return iter(())
