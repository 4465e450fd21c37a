"""Numbers filled and scaled straight from Arrow, by the arithmetic of the fitted transformers themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.compiled.dictionary import Declined
from scoreline.compiled.operations import (
    ADD,
    AT_LEAST,
    AT_MOST,
    DIVIDE,
    FILL,
    MULTIPLY,
    SUBTRACT,
    operations_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scoreline.compiled.operations import Operations


_EXACT = 2**53
"""Whole numbers up to this are numbers of float64."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """Columns of numbers and what is done to them, in the order and with the roundings of scikit-learn."""

    columns: pa.Schema
    steps: tuple[Operations, ...]

    def block(self, table: pa.Table) -> np.ndarray:
        """What the transformer makes of the columns; float64, in the memory order that a frame leads to.

        Raises Declined for columns of another type, and for infinite numbers and null where none is allowed, which
        scikit-learn or the frame refuses; ArrowInvalid for whole numbers that float64 does not hold.
        """
        made = np.empty((table.num_rows, len(self.columns)), order="F")
        for place, field in enumerate(self.columns):
            made[:, place] = _values(table[field.name], field)
        # Whole numbers are finite.
        suspects = [place for place, field in enumerate(self.columns) if not pa.types.is_integer(field.type)]
        with np.errstate(over="ignore"):
            for step in self.steps:
                # Each transformer looks before it works; the last one may well make an infinite number.
                _check(made, suspects)
                for operation, operand in step:
                    _WORK[operation](made, operand)
                if any(operation != FILL for operation, _ in step):
                    suspects = list(range(len(self.columns)))
        return made


def numbers_of(steps: Sequence[Any], columns: tuple[str, ...], schema: pa.Schema) -> Numbers | None:
    """The steps of a branch, when it is one of float64 and whole numbers and every step is known; else None."""
    fields = pa.schema([schema.field(name) for name in columns])
    if not steps or not all(kind == pa.float64() or pa.types.is_integer(kind) for kind in fields.types):
        return None
    known = [(step, operations_of(step)) for step in steps]
    plain = [found for step, found in known if found is not None and _is_plain(step, found)]
    return Numbers(fields, tuple(plain)) if len(plain) == len(steps) else None


def _check(made: np.ndarray, columns: Sequence[int]) -> None:
    infinite = [np.isinf(made[:, place]) for place in columns]
    if any(rows.any() for rows in infinite):
        raise Declined("infinite numbers", np.flatnonzero(np.any(infinite, axis=0)))


def _values(column: pa.ChunkedArray, field: pa.Field) -> np.ndarray:
    if column.type != field.type:
        raise Declined(f"column '{field.name}' is {column.type}, not {field.type}")
    if pa.types.is_integer(field.type) and column.null_count and not field.nullable:
        raise Declined(f"null in column '{field.name}'")
    if pa.types.is_integer(field.type) and not column.null_count:
        whole: np.ndarray = column.to_numpy()
        if not len(whole) or (whole.min() >= -_EXACT and whole.max() <= _EXACT):
            # Arrow looks at one value after another.
            return whole
    values: np.ndarray = column.cast(pa.float64()).to_numpy()
    return values


def _is_plain(transformer: Any, operations: Operations) -> bool:
    """Whether a transformer makes float64 of float64, and as many columns as it takes."""
    whole = all(np.isfinite(operand).all() for operation, operand in operations if operation == FILL)
    return whole and getattr(transformer, "_fill_dtype", np.float64) == np.float64


def _fill(made: np.ndarray, by: np.ndarray) -> None:
    for place, value in enumerate(by.tolist()):
        missing = np.isnan(made[:, place])
        if missing.any():
            made[missing, place] = value


_WORK: dict[int, Callable[[np.ndarray, Any], Any]] = {
    FILL: _fill,
    SUBTRACT: lambda made, by: np.subtract(made, by, out=made),
    DIVIDE: lambda made, by: np.divide(made, by, out=made),
    MULTIPLY: lambda made, by: np.multiply(made, by, out=made),
    ADD: lambda made, by: np.add(made, by, out=made),
    # Not maximum and minimum, which may turn the sign of zero.
    AT_LEAST: lambda made, by: np.clip(made, by, np.inf, out=made),
    AT_MOST: lambda made, by: np.clip(made, -np.inf, by, out=made),
}
"""Each changes a matrix in place."""
