"""What every metric is: sums over rows that add up over parts, and a number made from the sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

from scoreline.task import Task

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Answers:
    """True and predicted values of the same rows.

    Attributes
    ----------
    truth, predicted : classification: int64 codes into `labels` (-1 for a label not among them); regression: float64
    proba : float64 (rows, labels), or None when the model gives no probabilities
    labels : the class labels in the order of the columns of `proba`, as text; empty for regression
    weights : float64 (rows, replicates): weight of each row in each bootstrap replicate; the first column is all ones
    """

    truth: np.ndarray
    predicted: np.ndarray
    proba: np.ndarray | None
    labels: tuple[str, ...]
    weights: np.ndarray


class Metric(BaseModel):
    """One metric kind; in a config it is its bare name, such as ``"accuracy"``.

    `sums` are float64 arrays whose first axis is the bootstrap replicate; those of parts are added up in part order,
    and `value` turns the total into one number per replicate (the first is the metric itself). NaN where it is not
    defined.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str

    task: ClassVar[Task]
    needs_proba: ClassVar[bool] = False
    greater_is_better: ClassVar[bool] = True
    wide: ClassVar[bool] = False
    """True when the sums of a replicate are thousands of numbers: too many to keep for every value of a slice."""

    family: ClassVar[str] = ""
    """Metrics of one family have the same sums, which are made once; a metric without one stands alone."""

    def sums(self, answers: Answers) -> np.ndarray:
        """Additive sums of one part, shape (replicates, ...); zeros for a part without rows."""
        raise NotImplementedError

    def value(self, sums: np.ndarray) -> np.ndarray:
        """The metric of each replicate, shape (replicates,)."""
        raise NotImplementedError
