"""The root of the mean squared error, in units of the target."""

from __future__ import annotations

from typing import Literal

import numpy as np

from scoreline.metrics._errors import ErrorMetric


class Rmse(ErrorMetric):
    """The root of the mean squared error, in units of the target."""

    kind: Literal["rmse"] = "rmse"

    def errors(self, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Squared differences."""
        found: np.ndarray = np.square(truth - predicted)
        return found

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Root of the mean error."""
        found: np.ndarray = np.sqrt(super().value(sums))
        return found
