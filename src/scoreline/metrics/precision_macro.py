"""The mean precision of the labels, each counting the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scoreline.metrics._confusion import ConfusionMetric, Rates

if TYPE_CHECKING:
    import numpy as np


class PrecisionMacro(ConfusionMetric):
    """The mean precision of the labels, each counting the same."""

    kind: Literal["precision_macro"] = "precision_macro"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Mean precision over the labels that are true or predicted."""
        rates = Rates(sums)
        return rates.macro(rates.precision)
