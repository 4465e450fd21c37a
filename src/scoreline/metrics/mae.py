"""The mean absolute error, in units of the target."""

from __future__ import annotations

from typing import Literal

import numpy as np

from scoreline.metrics._errors import ErrorMetric


class Mae(ErrorMetric):
    """The mean absolute error, in units of the target."""

    kind: Literal["mae"] = "mae"

    def errors(self, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Absolute differences."""
        found: np.ndarray = np.abs(truth - predicted)
        return found
