"""What is done to a column of numbers before a model sees it, as a list of operations that a file can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoreline.compiled.operations import ADD, AT_LEAST, AT_MOST, DIVIDE, FILL, MULTIPLY, SUBTRACT

if TYPE_CHECKING:
    from collections.abc import Callable

_WORK: dict[int, Callable[[np.ndarray, float], np.ndarray]] = {
    FILL: lambda values, by: np.where(np.isnan(values), by, values),
    SUBTRACT: np.subtract,
    DIVIDE: np.divide,
    MULTIPLY: np.multiply,
    ADD: np.add,
    AT_LEAST: np.maximum,
    AT_MOST: np.minimum,
}


@dataclass(frozen=True)
class Scale:
    """Operations in order, each with its operand. None of them ever makes the larger of two numbers the smaller one."""

    steps: tuple[tuple[int, float], ...] = ()

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The numbers that the model sees, float64, with the roundings of scikit-learn."""
        with np.errstate(all="ignore"):
            for operation, operand in self.steps:
                values = _WORK[operation](values, operand)
        return values
