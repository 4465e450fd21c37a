"""Rows on which a compiled pipeline must prove itself: real ones, and real ones with one value made hard."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.frame import family

if TYPE_CHECKING:
    from collections.abc import Iterator

REAL_ROWS = 1024
"""Real rows that are tried."""

_TEXTS = ("", " ", "\u200b", "a text that was never there", "nan", "None")
_MISSING = (np.nan,)
_FINITE = (0.0, -0.0, 0.5, 1.0, -1.0, 1e-310, 1e30)
_HUGE = (1e39, -1.7e308)
_INFINITE = (np.inf, -np.inf)
_WHOLE = (0, 1, -1, 127, 2**53, -(2**53))
_KINDS = ("finite", "whole", "text", "missing", "huge", "null", "infinite")
"""From the one that is hardly ever refused to the one that most often is."""


def trials(table: pa.Table, schema: pa.Schema) -> Iterator[pa.Table]:
    """Tables to try: some real rows, then for each kind of hard value one with a row for each value and column.

    Kinds that scikit-learn is most likely to refuse come last.
    """
    real = table.select(schema.names).slice(0, REAL_ROWS)
    yield real
    hard = sorted(_hard(real, schema), key=lambda pair: _KINDS.index(pair[0]))
    for _, rows in groupby(hard, key=lambda pair: pair[0]):
        # Wide tables have thousands of rows here, each of which would stay a chunk of every column.
        yield pa.concat_tables([row for _, row in rows]).combine_chunks()


def _hard(real: pa.Table, schema: pa.Schema) -> Iterator[tuple[str, pa.Table]]:
    """Single real rows with a hard value in one column, and its kind."""
    plain = pa.table([_decoded(real[name]) for name in schema.names], names=schema.names)
    row = 0
    for place, field in enumerate(plain.schema):
        for kind, value in _values(field.type):
            one = plain.slice(row % plain.num_rows, 1)
            yield kind, one.set_column(place, field, pa.array([value], field.type))
            row += 1


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _values(arrow_type: pa.DataType) -> list[tuple[str, Any]]:
    """Values of a column's type that are hard to treat alike, by kind."""
    values: list[tuple[str, Any]] = [("null", None)]
    if family(arrow_type) == "text":
        values += [("text", value) for value in _TEXTS]
    if pa.types.is_float32(arrow_type) or pa.types.is_float64(arrow_type):
        # Missing ones apart: rows that are refused cost a call each, and so do those beside them.
        kinds = (("missing", _MISSING), ("finite", _FINITE), ("huge", _HUGE), ("infinite", _INFINITE))
        values += [(kind, value) for kind, numbers in kinds for value in numbers]
    if pa.types.is_int64(arrow_type):
        values += [("whole", value) for value in _WHOLE]
    return values
