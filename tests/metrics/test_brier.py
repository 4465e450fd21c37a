from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss
from tests.metrics.conftest import Case, labelled

from scoreline.metrics.base import Answers


def test_it_is_what_scikit_learn_says(known: Case, measured: Callable[[str, Answers], float]) -> None:
    labels = list(known.answers.labels)
    expected = brier_score_loss(known.truth, known.proba, labels=labels)
    assert measured("brier", known.answers) == pytest.approx(expected, rel=1e-12)


def test_a_label_that_training_never_saw_has_no_right_probability(measured: Callable[[str, Answers], float]) -> None:
    unseen = labelled(np.array([-1]), np.array([0]), ("a", "b", "c"))
    assert measured("brier", unseen.answers) == pytest.approx((unseen.proba**2).sum())
