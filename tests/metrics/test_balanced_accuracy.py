from collections.abc import Callable

import pytest
from sklearn.metrics import recall_score
from tests.metrics.conftest import Case

from scoreline.metrics.base import Answers


def test_it_is_what_scikit_learn_says(case: Case, measured: Callable[[str, Answers], float]) -> None:
    expected = recall_score(case.truth, case.predicted, labels=sorted(set(case.truth)), average="macro")
    assert measured("balanced_accuracy", case.answers) == pytest.approx(expected, rel=1e-12)
