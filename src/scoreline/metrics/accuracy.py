"""The share of rows whose label is predicted right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scoreline.metrics._confusion import ConfusionMetric, Rates, ratio

if TYPE_CHECKING:
    import numpy as np


class Accuracy(ConfusionMetric):
    """The share of rows whose label is predicted right."""

    kind: Literal["accuracy"] = "accuracy"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Right rows over rows."""
        rates = Rates(sums)
        return ratio(rates.right.sum(axis=1), rates.true.sum(axis=1), empty=float("nan"))
