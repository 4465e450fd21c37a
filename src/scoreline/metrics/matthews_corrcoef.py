"""The correlation of true and predicted labels."""

from __future__ import annotations

from typing import Literal

import numpy as np

from scoreline.metrics._confusion import ConfusionMetric, Rates, ratio


class MatthewsCorrcoef(ConfusionMetric):
    """The correlation of true and predicted labels."""

    kind: Literal["matthews_corrcoef"] = "matthews_corrcoef"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Gorodkin's R_K, from the confusion matrix; 0 where a side is constant, NaN without rows."""
        rates = Rates(sums)
        rows = rates.true.sum(axis=1)
        covariance = rates.right.sum(axis=1) * rows - (rates.true * rates.predicted).sum(axis=1)
        spread = (rows**2 - (rates.true**2).sum(axis=1)) * (rows**2 - (rates.predicted**2).sum(axis=1))
        return np.where(rows > 0, ratio(covariance, spread**0.5), np.nan)
