"""The mean recall of the labels that occur."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scoreline.metrics._confusion import ConfusionMetric, Rates, ratio

if TYPE_CHECKING:
    import numpy as np


class BalancedAccuracy(ConfusionMetric):
    """The mean recall of the labels that occur."""

    kind: Literal["balanced_accuracy"] = "balanced_accuracy"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Mean recall over the labels that are true somewhere."""
        rates = Rates(sums)
        occurs = rates.true > 0
        return ratio((rates.recall * occurs).sum(axis=1), occurs.sum(axis=1), empty=float("nan"))
