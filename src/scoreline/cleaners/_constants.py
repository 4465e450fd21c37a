"""Constants of a config as values of a column's type."""

from __future__ import annotations

import pyarrow as pa

from scoreline.cleaners._casts import can_cast, cast_exactly
from scoreline.cleaners._types import is_moment, is_number, is_text

Constant = bool | int | float | str


def constant(value: Constant | None, arrow_type: pa.DataType) -> pa.Scalar:
    """A JSON value as a scalar of a type; ISO text for dates. Raises ValueError when it does not fit the type exactly.

    >>> constant(3, pa.float64()), constant("2020-02-29", pa.date32())
    (<pyarrow.DoubleScalar: 3.0>, <pyarrow.Date32Scalar: datetime.date(2020, 2, 29)>)
    """
    if value is None:
        return pa.scalar(None, arrow_type)
    if isinstance(value, bool):
        suits = pa.types.is_boolean(arrow_type)
    elif isinstance(value, str):
        suits = is_text(arrow_type) or is_moment(arrow_type)
    else:
        suits = is_number(arrow_type)
    if not suits:
        raise ValueError(f"{value!r} is no {arrow_type}")
    return _exact(value, arrow_type)


def key(spelled: str, arrow_type: pa.DataType) -> pa.Scalar:
    """The name of a JSON object's member as a scalar of a type. Raises ValueError when it does not read as one.

    >>> key("7", pa.int64())
    <pyarrow.Int64Scalar: 7>
    """
    if not can_cast(pa.string(), arrow_type):
        raise ValueError(f"values of type {arrow_type} cannot be named in a config")
    return _exact(spelled, arrow_type)


def _exact(value: Constant, arrow_type: pa.DataType) -> pa.Scalar:
    try:
        scalar = cast_exactly(pa.array([value]), arrow_type)[0]
    except OverflowError:
        scalar = pa.scalar(None)
    if not scalar.is_valid:
        raise ValueError(f"{value!r} is no {arrow_type}")
    return scalar
