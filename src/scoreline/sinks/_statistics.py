"""Least and largest values that a footer tells of a column chunk, held against the values themselves."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from scoreline.chunks.stored import value
from scoreline.chunks.thrift import BINARY, FALSE, I64, TRUE
from scoreline.sinks._text import by_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.chunks.stored import StoredChunk
    from scoreline.chunks.thrift import Struct

_STATISTICS = 12
_NULLS, _LARGEST, _LEAST = 3, 5, 6
_BOUNDS = frozenset({_LARGEST, _LEAST, 7, 8})
_KINDS = {_NULLS: (I64,), _LARGEST: (BINARY,), _LEAST: (BINARY,), 7: (TRUE, FALSE), 8: (TRUE, FALSE)}
_FORMATS = {"boolean": "<?", "int32": "<i", "int64": "<q", "float": "<f", "double": "<d"}


def proven(chunk: StoredChunk, values: Sequence[pa.Array]) -> Struct:
    """Those statistics of a chunk that its values bear out; eager, one pass.

    Readers leave out row groups by them, so one that is wrong would hide rows.
    """
    told: Struct = value(chunk.metadata, _STATISTICS, {})
    typed = {number: field for number, field in told.items() if field[0] in _KINDS.get(number, ())}
    return {number: typed[number] for number in sorted(_held(chunk, typed, values))}


def _held(chunk: StoredChunk, told: Struct, values: Sequence[pa.Array]) -> frozenset[int]:
    """The fields of the statistics that hold."""
    if value(told, _NULLS, -1) != sum(array.null_count for array in values):
        return frozenset()
    nulls = frozenset({_NULLS})
    if not chunk.ordered or not {_LEAST, _LARGEST} <= told.keys():
        return nulls
    try:
        least, largest = (_decoded(value(told, number), chunk) for number in (_LEAST, _LARGEST))
    except struct.error:
        return nulls
    return nulls | (_BOUNDS & told.keys()) if _are_within(values, least, largest) else nulls


def _decoded(stored: bytes, chunk: StoredChunk) -> Any:
    physical, *meaning = chunk.meaning
    if physical == "bytes":
        return stored
    unsigned = meaning[:1] == ["integer"] and not meaning[2]
    form = _FORMATS[physical].upper() if unsigned else _FORMATS[physical]
    return struct.unpack(form, stored)[0]


def _are_within(values: Sequence[pa.Array], least: Any, largest: Any) -> bool:
    """Whether no value is beyond the bounds; NaN is not."""
    if not any(pa.types.is_dictionary(array.type) for array in values):
        return _is_within(values, least, largest)
    # A dictionary may list what no row has.
    return _is_within(_listed(values), least, largest) or _is_within([by_value(values).dictionary], least, largest)


def _is_within(values: Sequence[pa.Array], least: Any, largest: Any) -> bool:
    every = pa.chunked_array([_stored(array) for array in values])
    if pa.types.is_floating(every.type) or pa.types.is_binary(every.type):
        # Arrow finds the least of them one after another, and compares many at once.
        beyond = pc.less(every, pa.scalar(least, every.type)), pc.greater(every, pa.scalar(largest, every.type))
        return not any(pc.any(found).as_py() for found in beyond)
    found = pc.min_max(every).as_py()
    return found["min"] is None or not (found["min"] < least or largest < found["max"])


def _listed(values: Sequence[pa.Array]) -> list[pa.Array]:
    """Every dictionary once, and what has none."""
    listed = [array.dictionary if pa.types.is_dictionary(array.type) else array for array in values]
    return list({(array.offset, len(array), *_addresses(array)): array for array in listed}.values())


def _addresses(array: pa.Array) -> list[int]:
    return [0 if buffer is None else buffer.address for buffer in array.buffers()]


def _stored(array: pa.Array) -> pa.Array:
    """The values as numbers or bytes, without a copy."""
    kind = array.type
    if pa.types.is_temporal(kind):
        return array.view(f"int{kind.bit_width}")
    return array.view(pa.binary()) if pa.types.is_string(kind) else array
