"""How a program reads its columns: each slot turns the value of one column into a code, or hands its number on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from scoreline.frame import family

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy as np

    from scoreline.compiled.baked.scale import Scale

Kind = Literal["text", "whole", "bool", "number", "single"]
"""What an input column holds: text, integers, booleans, float64, float32."""

LEFT_OUT = -1
"""The code of values that are left to scikit-learn."""

EXACT = 2**53
"""The largest magnitude up to which every integer is a float64."""


@dataclass(frozen=True)
class Input:
    """An input column; numbers below `low` or above `high` are left to scikit-learn, and null where it is refused."""

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    nullable: bool = True


@dataclass(frozen=True, eq=False)
class Lookup:
    """A code for each value that the fitted encoder knows.

    Attributes
    ----------
    input : the number of the input column
    values : the known values, distinct; None is null
    codes : int64, one for each of them, and one more for all other values; `LEFT_OUT` where scikit-learn must answer
    """

    input: int
    values: tuple[Hashable, ...]
    codes: np.ndarray


@dataclass(frozen=True, eq=False)
class Cuts:
    """The number of sorted thresholds that a number is above; `null` is the code of NaN and of null."""

    input: int
    cuts: np.ndarray
    null: int


@dataclass(frozen=True)
class Feature:
    """A number as the model sees it."""

    input: int
    scale: Scale


Slot = Lookup | Cuts | Feature


def kind_of(arrow_type: pa.DataType) -> Kind | None:
    """The kind of a column of some type; None for types that programs do not read."""
    if family(arrow_type) == "text":
        return "text"
    if pa.types.is_boolean(arrow_type):
        return "bool"
    if pa.types.is_integer(arrow_type):
        return "whole"
    if pa.types.is_float64(arrow_type):
        return "number"
    return "single" if pa.types.is_float32(arrow_type) else None


def is_plain(value: Any, column: Input) -> bool:
    r"""Whether a value that nobody knows is the same to Arrow, numpy and Python; numpy drops NUL at the end of text.

    >>> city = Input("city", "text")
    >>> is_plain("Recife", city), is_plain("a\0", city), is_plain("\ud800", city)
    (True, False, False)
    """
    if type(value) is int:
        return column.low <= value <= column.high
    if type(value) is not str:
        return True
    if "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
