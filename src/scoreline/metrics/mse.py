"""The mean squared error, in squared units of the target."""

from __future__ import annotations

from typing import Literal

import numpy as np

from scoreline.metrics._errors import ErrorMetric


class Mse(ErrorMetric):
    """The mean squared error, in squared units of the target."""

    kind: Literal["mse"] = "mse"

    def errors(self, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Squared differences."""
        found: np.ndarray = np.square(truth - predicted)
        return found
