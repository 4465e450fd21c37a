"""From a record or a table to the codes and numbers that a program's model takes."""

from __future__ import annotations

from bisect import bisect_left
from ctypes import c_float
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from scoreline.compiled.baked.arrow import flat, numbers
from scoreline.compiled.baked.slots import EXACT, LEFT_OUT, Feature, Lookup, is_plain, kind_of
from scoreline.compiled.dictionary import dictionary_encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scoreline.compiled.baked.slots import Input, Kind, Slot

    ReadRecord = Callable[[Mapping[str, Any]], tuple[list[int], list[float]] | None]
    """From a record to codes and numbers; None for values left to scikit-learn."""

_NAN = float("nan")
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


def record_reader(inputs: Sequence[Input], slots: Sequence[Slot]) -> ReadRecord:
    """A function from a record to the codes and numbers of its slots; it gives None for values left to scikit-learn.

    It raises KeyError where a column is missing.
    """
    coded = [(inputs[slot.input].name, _coder(inputs[slot.input], slot)) for slot in slots if not _is_feature(slot)]
    featured = [(inputs[slot.input].name, _number(inputs[slot.input])) for slot in slots if _is_feature(slot)]

    def read(record: Mapping[str, Any]) -> tuple[list[int], list[float]] | None:
        codes = []
        for name, code_of in coded:
            code = code_of(record[name])
            if code < 0:
                return None
            codes.append(code)
        found = []
        for name, number_of in featured:
            number = number_of(record[name])
            if number is None:
                return None
            found.append(number)
        return codes, found

    return read


def _is_feature(slot: Slot) -> bool:
    return isinstance(slot, Feature)


def _coder(column: Input, slot: Slot) -> Callable[[Any], int]:
    return _looker(column, slot) if isinstance(slot, Lookup) else _ranker(column, slot)


def _looker(column: Input, slot: Lookup) -> Callable[[Any], int]:
    types, known = _TYPES[column.kind], slot.codes.tolist()
    table: dict[Any, int] = dict(zip(slot.values, known, strict=False))
    other: int = known[-1]
    table.setdefault(None, LEFT_OUT)

    def look_up(value: Any) -> int:
        # True is 1 to a dictionary, and 1.0 too.
        if type(value) not in types:
            return LEFT_OUT
        code = table.get(value)
        if code is not None:
            return code
        return other if is_plain(value, column) else LEFT_OUT

    return look_up


def _ranker(column: Input, slot: Any) -> Callable[[Any], int]:
    # Plain Python numbers: several times faster here than numpy's.
    number_of, cuts, null = _number(column), slot.cuts.tolist(), int(slot.null)

    def ranked(value: Any) -> int:
        number = number_of(value)
        if number is None:
            return LEFT_OUT
        return bisect_left(cuts, number) if number == number else null  # noqa: PLR0124  not NaN

    return ranked


def _number(column: Input) -> Callable[[Any], float | None]:
    """From a value to a number, NaN for null; None for values that are left to scikit-learn."""
    types, low, high, kind = _TYPES[column.kind], column.low, column.high, column.kind
    null = _NAN if column.nullable else None

    def number_of(value: Any) -> float | None:
        if value is None:
            return null
        if type(value) not in types:
            value = _as_column(value, kind)
        if value is None or low <= value <= high:
            return None if value is None else float(value)
        return _NAN if value != value else None  # noqa: PLR0124

    return number_of


def _as_column(value: Any, kind: Kind) -> float | None:
    """What a value is in a column of some kind, where Arrow would take it and changes nothing but its precision."""
    if type(value) is int and kind == "number" and -EXACT <= value <= EXACT:
        return float(value)
    return c_float(value).value if type(value) is float and kind == "single" else None


def read_table(table: pa.Table, inputs: Sequence[Input], slots: Sequence[Slot]) -> Read | None:
    """What a model takes of the rows of a table; None when a column is of another type than the program reads."""
    columns = [table[column.name] for column in inputs]
    if any(kind_of(found.type) != column.kind for column, found in zip(inputs, columns, strict=True)):
        return None
    try:
        return _read(columns, inputs, slots, table.num_rows)
    except pa.ArrowException:
        # Dictionaries of types that Arrow does not encode, and integers beyond int64.
        return None


def _read(columns: Sequence[pa.ChunkedArray], inputs: Sequence[Input], slots: Sequence[Slot], rows: int) -> Read:
    known = np.ones(rows, dtype=bool)
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
    return Read(_stacked(codes, rows, np.int64), _stacked(found, rows, np.float64), known)


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
    # A limit as float32 would be another one; as float64 some integers beyond a limit are equal to it.
    low, high = (int(limit) if values.dtype.kind == "i" else limit for limit in (wanted.low, wanted.high))
    values = values if values.dtype.kind == "i" else values.astype(np.float64)
    inside = np.where(there, np.isnan(values) | ((values >= low) & (values <= high)), wanted.nullable)
    return np.where(there, values.astype(np.float64), np.nan), inside


def _values(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    array = flat(column)
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    return numbers(array if pa.types.is_floating(array.type) else array.cast(pa.int64()))
