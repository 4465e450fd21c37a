"""The mean absolute error relative to the true value."""

from __future__ import annotations

from typing import Literal

import numpy as np

from scoreline.metrics._errors import ErrorMetric


class Mape(ErrorMetric):
    """The mean absolute error relative to the true value."""

    kind: Literal["mape"] = "mape"

    def errors(self, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Absolute differences over absolute true values."""
        found: np.ndarray = np.abs(truth - predicted) / np.maximum(np.abs(truth), np.finfo(np.float64).eps)
        return found
