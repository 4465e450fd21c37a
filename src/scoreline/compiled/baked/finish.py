"""What becomes of the scores of a model: labels, numbers, probabilities; by the arithmetic of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from scoreline.compiled.answers import Answers

Choice = Literal["number", "largest", "above_zero", "from_zero"]
"""The score is the answer; the class of the largest score; the second class where the score is above zero, or at it."""

Link = Literal["none", "score", "logit", "half_logit", "softmax"]
"""From scores to probabilities: there are none, scores are probabilities, and the links of boosting."""


@dataclass(frozen=True, eq=False)
class Finish:
    """From scores to answers.

    Attributes
    ----------
    choice, link : how labels and probabilities come about
    divisor : what scores are divided by first
    labels : the classes; None for numbers
    by_column : whether scikit-learn has the scores of a class beside one another, which decides how it adds them up
    """

    choice: Choice
    link: Link = "none"
    divisor: float = 1.0
    labels: np.ndarray | None = None
    by_column: bool = False

    @property
    def gives_proba(self) -> bool:
        """Whether there are probabilities."""
        return self.link != "none"

    def answers(self, sums: np.ndarray, *, proba: bool) -> Answers:
        """The answers for scores, float64 (rows, scores). Probabilities only where `gives_proba`."""
        scores = sums / self.divisor
        if self.labels is None:
            return Answers(scores[:, 0])
        return Answers(self.labels.take(self._places(scores)), self._proba(scores) if proba else None)

    def _places(self, scores: np.ndarray) -> np.ndarray:
        if self.choice == "largest":
            return np.asarray(scores.argmax(axis=1))
        chosen = scores[:, 0] > 0 if self.choice == "above_zero" else scores[:, 0] >= 0
        return np.asarray(chosen.astype(np.intp))

    def _proba(self, scores: np.ndarray) -> np.ndarray:
        if self.link == "score":
            return scores
        if self.link == "softmax":
            return _softmax(np.asfortranarray(scores) if self.by_column else scores)
        return _two(2 * scores[:, 0] if self.link == "half_logit" else scores[:, 0])


def _two(scores: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    made = np.empty((len(scores), 2))
    made[:, 1] = expit(scores)
    made[:, 0] = 1 - made[:, 1]
    return made


def _softmax(scores: np.ndarray) -> np.ndarray:
    made: Any = scores.copy(order="K")
    made -= made.max(axis=1).reshape(-1, 1)
    np.exp(made, out=made)
    made /= made.sum(axis=1).reshape(-1, 1)
    return np.asarray(made)
