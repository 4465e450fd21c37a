"""Chunks that are passed on, read back: once in a process for each way in which values are stored."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.chunks.assembly import Assembly
from scoreline.errors import Problem, ScorelineError
from scoreline.sinks._text import by_value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from scoreline.chunks.assembly import PassedChunk
    from scoreline.chunks.stored import StoredGroup
    from scoreline.sinks._passage import Encode

_proven: set[object] = set()


class Sample(NamedTuple):
    """A row group to copy from: its rows as they were read, and the chunks to copy."""

    group: StoredGroup
    tables: Sequence[pa.Table]
    passed: Mapping[str, PassedChunk]

    def only(self, names: Collection[str]) -> Sample:
        """The same rows, fewer columns."""
        return self._replace(passed={name: chunk for name, chunk in self.passed.items() if name in names})

    @property
    def schema(self) -> pa.Schema:
        """The columns to copy."""
        return pa.schema([self.tables[0].schema.field(name) for name in self.passed])


def prove(sample: Sample, encode: Encode) -> None:
    """Raise ScorelineError where chunks of a kind that is new to this process read back otherwise than they were read.

    It ends the run instead of taking another way: of two processes that write a unit one may have seen the kind
    before, and both must make the same bytes.
    """
    new = sample.only([name for name, chunk in sample.passed.items() if chunk.kind not in _proven])
    if not new.passed:
        return
    found = _read_back(new, encode)
    for name in new.passed:
        if not _same_values(found[name], values_of(new.tables, name)):
            what = f"column '{name}', copied as it is stored, reads back as other values: a bug"
            advice = "report it; files with row groups of less than 16,384 rows are not copied from"
            raise ScorelineError(Problem(what, new.group.uri, advice))
    _proven.update(chunk.kind for chunk in new.passed.values())


def _read_back(sample: Sample, encode: Encode) -> pa.Table:
    made = io.BytesIO()
    assembly = Assembly(made)
    assembly.add(sample.group.rows, list(sample.passed.values()))
    assembly.finish(encode((), sample.schema, {}, sample.group.rows))
    # Long text that repeats would not fit into one array, were it not read as codes.
    texts = [field.name for field in sample.schema if pa.types.is_dictionary(field.type)]
    coded = [name for name in texts if sample.passed[name].has_dictionary]
    return pq.read_table(made, read_dictionary=coded, page_checksum_verification=True)


def values_of(tables: Sequence[pa.Table], name: str) -> list[pa.Array]:
    """The values of a column, as they lie in memory."""
    return [array for table in tables for array in table[name].chunks]


def _same_values(found: pa.ChunkedArray, given: Sequence[pa.Array]) -> bool:
    """Whether values are the same to the bit, dictionaries or not."""
    return bool(_comparable(found.chunks).equals(_comparable(given)))


def _is_text(array: pa.Array) -> bool:
    return bool(pa.types.is_string(array.type) or pa.types.is_dictionary(array.type))


def _comparable(arrays: Sequence[pa.Array]) -> pa.Array:
    """One array, text as codes; numbers that are not equal to themselves are compared, too."""
    if any(map(_is_text, arrays)):
        return by_value(arrays)
    values = pa.concat_arrays(arrays)
    return values.view(f"int{values.type.bit_width}") if pa.types.is_floating(values.type) else values
