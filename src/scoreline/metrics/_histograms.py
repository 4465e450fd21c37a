"""Metrics of classification that rank rows by a probability, from histograms of it.

Rows in one bin count as equal. What that can change: half the share of (true, other) pairs that fall into one bin for
the area under the ROC curve, and nothing at all for a model that has fewer different probabilities than there are
bins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from scoreline.metrics._confusion import ratio
from scoreline.metrics._sums import grouped
from scoreline.metrics.base import Metric
from scoreline.task import Task

if TYPE_CHECKING:
    from scoreline.metrics.base import Answers

BINS_OF_TWO, BINS_OF_MANY = 4_096, 256
"""Equal bins of the probability, for two labels and for more."""


class HistogramMetric(Metric):
    """A metric of the second label when there are two, else the mean over labels, each against the rest.

    Labels without rows, or without rows of other labels, are left out of the mean.
    """

    task: ClassVar[Task] = "classification"
    needs_proba: ClassVar[bool] = True
    wide: ClassVar[bool] = True
    family: ClassVar[str] = "histogram"

    def sums(self, answers: Answers) -> np.ndarray:
        """Rows by label, whether it is the true one, and bin of its probability: (replicates, labels, 2, bins)."""
        labels = len(answers.labels)
        judged = range(1, 2) if labels == 2 else range(labels)
        bins = BINS_OF_TWO if labels == 2 else BINS_OF_MANY
        proba = np.zeros((0, labels)) if answers.proba is None else answers.proba
        by_label = [
            grouped(_codes(proba[:, label], answers.truth == label, bins), answers.weights, 2 * bins)
            for label in judged
        ]
        return np.stack(by_label, axis=1).reshape(answers.weights.shape[1], len(judged), 2, bins)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """The mean of `of_label` over the labels for which it is defined."""
        found = self.of_label(sums[:, :, 0], sums[:, :, 1])
        defined = np.isfinite(found)
        return ratio(np.where(defined, found, 0.0).sum(axis=1), defined.sum(axis=1), empty=np.nan)

    def of_label(self, other: np.ndarray, true: np.ndarray) -> np.ndarray:
        """The metric of each label, (replicates, labels), from rows by bin, (replicates, labels, bins)."""
        raise NotImplementedError


def _codes(proba: np.ndarray, is_true: np.ndarray, bins: int) -> np.ndarray:
    codes: np.ndarray = np.minimum((proba * bins).astype(np.int64), bins - 1) + is_true * bins
    return codes
