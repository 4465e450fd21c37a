"""The mean negative log probability of the true label."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from scoreline.metrics._confusion import ratio
from scoreline.metrics.base import Metric
from scoreline.task import Task

if TYPE_CHECKING:
    from scoreline.metrics.base import Answers

SMALLEST = float(np.finfo(np.float64).eps)
"""Probabilities are kept this far from 0 and 1, as scikit-learn does."""


class LogLoss(Metric):
    """The mean negative log probability of the true label."""

    kind: Literal["log_loss"] = "log_loss"

    task: ClassVar[Task] = "classification"
    needs_proba: ClassVar[bool] = True
    greater_is_better: ClassVar[bool] = False

    def sums(self, answers: Answers) -> np.ndarray:
        """Losses and rows, (replicates, 2). A label that training never saw has the smallest probability."""
        proba = np.zeros((0, 1)) if answers.proba is None else answers.proba
        known = answers.truth >= 0
        of_truth = np.zeros(len(answers.truth))
        of_truth[known] = proba[np.flatnonzero(known), answers.truth[known]]
        loss = -np.log(np.clip(of_truth, SMALLEST, 1 - SMALLEST))
        return np.stack([loss @ answers.weights, answers.weights.sum(axis=0)], axis=1)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """Mean loss."""
        return ratio(sums[:, 0], sums[:, 1], empty=np.nan)
