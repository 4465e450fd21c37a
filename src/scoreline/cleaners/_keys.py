"""Values that rows are matched by: which types can be compared, and one form for values of each."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from scoreline.cleaners._types import decoded, is_text, plain


def key_family(arrow_type: pa.DataType) -> str | None:
    """The family of types whose values can be equal; None for types that cannot be keys.

    >>> key_family(pa.int8()), key_family(pa.dictionary(pa.int8(), pa.string())), key_family(pa.list_(pa.int8()))
    ('whole numbers', 'text', None)
    """
    kind = plain(arrow_type)
    if is_text(kind):
        return "text"
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return "whole numbers"
    if pa.types.is_date(kind):
        return "dates"
    if pa.types.is_decimal(kind):
        return f"decimals with {kind.scale} places"
    if pa.types.is_timestamp(kind):
        return f"times{' with a zone' if kind.tz else ''}{' in nanoseconds' if kind.unit == 'ns' else ''}"
    exact = (pa.types.is_boolean, pa.types.is_floating, pa.types.is_uint64)
    return str(kind) if any(is_one(kind) for is_one in exact) else None


def canonical(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values as string, int64 or float64, so that equal keys of one family are equal. NaN becomes null."""
    values = decoded(column)
    kind = values.type
    if is_text(kind) or pa.types.is_decimal(kind):
        return values.cast(pa.string())
    if pa.types.is_floating(kind):
        floats = pc.add(values.cast(pa.float64()), 0.0)
        return pc.if_else(pc.is_nan(floats), pa.scalar(None, pa.float64()), floats)
    if pa.types.is_date(kind):
        return values.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
    if pa.types.is_timestamp(kind) and kind.unit != "ns":
        values = values.cast(pa.timestamp("us", kind.tz), safe=False)
    # Half of uint64 wraps around, alike on both sides.
    return values.cast(pa.int64(), safe=kind != pa.uint64())
