"""Casts that lose nothing, value by value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoreline.cleaners._dates import read_moments
from scoreline.cleaners._types import is_moment, is_number, is_text
from scoreline.frame import exact

_ISO_DATES = ("%Y-%m-%d",)
_ISO_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d")
_INTEGER = r"^[-+]?\d+$"
_NUMBER = r"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$"
# A decimal128 holds 38 digits; longer text would overflow silently.
_DECIMAL = r"^[-+]?(\d{1,38}|\d{0,19}\.\d{0,19})$"
_SLICE = 1024


def can_cast(source: pa.DataType, target: pa.DataType) -> bool:
    """True when a cast between the types means something.

    >>> can_cast(pa.string(), pa.int32()), can_cast(pa.bool_(), pa.date32())
    (True, False)
    """
    families = (_is_numeric, is_text, is_moment)
    if not any(family(target) for family in families) or not any(family(source) for family in families):
        return False
    if is_text(source) or is_text(target) or source == target:
        return True
    if is_moment(source) and is_moment(target):
        return getattr(source, "tz", None) == getattr(target, "tz", None)
    return _is_numeric(source) and _is_numeric(target)


def cast_exactly(values: pa.Array, target: pa.DataType) -> pa.Array:
    """The values in another type; null where a value does not fit it or would lose something.

    Integers must be in range and, as floats, exact (within 2**53). Floats become integers only when whole. Floats and
    decimals become the nearest float. Text must be read completely: numbers with a decimal point, ISO dates, true or
    false.
    """
    if values.type == target:
        return values
    if is_text(values.type):
        return _from_text(values, target)
    if pa.types.is_boolean(target):
        whole = _try_each(values, pa.int64())
        return _only(whole, pc.is_in(whole, value_set=pa.array([0, 1]))).cast(target)
    if pa.types.is_decimal(target) and not is_number(values.type):
        values = values.cast(pa.int8())
    if pa.types.is_decimal(target) and pa.types.is_integer(values.type):
        # Arrow casts integers only to decimals that hold all of them, but decimals to decimals by their values.
        values = values.cast(pa.decimal128(20, 0))
    return _only_equal(values, _try_each(exact(values) if pa.types.is_floating(target) else values, target))


def _is_numeric(arrow_type: pa.DataType) -> bool:
    return is_number(arrow_type) or bool(pa.types.is_boolean(arrow_type))


def _from_text(text: pa.Array, target: pa.DataType) -> pa.Array:
    if is_text(target):
        return text.cast(target)
    if is_moment(target):
        micros, read = read_moments(text, _ISO_DATES if pa.types.is_date(target) else _ISO_TIMES)
        moments = pa.array(micros, mask=~read | text.is_null().to_numpy(zero_copy_only=False)).cast(pa.timestamp("us"))
        zoned = moments.cast(pa.timestamp("us", getattr(target, "tz", None)))
        return _try_each(zoned, target)
    if pa.types.is_boolean(target):
        return _try_each(text, target)
    shape = _INTEGER if pa.types.is_integer(target) else _DECIMAL if pa.types.is_decimal(target) else _NUMBER
    readable = _only(text, pc.match_substring_regex(text, pattern=shape))
    numbers = _try_each(pc.replace_substring_regex(readable, pattern=r"^\+", replacement=""), target)
    return _only(numbers, pc.is_finite(numbers))


def _only_equal(values: pa.Array, cast: pa.Array) -> pa.Array:
    # Arrow's safe cast misses three losses: times cut off dates, decimals rounded from floats, floats that overflow.
    if pa.types.is_timestamp(values.type) and pa.types.is_date(cast.type):
        return _only(cast, pc.equal(cast.cast(values.type), values))
    if pa.types.is_floating(values.type) and pa.types.is_decimal(cast.type):
        return _only(cast, pc.equal(cast.cast(values.type), values))
    if pa.types.is_floating(cast.type):
        return _only(cast, pc.or_(pc.invert(pc.is_inf(cast)), _infinite(values)))
    return cast


def _infinite(values: pa.Array) -> pa.Array:
    return pc.is_inf(values) if pa.types.is_floating(values.type) else pa.array(np.zeros(len(values), bool))


def _only(values: pa.Array, good: pa.BooleanArray) -> pa.Array:
    return pc.if_else(pc.fill_null(good, fill_value=False), values, pa.scalar(None, values.type))


def _try_each(values: pa.Array, target: pa.DataType) -> pa.Array:
    """Cast; where that fails, in slices, and value by value in the slices that fail."""
    try:
        return pc.cast(values, target)
    except pa.ArrowInvalid:
        if len(values) == 1:
            return pa.nulls(1, target)
    size = _SLICE if len(values) > _SLICE else 1
    return pa.concat_arrays([_try_each(values.slice(at, size), target) for at in range(0, len(values), size)])
