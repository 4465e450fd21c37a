"""The mean squared error of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from scoreline.metrics._confusion import ratio
from scoreline.metrics.base import Metric
from scoreline.task import Task

if TYPE_CHECKING:
    from scoreline.metrics.base import Answers


class Brier(Metric):
    """The mean squared error of probabilities: summed over labels, and halved for two of them, as scikit-learn does."""

    kind: Literal["brier"] = "brier"

    task: ClassVar[Task] = "classification"
    needs_proba: ClassVar[bool] = True
    greater_is_better: ClassVar[bool] = False

    def sums(self, answers: Answers) -> np.ndarray:
        """Squared errors and rows, (replicates, 2)."""
        labels = len(answers.labels)
        proba = np.zeros((0, labels)) if answers.proba is None else answers.proba
        truth = answers.truth[:, np.newaxis] == np.arange(labels)
        error = ((proba - truth) ** 2).sum(axis=1) / (2 if labels == 2 else 1)
        return np.stack([error @ answers.weights, answers.weights.sum(axis=0)], axis=1)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Mean error."""
        return ratio(sums[:, 0], sums[:, 1], empty=np.nan)
