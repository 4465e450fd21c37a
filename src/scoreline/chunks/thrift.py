"""Thrift's compact protocol, as far as Parquet uses it: structs as dictionaries of fields, without a schema."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Field = tuple[int, Any]
"""The type of a field, and its value."""

Struct = dict[int, Field]
"""Fields by number. A list is the type of its elements and the elements."""

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12

_INTEGERS: Final = frozenset({I16, I32, I64})
_BOOLEANS: Final = frozenset({TRUE, FALSE})
_LISTS: Final = frozenset({LIST, SET})
_DEPTH = 24
_DOUBLE = struct.Struct("<d")


def parse(data: bytes, start: int = 0) -> tuple[Struct, int]:
    """The struct that begins at a byte, and where it ends; eager. Raises ValueError where it is cut short or is none.

    >>> parse(bytes([0x15, 0x02, 0x12, 0x00]))
    ({1: (5, 1), 2: (2, False)}, 4)
    """
    try:
        return _struct(data, start, _DEPTH)
    except (IndexError, struct.error) as error:
        raise ValueError("a Thrift struct is cut short") from error


def _struct(data: bytes, at: int, depth: int) -> tuple[Struct, int]:
    if not depth:
        raise ValueError("Thrift structs are too deep")
    fields: Struct = {}
    number = 0
    while head := data[at]:
        at += 1
        kind = head & 0x0F
        if head >> 4:
            number += head >> 4
        else:
            number, at = _integer(data, at, depth)
        if kind in _BOOLEANS:
            fields[number] = kind, kind == TRUE
        else:
            value, at = _reader(kind)(data, at, depth - 1)
            fields[number] = kind, value
    return fields, at + 1


def _reader(kind: int) -> Callable[[bytes, int, int], tuple[Any, int]]:
    try:
        return _READERS[kind]
    except KeyError as error:
        raise ValueError(f"Thrift has no type {kind} in Parquet") from error


def _list(data: bytes, at: int, depth: int) -> tuple[tuple[int, list[Any]], int]:
    if not depth:
        raise ValueError("Thrift lists are too deep")
    kind, count = data[at] & 0x0F, data[at] >> 4
    at += 1
    if count == 15:
        count, at = _varint(data, at)
    read, values = _reader(kind), []
    for _ in range(count):
        value, at = read(data, at, depth - 1)
        values.append(value)
    return (kind, values), at


def _binary(data: bytes, at: int, _: int) -> tuple[bytes, int]:
    size, at = _varint(data, at)
    if at + size > len(data):
        raise ValueError("a Thrift struct is cut short")
    return data[at : at + size], at + size


def _integer(data: bytes, at: int, _: int) -> tuple[int, int]:
    number, at = _varint(data, at)
    return (number >> 1) ^ -(number & 1), at


def _boolean(data: bytes, at: int, _: int) -> tuple[bool, int]:
    return data[at] == TRUE, at + 1


def _byte(data: bytes, at: int, _: int) -> tuple[int, int]:
    return data[at] - 256 * (data[at] >> 7), at + 1


def _double(data: bytes, at: int, _: int) -> tuple[float, int]:
    return _DOUBLE.unpack_from(data, at)[0], at + _DOUBLE.size


_READERS: Final[dict[int, Callable[[bytes, int, int], tuple[Any, int]]]] = {
    **dict.fromkeys((TRUE, FALSE), _boolean),
    **dict.fromkeys((I16, I32, I64), _integer),
    **dict.fromkeys((LIST, SET), _list),
    BYTE: _byte,
    DOUBLE: _double,
    BINARY: _binary,
    STRUCT: _struct,
}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number, shift = data[at], 7
    if number < 0x80:
        return number, at + 1
    number &= 0x7F
    while True:
        at += 1
        number |= (data[at] & 0x7F) << shift
        shift += 7
        if data[at] < 0x80:
            return number, at + 1
        if shift > 63:
            raise ValueError("a Thrift number is too long")


def serialize(fields: Struct) -> bytes:
    """The bytes of a struct, its fields in order of their numbers: those it was parsed from, where nothing changed.

    >>> serialize({1: (5, 1), 2: (2, False)}).hex()
    '15021200'
    """
    made = bytearray()
    _put_struct(made, fields)
    return bytes(made)


def _put_struct(made: bytearray, fields: Struct) -> None:
    before = 0
    for number in sorted(fields):
        kind, value = fields[number]
        if kind in _BOOLEANS:
            kind = TRUE if value else FALSE
        if 0 < number - before < 16:
            made.append((number - before) << 4 | kind)
        else:
            made.append(kind)
            _put_integer(made, number)
        before = number
        if kind not in _BOOLEANS:
            _put(made, kind, value)
    made.append(0)


def _put(made: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        _put_integer(made, value)
    elif kind == BINARY:
        _put_varint(made, len(value))
        made += value
    elif kind == STRUCT:
        _put_struct(made, value)
    elif kind in _LISTS:
        _put_list(made, *value)
    elif kind in _BOOLEANS:
        made.append(TRUE if value else FALSE)
    elif kind == BYTE:
        made.append(value & 0xFF)
    elif kind == DOUBLE:
        made += _DOUBLE.pack(value)
    else:
        raise ValueError(f"Thrift has no type {kind} in Parquet")


def _put_list(made: bytearray, kind: int, values: list[Any]) -> None:
    made.append(min(len(values), 15) << 4 | kind)
    if len(values) >= 15:
        _put_varint(made, len(values))
    for value in values:
        _put(made, kind, value)


def _put_integer(made: bytearray, number: int) -> None:
    _put_varint(made, 2 * number if number >= 0 else -2 * number - 1)


def _put_varint(made: bytearray, number: int) -> None:
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
