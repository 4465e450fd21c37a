"""Metrics of regression that are means of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from scoreline.metrics._confusion import ratio
from scoreline.metrics.base import Metric
from scoreline.task import Task

if TYPE_CHECKING:
    from scoreline.metrics.base import Answers


class ErrorMetric(Metric):
    """The mean of an error of each row. A kind says what the error is."""

    task: ClassVar[Task] = "regression"
    greater_is_better: ClassVar[bool] = False

    def errors(self, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """The error of each row."""
        raise NotImplementedError

    def sums(self, answers: Answers) -> np.ndarray:
        """Errors and rows, (replicates, 2)."""
        errors = self.errors(answers.truth, answers.predicted)
        return np.stack([errors @ answers.weights, answers.weights.sum(axis=0)], axis=1)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Mean error."""
        return ratio(sums[:, 0], sums[:, 1], empty=np.nan)
