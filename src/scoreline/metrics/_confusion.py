"""Metrics of classification that the confusion matrix decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from scoreline.metrics._sums import grouped
from scoreline.metrics.base import Metric
from scoreline.task import Task

if TYPE_CHECKING:
    from scoreline.metrics.base import Answers


class ConfusionMetric(Metric):
    """A metric made from the weighted confusion matrix.

    Sums have the shape (replicates, labels + 1, labels + 1). The last row and column stand for all labels that training never
    saw together: such a row is wrong whatever is predicted.
    """

    task: ClassVar[Task] = "classification"

    def sums(self, answers: Answers) -> np.ndarray:
        """The confusion matrix of each replicate: true label by predicted label."""
        size = len(answers.labels) + 1
        codes = (answers.truth % size) * size + answers.predicted % size
        return grouped(codes, answers.weights, size * size).reshape(-1, size, size)


class Rates:
    """What of the confusion matrices the metrics are made of; each float64 (replicates, labels + 1)."""

    def __init__(self, sums: np.ndarray) -> None:
        self.right = np.einsum("rii->ri", sums).copy()
        self.right[:, -1] = 0.0
        self.true = sums.sum(axis=2)
        self.predicted = sums.sum(axis=1)

    @property
    def present(self) -> np.ndarray:
        """True for labels that are true or predicted somewhere: the ones that macro averages are over."""
        found: np.ndarray = (self.true + self.predicted) > 0
        return found

    @property
    def precision(self) -> np.ndarray:
        """Right among predicted; 0 for a label that is never predicted."""
        return ratio(self.right, self.predicted)

    @property
    def recall(self) -> np.ndarray:
        """Right among true; 0 for a label that is never true."""
        return ratio(self.right, self.true)

    @property
    def f1(self) -> np.ndarray:
        """Harmonic mean of precision and recall; 0 where both are."""
        return ratio(2 * self.right, self.true + self.predicted)

    def macro(self, by_label: np.ndarray) -> np.ndarray:
        """The mean over the labels that are present; NaN without rows."""
        return ratio((by_label * self.present).sum(axis=1), self.present.sum(axis=1), empty=np.nan)


def ratio(above: np.ndarray, below: np.ndarray, empty: float = 0.0) -> np.ndarray:
    """Elementwise quotient; `empty` where the divisor is zero."""
    quotient = np.full(np.shape(above), empty, dtype=np.float64)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient
