"""F1 of all decisions together: for one label a row, the accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scoreline.metrics._confusion import ConfusionMetric, Rates, ratio

if TYPE_CHECKING:
    import numpy as np


class F1Micro(ConfusionMetric):
    """F1 of all decisions together: for one label a row, the accuracy."""

    kind: Literal["f1_micro"] = "f1_micro"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """F1 from totals over labels."""
        rates = Rates(sums)
        totals = rates.true.sum(axis=1) + rates.predicted.sum(axis=1)
        return ratio(2 * rates.right.sum(axis=1), totals, empty=float("nan"))
