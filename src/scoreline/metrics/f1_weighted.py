"""The mean F1 of the labels, each counting by its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scoreline.metrics._confusion import ConfusionMetric, Rates, ratio

if TYPE_CHECKING:
    import numpy as np


class F1Weighted(ConfusionMetric):
    """The mean F1 of the labels, each counting by its rows."""

    kind: Literal["f1_weighted"] = "f1_weighted"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Mean F1 weighted by true rows."""
        rates = Rates(sums)
        return ratio((rates.f1 * rates.true).sum(axis=1), rates.true.sum(axis=1), empty=float("nan"))
