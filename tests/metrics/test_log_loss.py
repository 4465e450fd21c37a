from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import log_loss
from tests.metrics.conftest import Case, labelled

from scoreline.metrics.base import Answers


def test_it_is_what_scikit_learn_says(known: Case, measured: Callable[[str, Answers], float]) -> None:
    expected = log_loss(known.truth, known.proba, labels=list(known.answers.labels))
    assert measured("log_loss", known.answers) == pytest.approx(expected, rel=1e-12)


def test_a_label_that_training_never_saw_costs_as_much_as_a_sure_mistake(
    measured: Callable[[str, Answers], float],
) -> None:
    unseen = labelled(np.array([-1]), np.array([0]), ("a", "b")).answers
    sure = Answers(np.array([1]), np.array([0]), np.array([[1.0, 0.0]]), ("a", "b"), np.ones((1, 1)))
    assert measured("log_loss", unseen) == measured("log_loss", sure) == pytest.approx(36.04, abs=0.01)
