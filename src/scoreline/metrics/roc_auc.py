"""The area under the ROC curve."""

from __future__ import annotations

from typing import Literal

import numpy as np

from scoreline.metrics._confusion import ratio
from scoreline.metrics._histograms import HistogramMetric


class RocAuc(HistogramMetric):
    """The area under the ROC curve: of the second of two labels, else the mean over labels against the rest."""

    kind: Literal["roc_auc"] = "roc_auc"

    def of_label(self, other: np.ndarray, true: np.ndarray) -> np.ndarray:
        """Share of (other, true) pairs in which the true row has the higher probability; a shared bin counts half."""
        below = np.cumsum(other, axis=2) - other
        pairs = (true * (below + other / 2)).sum(axis=2)
        return ratio(pairs, true.sum(axis=2) * other.sum(axis=2), empty=np.nan)
