"""Hashes of rows by value: equal for equal rows, however they are encoded, chunked or cut into parts.

Each row has two 64-bit hashes that are computed apart from one another, so that among a billion different rows the
chance of one false match is about one in 10**21. Null equals null, NaN equals NaN and -0.0 equals 0.0. Types count by
family only: the same number as int32 and as int64 has the same hash, as float64 another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

# One column of each array is one hash; odd multipliers from splitmix64, xxHash64 and the golden ratio.
_SEED = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)
_STEP = np.array([0x165667B19E3779F9, 0x27D4EB2F165667C5], dtype=np.uint64)
_NULL = np.array([0x2545F4914F6CDD1D, 0xD6E8FEB86659FD93], dtype=np.uint64)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_TEXT_KEYS = ("scoreline-first-", "scoreline-second")


def fingerprints(columns: Sequence[pa.ChunkedArray], rows: int) -> np.ndarray:
    """uint64 array of shape (rows, 2). Eager; 16 bytes a row beside one column at a time."""
    combined = np.broadcast_to(_SEED, (rows, 2))
    for column in columns:
        hashed = [hashes(chunk) for chunk in column.chunks]
        combined = _mixed(combined * _STEP + np.concatenate([np.empty((0, 2), np.uint64), *hashed]))
    return np.array(combined)


def can_hash(arrow_type: pa.DataType) -> bool:
    """True for all types but unions, intervals and other rarities.

    >>> can_hash(pa.list_(pa.struct({"a": pa.float32()}))), can_hash(pa.month_day_nano_interval())
    (True, False)
    """
    if pa.types.is_dictionary(arrow_type) or _is_list(arrow_type):
        return can_hash(arrow_type.value_type)
    if pa.types.is_map(arrow_type):
        return can_hash(arrow_type.key_type) and can_hash(arrow_type.item_type)
    if pa.types.is_struct(arrow_type):
        return all(can_hash(field.type) for field in arrow_type)
    return (
        _is_bytes(arrow_type)
        or (pa.types.is_primitive(arrow_type) and not pa.types.is_interval(arrow_type))
        or any(family(arrow_type) for family in (pa.types.is_null, pa.types.is_decimal))
    )


def hashes(values: pa.Array) -> np.ndarray:
    """uint64 array of shape (values, 2)."""
    hashed = _of_valid(values)
    nulls = values.is_null().to_numpy(zero_copy_only=False)
    return np.where(nulls[:, None], _NULL, hashed) if nulls.any() else hashed


def _of_valid(values: pa.Array) -> np.ndarray:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return (
            hashes(values.dictionary)[values.indices.fill_null(0).to_numpy()]
            if len(values.dictionary)
            else _blank(values)
        )
    if pa.types.is_struct(kind):
        return fingerprints([pa.chunked_array([field]) for field in values.flatten()], len(values))
    if pa.types.is_map(kind) or _is_list(kind):
        return _of_lists(values)
    if pa.types.is_decimal(kind):
        return _of_text(values.cast(pa.string()))
    return _of_text(values) if _is_bytes(kind) else _mixed(_bits(values)[:, None] * _STEP + _SEED)


def _blank(values: pa.Array) -> np.ndarray:
    return np.zeros((len(values), 2), np.uint64)


def _bits(values: pa.Array) -> np.ndarray:
    kind = values.type
    if pa.types.is_null(kind):
        return np.zeros(len(values), np.uint64)
    if pa.types.is_floating(kind):
        floats = values.cast(pa.float64()).fill_null(0.0).to_numpy() + 0.0
        return np.where(np.isnan(floats), np.nan, floats).view(np.uint64)
    if pa.types.is_uint64(kind):
        return np.asarray(values.fill_null(0).to_numpy())
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return np.asarray(values.cast(pa.int64()).fill_null(0).to_numpy()).view(np.uint64)
    # Dates, times and durations count days, seconds or fractions of them in 32 or 64 bits.
    counts = values.view(pa.int32() if kind.bit_width == 32 else pa.int64())
    return np.asarray(counts.cast(pa.int64()).fill_null(0).to_numpy()).view(np.uint64)


def _of_text(values: pa.Array) -> np.ndarray:
    from pandas.util import hash_array

    encoded = values.dictionary_encode()
    if not len(encoded.dictionary):
        return _blank(values)
    distinct = encoded.dictionary.to_numpy(zero_copy_only=False).astype(object)
    both = np.stack([hash_array(distinct, hash_key=key, categorize=False) for key in _TEXT_KEYS], axis=1)
    return np.asarray(both[encoded.indices.fill_null(0).to_numpy()])


def _of_lists(values: pa.Array) -> np.ndarray:
    if pa.types.is_map(values.type):
        entry = pa.struct([values.type.key_field, values.type.item_field])
        values = values.cast(pa.list_(pa.field("entries", entry, nullable=False)))
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy().astype(np.int64)
    stops = np.cumsum(lengths)
    place = np.arange(stops[-1] if len(stops) else 0) - np.repeat(stops - lengths, lengths)
    inside = _mixed(hashes(values.flatten()) + place.astype(np.uint64)[:, None] * _STEP)
    sums = np.concatenate([np.zeros((1, 2), np.uint64), np.cumsum(inside, axis=0, dtype=np.uint64)])
    return _mixed(sums[stops] - sums[stops - lengths] + lengths.astype(np.uint64)[:, None] * _SEED)


def _mixed(bits: np.ndarray) -> np.ndarray:
    # The finaliser of splitmix64: every bit of the input changes half of those of the output.
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return bool(
        text or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    )
