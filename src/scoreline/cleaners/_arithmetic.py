"""Arithmetic on columns that never fails: what has no value, or none that fits, is null.

Numbers are int64 or float64 arrays or scalars. Division and remainder round as Python's do; what would be infinite or
not a number in floats, or out of range in integers, is null.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scoreline.frame import exact

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
# Holds the product of any two 64-bit integers.
_EXACT = pa.decimal256(19, 0)


def as_float(values: Any) -> Any:
    """The values as float64, rounded where integers are beyond 2**53."""
    return pc.cast(exact(values), pa.float64(), safe=False)


def are_integers(*values: Any) -> bool:
    """True when all are int64."""
    return all(value.type == pa.int64() for value in values)


def finite(values: Any) -> Any:
    """The values, null where they are infinite or not a number."""
    return pc.if_else(pc.is_finite(values), values, pa.scalar(None, values.type))


def add(a: Any, b: Any) -> Any:
    """Sum."""
    return _exactly("add", a, b) if are_integers(a, b) else finite(pc.add(as_float(a), as_float(b)))


def subtract(a: Any, b: Any) -> Any:
    """Difference."""
    return _exactly("subtract", a, b) if are_integers(a, b) else finite(pc.subtract(as_float(a), as_float(b)))


def multiply(a: Any, b: Any) -> Any:
    """Product."""
    return _exactly("multiply", a, b) if are_integers(a, b) else finite(pc.multiply(as_float(a), as_float(b)))


def divide(a: Any, b: Any) -> Any:
    """Quotient, always float64."""
    return finite(pc.divide(as_float(a), as_float(b)))


def floor_divide(a: Any, b: Any) -> Any:
    """Quotient rounded down."""
    if are_integers(a, b):
        b = _not_zero(b)
        overflow = pc.and_(pc.equal(a, _LOWEST), pc.equal(b, -1))
        uneven = pc.and_(pc.not_equal(pc.remainder(a, b), 0), pc.xor(pc.less(a, 0), pc.less(b, 0)))
        rounded = pc.subtract(pc.divide(a, b), pc.cast(uneven, pa.int64()))
        return pc.if_else(overflow, pa.scalar(None, pa.int64()), rounded)
    a, b = as_float(a), as_float(b)
    # Exact but for one rounding, which may fall on either side of the integer; as CPython's float_divmod.
    return finite(pc.round(pc.divide(pc.subtract(a, pc.modulo(a, b)), b), round_mode="half_down"))


def modulo(a: Any, b: Any) -> Any:
    """Remainder with the sign of the divisor."""
    if are_integers(a, b):
        return pc.modulo(a, _not_zero(b))
    return finite(pc.modulo(as_float(a), as_float(b)))


def power(a: Any, b: Any) -> Any:
    """Power, always float64."""
    return finite(pc.power(as_float(a), as_float(b)))


def negative(a: Any) -> Any:
    """The number with the other sign."""
    return _exactly("subtract", pa.scalar(0, pa.int64()), a) if are_integers(a) else pc.negate(a)


def absolute(a: Any) -> Any:
    """The number without its sign."""
    return pc.if_else(pc.less(a, 0), negative(a), a) if are_integers(a) else pc.abs(a)


def whole(a: Any) -> Any:
    """Whole floats as int64."""
    fits = pc.and_(pc.greater_equal(a, float(_LOWEST)), pc.less(a, float(2**63)))
    return pc.cast(pc.if_else(fits, a, pa.scalar(None, pa.float64())), pa.int64())


def _not_zero(values: Any) -> Any:
    return pc.if_else(pc.equal(values, 0), pa.scalar(None, pa.int64()), values)


def _exactly(operation: str, a: Any, b: Any) -> Any:
    try:
        return pc.call_function(f"{operation}_checked", [a, b])
    except pa.ArrowInvalid:
        exact = pc.call_function(operation, [pc.cast(a, _EXACT), pc.cast(b, _EXACT)])
        low, high = (pc.cast(pa.scalar(limit), exact.type) for limit in (_LOWEST, _HIGHEST))
        fits = pc.and_(pc.greater_equal(exact, low), pc.less_equal(exact, high))
        return pc.cast(pc.if_else(fits, exact, pa.scalar(None, exact.type)), pa.int64())
