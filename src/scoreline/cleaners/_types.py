"""Families of Arrow types, as cleaning steps speak of them."""

from __future__ import annotations

import pyarrow as pa


def plain(arrow_type: pa.DataType) -> pa.DataType:
    """The type of a column's values: dictionaries count as their values, views and untyped nulls as strings.

    >>> plain(pa.dictionary(pa.int32(), pa.string())), plain(pa.null())
    (DataType(string), DataType(string))
    """
    if pa.types.is_dictionary(arrow_type):
        return plain(arrow_type.value_type)
    return pa.string() if pa.types.is_string_view(arrow_type) or pa.types.is_null(arrow_type) else arrow_type


def decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column with its plain type; the column itself when it has it already."""
    wanted = plain(column.type)
    return column if column.type == wanted else column.cast(wanted)


def is_text(arrow_type: pa.DataType) -> bool:
    """True for strings of either width."""
    return bool(pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type))


def is_number(arrow_type: pa.DataType) -> bool:
    """True for integers, floats and decimals; not for booleans."""
    return bool(pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type) or pa.types.is_decimal(arrow_type))


def is_moment(arrow_type: pa.DataType) -> bool:
    """True for dates and timestamps."""
    return bool(pa.types.is_date(arrow_type) or pa.types.is_timestamp(arrow_type))
