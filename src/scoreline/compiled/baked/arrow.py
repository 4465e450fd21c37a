"""Arrow arrays to numpy and back by their buffers: ``to_numpy``, ``pa.array`` and ``pa.scalar`` all import pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.frame import family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDE = {"int64": np.int64, "double": np.float64, "float": np.float32}


def flat(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array."""
    made = column.combine_chunks()
    return pa.concat_arrays(made.chunks) if isinstance(made, pa.ChunkedArray) else made


def numbers(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The values of an int64, float64 or float32 array, and which of them are there; what null holds is anything."""
    start, end = array.offset, array.offset + len(array)
    values = np.frombuffer(array.buffers()[1] or b"", _WIDE[str(array.type)], count=end if len(array) else 0)[start:end]
    bits = array.buffers()[0] if array.null_count else None
    if bits is None:
        return values, np.ones(len(array), dtype=bool)
    return values, np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[start:end].astype(bool)


def plain_array(values: Sequence[Any] | np.ndarray, arrow_type: pa.DataType) -> pa.Array | None:
    """An array of text, int64, float64 or bool without nulls; None for other types, and for values of other ones."""
    if pa.types.is_string(arrow_type):
        texts = values.tolist() if isinstance(values, np.ndarray) else values
        return _texts(texts) if all(type(value) is str for value in texts) else None
    if pa.types.is_boolean(arrow_type):
        return _bits(np.asarray(values)) if np.asarray(values).dtype == bool else None
    wanted = _WIDE.get(str(arrow_type))
    made = np.asarray(values)
    # An empty list is float64 to numpy.
    if wanted is None or (len(made) and made.dtype != wanted):
        return None
    return pa.Array.from_buffers(arrow_type, len(made), [None, pa.py_buffer(made.astype(wanted))])


def _texts(values: Sequence[str]) -> pa.Array:
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)])
    if ends[-1] >= 2**31:
        return None
    offsets = pa.py_buffer(ends.astype(np.int32))
    return pa.Array.from_buffers(pa.string(), len(encoded), [None, offsets, pa.py_buffer(b"".join(encoded))])


def _bits(values: np.ndarray) -> pa.Array:
    packed = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(packed)])


def one_row(record: Mapping[str, Any], schema: pa.Schema) -> pa.Table | None:
    """A table of one row; None where a value is not of exactly the type that stands for its column's."""
    arrays = [_one(record[field.name], field.type) for field in schema]
    return None if any(array is None for array in arrays) else pa.Table.from_arrays(arrays, schema=schema)


def _one(value: Any, arrow_type: pa.DataType) -> pa.Array | None:
    if value is None:
        return pa.nulls(1, arrow_type)
    if family(arrow_type) == "text" and not pa.types.is_string(arrow_type):
        return None
    expected = {"string": str, "bool": bool, "int64": int, "double": float}.get(str(arrow_type))
    if type(value) is not expected or (isinstance(value, int) and not -(2**63) <= value < 2**63):
        return None
    try:
        return plain_array([value], arrow_type)
    except UnicodeEncodeError:
        return None
