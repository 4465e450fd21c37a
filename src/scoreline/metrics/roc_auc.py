"""The area under the ROC curve, from histograms of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from scoreline.metrics._confusion import ratio
from scoreline.metrics._sums import grouped
from scoreline.metrics.base import Metric
from scoreline.task import Task

if TYPE_CHECKING:
    from scoreline.metrics.base import Answers

BINS_OF_TWO, BINS_OF_MANY = 4_096, 256
"""Equal bins of the probability, for two labels and for more. The error is at most half the share of pairs in one bin."""


class RocAuc(Metric):
    """The area under the ROC curve: of the second label when there are two, else the mean over labels against the rest."""

    kind: Literal["roc_auc"] = "roc_auc"

    task: ClassVar[Task] = "classification"
    needs_proba: ClassVar[bool] = True

    def sums(self, answers: Answers) -> np.ndarray:
        """Rows by label, by whether it is the true one, and by bin of its probability: (replicates, labels, 2, bins)."""
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
        """Share of (other, true) pairs in which the true row has the higher probability; a shared bin counts half."""
        other, true = sums[:, :, 0], sums[:, :, 1]
        below = np.cumsum(other, axis=2) - other
        pairs = (true * (below + other / 2)).sum(axis=2)
        area = ratio(pairs, true.sum(axis=2) * other.sum(axis=2), empty=np.nan)
        defined = np.isfinite(area)
        return ratio(np.where(defined, area, 0.0).sum(axis=1), defined.sum(axis=1), empty=np.nan)


def _codes(proba: np.ndarray, is_true: np.ndarray, bins: int) -> np.ndarray:
    codes: np.ndarray = np.minimum((proba * bins).astype(np.int64), bins - 1) + is_true * bins
    return codes
