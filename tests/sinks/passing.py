"""Parquet files of all kinds, read and written with their columns passed on, and written anew."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.chunks.pages import pages_of
from scoreline.chunks.stored import StoredFooter
from scoreline.contract import ContractConfig
from scoreline.sinks.base import NumberedRows
from scoreline.sinks.parquet import Parquet as Sink
from scoreline.sinks.parquet import plain
from scoreline.sources.parquet import Parquet as Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scoreline.chunks.pages import Page
    from scoreline.sinks._passage import Passage

FOOTER = {"scoreline.score_key": "k"}


@dataclass(frozen=True)
class Scored:
    """A folder of one unit whose rows are written with two columns of ours; `left_out` are rows that are not.

    Attributes
    ----------
    batch_rows : rows of a table that is written
    types : types that the contract declares
    """

    folder: Path
    left_out: frozenset[int] = frozenset()
    batch_rows: int = 16
    types: tuple[tuple[str, str], ...] = ()
    unit: int = 0

    @cached_property
    def _survey(self) -> Any:
        columns = {name: {"type": wanted} for name, wanted in self.types}
        return Source(uri=str(self.folder)).survey(ContractConfig.model_validate({"columns": columns}))

    @property
    def schema(self) -> pa.Schema:
        ours = [pa.field("prediction", pa.string()), pa.field("proba", pa.float64())]
        theirs = [field.with_nullable(nullable=True) for field in self._survey.contract.schema]
        return plain(pa.schema([*theirs, *ours]))

    @cached_property
    def rows(self) -> Sequence[NumberedRows]:
        """What there is to write."""
        return list(self._rows())

    def _rows(self) -> Iterator[NumberedRows]:
        survey, first = self._survey, 0
        for part in survey.source.read(
            survey.units[self.unit], survey.contract, survey.contract.schema.names, self.batch_rows
        ):
            numbers = np.arange(first, first + len(part.rows))
            kept = ~np.isin(numbers, list(self.left_out))
            first += len(part.rows)
            answers = pa.array([f"class {number % 3}" for number in numbers]).dictionary_encode()
            columns = [*part.table.columns, answers, pa.array(np.sqrt(numbers))]
            table = pa.table(columns, names=self.schema.names)
            yield NumberedRows(table if kept.all() else table.filter(pa.array(kept)), numbers[kept])

    @property
    def passage(self) -> Passage | None:
        survey = self._survey
        stored = survey.source.stored(survey.units[self.unit], survey.contract, survey.contract.schema.names)
        return Sink(uri="out").passage(stored, self.schema)

    def passed_on(self) -> bytes:
        """The file, with columns passed on."""
        passage, file = self.passage, io.BytesIO()
        assert passage is not None
        assert passage.write(iter(self.rows), file, FOOTER) == sum(len(numbers) for _, numbers in self.rows)
        return file.getvalue()

    def anew(self) -> bytes:
        """The file with all columns encoded."""
        file = io.BytesIO()
        Sink(uri="out").write((table for table, _ in self.rows), self.schema, file, FOOTER)
        return file.getvalue()


def read(file: bytes, **options: Any) -> pa.Table:
    """What Arrow reads, with checksums compared."""
    return pq.read_table(io.BytesIO(file), page_checksum_verification=True, **options)


def pages(file: bytes) -> list[Page]:
    """All pages of a file's flat columns."""

    def read_at(start: int, size: int) -> bytes:
        return file[start : start + size]

    footer = StoredFooter(read_at, len(file))
    chunks = [chunk for group in footer.groups for chunk in footer.chunks(group).values()]
    return [page for chunk in chunks for page in pages_of(read_at, chunk)]


def bits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values of which none is unlike itself."""
    if not pa.types.is_floating(column.type):
        return column
    return pa.chunked_array([chunk.view(f"int{chunk.type.bit_width}") for chunk in column.chunks])


def assert_same(file: bytes, other: bytes) -> None:
    """Two files hold the same rows, to the bit, and tell readers the same of their columns."""
    found, expected = read(file), read(other)
    assert found.schema.equals(expected.schema, check_metadata=True)
    for name in expected.schema.names:
        assert bits(found[name]).combine_chunks().equals(bits(expected[name]).combine_chunks()), name
