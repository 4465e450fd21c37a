"""The area under the curve of precision over recall, as steps."""

from __future__ import annotations

from typing import Literal

import numpy as np

from scoreline.metrics._confusion import ratio
from scoreline.metrics._histograms import HistogramMetric


class AveragePrecision(HistogramMetric):
    """The mean precision over the true rows: of the second label when there are two, else the mean over labels."""

    kind: Literal["average_precision"] = "average_precision"

    def of_label(self, other: np.ndarray, true: np.ndarray) -> np.ndarray:
        """Precision at each bin and above it, weighted by the true rows in the bin."""
        true_above, other_above = (np.cumsum(rows[..., ::-1], axis=2)[..., ::-1] for rows in (true, other))
        precision = ratio(true_above, true_above + other_above)
        return ratio((true * precision).sum(axis=2), true.sum(axis=2), empty=np.nan)
