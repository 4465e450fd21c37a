"""The mean recall of the labels, each counting the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scoreline.metrics._confusion import ConfusionMetric, Rates

if TYPE_CHECKING:
    import numpy as np


class RecallMacro(ConfusionMetric):
    """The mean recall of the labels, each counting the same."""

    kind: Literal["recall_macro"] = "recall_macro"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Mean recall over the labels that are true or predicted."""
        rates = Rates(sums)
        return rates.macro(rates.recall)
