"""The mean F1 of the labels, each counting the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scoreline.metrics._confusion import ConfusionMetric, Rates

if TYPE_CHECKING:
    import numpy as np


class F1Macro(ConfusionMetric):
    """The mean F1 of the labels, each counting the same."""

    kind: Literal["f1_macro"] = "f1_macro"

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Mean F1 over the labels that are true or predicted."""
        rates = Rates(sums)
        return rates.macro(rates.f1)
