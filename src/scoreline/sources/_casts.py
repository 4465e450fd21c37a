"""Which Arrow types may stand for which, and the values that a cast would damage."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_UNITS = ("s", "ms", "us", "ns")
_FRACTION_BITS = {16: 11, 32: 24, 64: 53}
_PLAIN: tuple[tuple[Callable[[pa.DataType], bool], pa.DataType], ...] = (
    (pa.types.is_large_string, pa.string()),
    (pa.types.is_string_view, pa.string()),
    (pa.types.is_large_binary, pa.binary()),
    (pa.types.is_binary_view, pa.binary()),
)


_Fields = list[pa.Field]
_NESTED: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType, _Fields], pa.DataType]], ...] = (
    (pa.types.is_struct, lambda _, fields: pa.struct(fields)),
    (pa.types.is_map, lambda found, fields: pa.map_(*fields[0].flatten(), keys_sorted=found.keys_sorted)),
    (pa.types.is_fixed_size_list, lambda found, fields: pa.list_(fields[0], found.list_size)),
    (pa.types.is_large_list, lambda _, fields: pa.large_list(fields[0])),
    (pa.types.is_list, lambda _, fields: pa.list_(fields[0])),
)


class Cast(StrEnum):
    """What a cast from one type to another may do to a value: nothing, make text of it, damage it."""

    SAFE = "safe"
    SPELLED = "spelled"
    CHECKED = "checked"
    IMPOSSIBLE = "impossible"


def plain(found: pa.DataType) -> pa.DataType:
    """The type that a contract gives to a column: dictionaries count as their values, large text as text.

    >>> plain(pa.dictionary(pa.int8(), pa.large_string()))
    DataType(string)
    """
    if pa.types.is_dictionary(found):
        return plain(found.value_type)
    return next((other for is_kind, other in _PLAIN if is_kind(found)), _without_views(found))


def _without_views(found: pa.DataType) -> pa.DataType:
    """The type with views inside as what they view: Arrow takes no rows of nested views."""
    inside = [found.field(place) for place in range(found.num_fields)]
    made = [field.with_type(_viewed(field.type)) for field in inside]
    same = made == inside
    return found if same else next((nest(found, made) for is_kind, nest in _NESTED if is_kind(found)), found)


def _viewed(inside: pa.DataType) -> pa.DataType:
    views = ((pa.types.is_string_view, pa.string()), (pa.types.is_binary_view, pa.binary()))
    return next((other for is_kind, other in views if is_kind(inside)), None) or _without_views(inside)


def cast_between(found: pa.DataType, wanted: pa.DataType) -> Cast:
    """Whether a cast keeps every value, spells it as text, must be checked value by value, or is none that we make.

    Floats that are declared float32 are rounded to it; only those too large for it are damaged.

    >>> [str(cast_between(pa.int32(), wanted)) for wanted in (pa.int64(), pa.int8(), pa.bool_())]
    ['safe', 'checked', 'impossible']
    """
    found, wanted = plain(found), plain(wanted)
    if found == wanted or pa.types.is_null(found):
        return Cast.SAFE
    if _is_number(found) and _is_number(wanted):
        return Cast.SAFE if _holds(wanted, found) else Cast.CHECKED
    if pa.types.is_decimal128(found) and pa.types.is_decimal128(wanted):
        whole, scale = wanted.precision - wanted.scale, wanted.scale
        return Cast.SAFE if whole >= found.precision - found.scale and scale >= found.scale else Cast.CHECKED
    if pa.types.is_timestamp(wanted) and (_is_as_fine(wanted, found) or _is_as_fine(found, wanted)):
        # A finer unit reaches less far: nanoseconds from 1677 to 2262.
        return Cast.SAFE if _is_as_fine(found, wanted) and _is_as_fine(wanted, found) else Cast.CHECKED
    return Cast.SPELLED if pa.types.is_integer(found) and pa.types.is_string(wanted) else Cast.IMPOSSIBLE


def _is_as_fine(wanted: pa.DataType, found: pa.DataType) -> bool:
    """Whether `wanted` tells a moment as exactly as `found` does, or more so."""
    if pa.types.is_date32(found):
        return bool(pa.types.is_timestamp(wanted) and wanted.tz is None)
    both = pa.types.is_timestamp(found) and pa.types.is_timestamp(wanted)
    return both and (found.tz is None) == (wanted.tz is None) and _UNITS.index(wanted.unit) >= _UNITS.index(found.unit)


def _is_number(found: pa.DataType) -> bool:
    return bool(pa.types.is_integer(found) or pa.types.is_floating(found))


def _holds(wanted: pa.DataType, found: pa.DataType) -> bool:
    """Whether a numeric type holds every value of another one."""
    if pa.types.is_floating(found):
        return bool(pa.types.is_floating(wanted) and wanted.bit_width >= found.bit_width)
    bits = found.bit_width - bool(pa.types.is_signed_integer(found))
    if pa.types.is_floating(wanted):
        return bool(bits <= _FRACTION_BITS[wanted.bit_width])
    if pa.types.is_unsigned_integer(wanted):
        return bool(pa.types.is_unsigned_integer(found) and wanted.bit_width >= bits)
    return bool(wanted.bit_width - 1 >= bits)


def common_type(found: Iterable[pa.DataType]) -> pa.DataType | None:
    """The type that holds the values of all given types: one of them, int64 or float64; None when there is none.

    Of moments the finest type, whose reach is enough for most data; what is beyond it is refused when it is read.

    >>> common_type([pa.int32(), pa.float32()]), common_type([pa.int64(), pa.float64()])
    (DataType(double), None)
    """
    types = list(dict.fromkeys(plain(one) for one in found))
    numbers = (pa.int64(), pa.float64()) if all(map(_is_number, types)) else ()
    for wanted in (*types, *numbers):
        if all(cast_between(one, wanted) is Cast.SAFE or _is_as_fine(wanted, one) for one in types):
            return wanted
    return None


def cast_values(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    """The values as a type; null where the cast would damage one. Text that is a dictionary stays one. Eager."""
    if values.type == wanted or (pa.types.is_string(wanted) and values.type == pa.dictionary(pa.int32(), wanted)):
        return values
    if pa.types.is_dictionary(values.type):
        distinct = cast_values(values.dictionary, wanted)
        if pa.types.is_string(wanted):
            return pa.DictionaryArray.from_arrays(values.indices.cast(pa.int32()), distinct)
        return distinct.take(values.indices)
    result = cast_where_possible(values, wanted)
    if not (pa.types.is_floating(wanted) and pa.types.is_floating(values.type)):
        return result
    lost = pc.and_(pc.is_inf(result), pc.is_finite(values))
    return pc.if_else(lost, pa.scalar(None, wanted), result)


def cast_where_possible(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    """The values cast one by one as it were: null where Arrow refuses to cast a value. Fast where few are refused."""
    try:
        return values.cast(wanted)
    except pa.ArrowInvalid:
        if len(values) == 1:
            return pa.nulls(1, wanted)
        half = len(values) // 2
        return pa.concat_arrays([cast_where_possible(part, wanted) for part in (values[:half], values[half:])])
