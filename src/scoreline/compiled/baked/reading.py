"""From a record or a table to the codes and numbers that a program's model takes."""

from __future__ import annotations

from bisect import bisect_left
from ctypes import c_float
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from scoreline.compiled.baked.arrow import flat, numbers
from scoreline.compiled.baked.slots import EXACT, LEFT_OUT, Cuts, Feature, Lookup, is_plain, kind_of
from scoreline.compiled.dictionary import dictionary_encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from scoreline.compiled.baked.slots import Input, Kind, Slot

_NAN = float("nan")
_MISSING = object()
_NOTHING = type(None)
_TYPES: dict[Kind, frozenset[type]] = {
    "text": frozenset({str, _NOTHING}),
    "whole": frozenset({int, _NOTHING}),
    "bool": frozenset({bool, _NOTHING}),
    "number": frozenset({float, _NOTHING}),
    "single": frozenset({_NOTHING}),
}
"""The types that a value of a record may have as it is."""


class Read(NamedTuple):
    """What a model takes of some rows.

    Attributes
    ----------
    codes : int64 (rows, lookups and cuts), as the slots stand
    numbers : float64 (rows, features), not scaled yet; NaN for null
    known : whether each row is covered; the others are left to scikit-learn
    """

    codes: np.ndarray
    numbers: np.ndarray
    known: np.ndarray


def record_reader(
    inputs: Sequence[Input], slots: Sequence[Slot]
) -> Callable[[Mapping[str, Any]], tuple[list[int], list[float]] | None]:
    """A function from a record to the codes and numbers of its slots; it gives None for values left to scikit-learn.

    It raises KeyError where a column is missing.
    """
    ready = [_ready(inputs[slot.input], slot) for slot in slots]

    def read(record: Mapping[str, Any]) -> tuple[list[int], list[float]] | None:
        codes: list[int] = []
        found: list[float] = []
        for column, types, table, other, cuts, null in ready:
            value = record[column.name]
            if type(value) not in types:
                value = _as_column(value, column.kind)
                if value is _MISSING:
                    return None
            if table is not None:
                code = table.get(value, _MISSING)
                if code is _MISSING:
                    code = other if is_plain(value, column) else LEFT_OUT
            elif value is None or value != value:  # noqa: PLR0124  NaN
                code, value = null, _NAN
            elif not column.low <= value <= column.high:
                return None
            elif cuts is not None:
                code = bisect_left(cuts, value)
            if cuts is None and table is None:
                found.append(float(value))
            elif code < 0:
                return None
            else:
                codes.append(code)
        return codes, found

    return read


def _ready(column: Input, slot: Slot) -> tuple[Any, ...]:
    """What a slot needs for one value, as plain Python objects: faster than attributes and numpy's scalars."""
    table: dict[Hashable, int] | None = None
    cuts, other, null = None, LEFT_OUT, LEFT_OUT
    if isinstance(slot, Lookup):
        known = slot.codes.tolist()
        table, other = dict(zip(slot.values, known[:-1], strict=True)), known[-1]
        null = table.get(None, LEFT_OUT)
        table.setdefault(None, LEFT_OUT)
    elif isinstance(slot, Cuts):
        cuts, null = slot.cuts.tolist(), slot.null
    return column, _TYPES[column.kind], table, other, cuts, null


def _as_column(value: Any, kind: Kind) -> Any:
    """What a value is in a column of some kind, where Arrow would take it and changes nothing but its precision."""
    if type(value) is int and kind == "number" and -EXACT <= value <= EXACT:
        return float(value)
    if type(value) is float and kind == "single":
        return c_float(value).value
    return _MISSING


def read_table(table: pa.Table, inputs: Sequence[Input], slots: Sequence[Slot]) -> Read | None:
    """What a model takes of the rows of a table; None when a column is of another type than the program reads."""
    columns = [table[column.name] for column in inputs]
    if any(kind_of(found.type) != column.kind for column, found in zip(inputs, columns, strict=True)):
        return None
    known = np.ones(table.num_rows, dtype=bool)
    codes, found = [], []
    for slot in slots:
        column, given = inputs[slot.input], columns[slot.input]
        if isinstance(slot, Lookup):
            made = _looked_up(given, column, slot)
            codes.append(made)
            known &= made >= 0
            continue
        values, inside = _numbers(given, column)
        known &= inside
        if isinstance(slot, Feature):
            found.append(values)
        else:
            codes.append(np.where(np.isnan(values), slot.null, np.searchsorted(slot.cuts, values)))
            known &= codes[-1] >= 0
    return Read(_stacked(codes, table.num_rows, np.int64), _stacked(found, table.num_rows, np.float64), known)


def _stacked(columns: Sequence[np.ndarray], rows: int, dtype: Any) -> np.ndarray:
    return np.ascontiguousarray(np.stack(columns, axis=1), dtype) if columns else np.empty((rows, 0), dtype)


def _looked_up(given: pa.ChunkedArray, column: Input, slot: Lookup) -> np.ndarray:
    """The codes of a column; each distinct value is looked up once."""
    encoded = flat(dictionary_encoded(given).unify_dictionaries())
    known = dict(zip(slot.values, slot.codes[:-1].tolist(), strict=True))
    other = int(slot.codes[-1])
    null = known.setdefault(None, LEFT_OUT)
    codes = [
        known.get(value, other) if value in known or is_plain(value, column) else LEFT_OUT
        for value in encoded.dictionary.to_pylist()
    ]
    places, there = numbers(encoded.indices.cast(pa.int64()))
    return np.array([*codes, null], np.int64)[np.where(there, places, len(codes))]


def as_numbers(column: pa.ChunkedArray) -> np.ndarray:
    """A column of numbers or booleans as float64, NaN for null."""
    values, there = _values(column)
    return np.where(there, values.astype(np.float64), np.nan)


def _numbers(column: pa.ChunkedArray, wanted: Input) -> tuple[np.ndarray, np.ndarray]:
    """A column as float64 with NaN for null, and which rows are NaN or inside the limits."""
    values, there = _values(column)
    # Integers are compared as such: as floats those just beyond a limit would be equal to it.
    low, high = (int(limit) if values.dtype.kind == "i" else limit for limit in (wanted.low, wanted.high))
    inside = ~there | np.isnan(values) | ((values >= low) & (values <= high))
    return np.where(there, values.astype(np.float64), np.nan), inside


def _values(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    array = flat(column)
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    return numbers(array if pa.types.is_floating(array.type) else array.cast(pa.int64()))
