"""Parquet files, with the columns that their folders carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from scoreline.errors import DataError, Problem
from scoreline.parts import even_parts
from scoreline.sources._columns import repeated_names, some_files
from scoreline.sources._footers import names_by_path, read_footers
from scoreline.sources._parquet_reading import read_pieces
from scoreline.sources._parquet_stored import stored_groups
from scoreline.sources._parquet_types import settle_types, stored_types
from scoreline.sources._parquet_units import SUFFIXES, cut_units
from scoreline.sources._resolution import Asked
from scoreline.sources.base import Source, Survey
from scoreline.storage import list_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.chunks.stored import StoredGroup
    from scoreline.contract import Contract, ContractConfig
    from scoreline.storage import FileInfo
    from scoreline.units import RawPart, Unit


class Parquet(Source):
    """Parquet files with the same columns in all of them, in any order.

    Folders named ``key=value`` are columns too, unless the files have them. Types may differ between files where no
    value is lost; other differences are refused, or checked value by value where the contract declares the type. Files
    without rows may have any columns.
    """

    kind: Literal["parquet"] = "parquet"

    def files(self) -> tuple[FileInfo, ...]:
        """The Parquet files; see `Source.files`."""
        return list_files(self.uri, SUFFIXES)

    def survey(self, declared: ContractConfig, known: Contract | None = None) -> Survey:
        """Read the footers of all files in threads, compare them, and cut units along row groups."""
        files, asked = self.files(), Asked(declared, known)
        found = read_footers(files)
        # What writes a part without rows seldom knows the types of its columns, and nothing depends on them.
        footers = [footer for footer in found if footer.rows]
        names = names_by_path(footers)
        problems = list(repeated_names(names))
        paths = [file.path for file in files]
        if not footers:
            problems.append(Problem("there are no rows", some_files(paths), "give at least one file with rows"))
        if problems:
            raise DataError(*problems)
        columns = asked.columns(names, some_files(paths))
        given = {name: wanted for name, wanted in asked.types.items() if name in columns}
        schema, notes = settle_types(footers, given, columns)
        hollow = [footer.file.path for footer in found if not footer.rows]
        notes = (*notes, f"files without rows: {some_files(hollow)}") if hollow else notes
        stored = stored_types(footers, columns)
        return Survey(files, cut_units(footers), asked.contract(schema), self, notes, stored)

    def read(self, unit: Unit, contract: Contract, columns: Sequence[str], batch_rows: int) -> Iterator[RawPart]:
        """Stream the wanted columns of the unit's row groups; a value that the wanted type does not hold is refused.

        Text that repeats comes as a dictionary column, and so does what the file stores as one.
        """
        wanted = pa.schema([contract.schema.field(name) for name in columns])
        return even_parts(read_pieces(unit.pieces, wanted, batch_rows), batch_rows)

    def stored(self, unit: Unit, contract: Contract, columns: Sequence[str]) -> Iterator[StoredGroup]:
        """The unit's row groups as they lie on the local disk; see `Source.stored`."""
        return stored_groups(unit.pieces, pa.schema([contract.schema.field(name) for name in columns]))
