"""Metrics of classification that are made from how often each label is right, true and predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from scoreline.metrics._sums import grouped
from scoreline.metrics.base import Metric
from scoreline.task import Task

if TYPE_CHECKING:
    from scoreline.metrics.base import Answers


class ConfusionMetric(Metric):
    """A metric made from the margins and the diagonal of the weighted confusion matrix.

    Sums have the shape (replicates, 3, labels + 1): right, true and predicted rows of each label. The last label
    stands for all that training never saw together: such a row is wrong whatever is predicted.
    """

    task: ClassVar[Task] = "classification"
    family: ClassVar[str] = "confusion"

    def sums(self, answers: Answers) -> np.ndarray:
        """Right, true and predicted rows of each label."""
        size = len(answers.labels) + 1
        right = (answers.truth == answers.predicted) & (answers.truth >= 0)
        counts = (
            grouped(answers.truth[right], answers.weights[right], size),
            grouped(answers.truth % size, answers.weights, size),
            grouped(answers.predicted % size, answers.weights, size),
        )
        return np.stack(counts, axis=1)


class Rates:
    """What the metrics are made of; each float64 (replicates, labels + 1)."""

    def __init__(self, sums: np.ndarray) -> None:
        self.right, self.true, self.predicted = np.moveaxis(sums, 1, 0)

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
