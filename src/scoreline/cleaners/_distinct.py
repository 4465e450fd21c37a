"""The distinct values of a dictionary column, and the way back to its rows."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from scoreline.cleaners._types import plain


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """The distinct values of a column, and where each row finds its own.

    Attributes
    ----------
    values : every value that a row has, with its plain type; some may have no row
    indices : for each chunk of the column, positions in `values`; null for a null row that has no position of its own
    """

    values: pa.Array
    indices: tuple[pa.Array, ...]

    def gather(self, made: pa.Array) -> pa.ChunkedArray:
        """What was made of each distinct value, for each row."""
        return pa.chunked_array([made.take(at) for at in self.indices], type=made.type)

    def gather_encoded(self, made: pa.Array) -> pa.ChunkedArray:
        """As `gather`, as a dictionary column whose values are distinct again."""
        return self.gather(made.dictionary_encode())


def distinct_of(column: pa.ChunkedArray, *, with_null: bool) -> Distinct | None:
    """The distinct values of a dictionary column; None for other columns, and when there are more of them than rows.

    `with_null`: null rows find a null among the values, for those who make something of it.
    """
    if not pa.types.is_dictionary(column.type) or not column.num_chunks:
        return None
    unified = column.unify_dictionaries()
    values = unified.chunk(0).dictionary
    if len(values) > len(column):
        return None
    values, indices = values.cast(plain(values.type)), [chunk.indices for chunk in unified.chunks]
    if with_null and column.null_count:
        indices = [at.cast(pa.int32()).fill_null(len(values)) for at in indices]
        values = pa.concat_arrays([values, pa.nulls(1, values.type)])
    return Distinct(values, tuple(indices))
