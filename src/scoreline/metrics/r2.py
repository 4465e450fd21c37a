"""The share of the target's variance that the model explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from scoreline.metrics._confusion import ratio
from scoreline.metrics.base import Metric
from scoreline.task import Task

if TYPE_CHECKING:
    from scoreline.metrics.base import Answers


class R2(Metric):
    """The share of the target's variance that the model explains."""

    kind: Literal["r2"] = "r2"

    task: ClassVar[Task] = "regression"

    def sums(self, answers: Answers) -> np.ndarray:
        """Rows, target, its square, squared error: (replicates, 4)."""
        truth, weights = answers.truth, answers.weights
        error = np.square(truth - answers.predicted)
        return np.stack([weights.sum(axis=0), truth @ weights, np.square(truth) @ weights, error @ weights], axis=1)

    def value(self, sums: np.ndarray) -> np.ndarray:
        """1 - squared error over the variation of the target; NaN where the target does not vary.

        The variation is a difference of sums; below a millionth of the target's size nothing true is left of it.
        """
        rows, total, squares, error = sums.T
        variation = squares - ratio(total**2, rows)
        return 1.0 - ratio(error, np.where(variation > 1e-12 * squares, variation, 0.0), empty=np.nan)
