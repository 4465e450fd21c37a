"""Thresholds after scaling as thresholds of the column itself, so that nothing is scaled when rows are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoreline.compiled.baked.slots import EXACT, Input, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    Growing = Callable[[np.ndarray], np.ndarray]
    """A function of float64 that never makes the larger of two numbers the smaller one."""

_LIMITS = (1e300, float(np.finfo(np.float32).max), 1e30, 1e15, 1e9)


def on_column(cuts: np.ndarray, scaled: Growing, column: Input) -> np.ndarray:
    """For each threshold the largest number of the column that `scaled` leaves at or below it; float64, sorted.

    Minus infinity where there is none, infinity where it is all of them. Found by halving all float64 numbers between
    the column's limits, in 64 calls.
    """
    ends = np.array([column.low, column.high])
    low, high = (np.full(len(cuts), end) for end in _places(ends))
    for _ in range(64):
        middle = (low & high) + ((low ^ high) >> 1)
        below = scaled(_numbers(middle)) <= cuts
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    least, most = scaled(ends)
    inside = np.where(scaled(_numbers(high)) <= cuts, _numbers(high), _numbers(low))
    return np.where(least > cuts, -np.inf, np.where(most <= cuts, np.inf, inside))


def _places(numbers: np.ndarray) -> np.ndarray:
    """Where finite numbers stand among all float64 numbers, in order; int64."""
    bits = (numbers + 0.0).view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def _numbers(places: np.ndarray) -> np.ndarray:
    bits = np.where(places < 0, np.int64(-(2**63)) - places, places)
    return np.asarray(bits).astype(np.int64).view(np.float64)


def limits(name: str, arrow_type: pa.DataType, kind: Kind, scaled: Growing) -> Input | None:
    """The column with limits between which `scaled` gives finite numbers alone; None when there are none."""
    low, high = range_of(arrow_type, kind)
    for limit in _LIMITS:
        column = Input(name, kind, max(low, -limit), min(high, limit))
        if np.isfinite(scaled(np.array([column.low, column.high]))).all():
            return column
    return None


def range_of(arrow_type: pa.DataType, kind: Kind) -> tuple[float, float]:
    """The numbers of a column that may be answered for: no infinite ones, and integers that are float64 too."""
    if kind == "whole":
        held = np.iinfo(str(arrow_type))
        return float(max(held.min, -EXACT)), float(min(held.max, EXACT))
    return {"number": (-_LIMITS[0], _LIMITS[0]), "single": (-_LIMITS[1], _LIMITS[1])}.get(kind, (0.0, 1.0))
