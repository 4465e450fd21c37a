from collections.abc import Callable

import pytest
from sklearn.metrics import accuracy_score
from tests.metrics.conftest import Case

from scoreline.metrics.base import Answers


def test_it_is_what_scikit_learn_says(case: Case, measured: Callable[[str, Answers], float]) -> None:
    expected = accuracy_score(case.truth, case.predicted)
    assert measured("accuracy", case.answers) == pytest.approx(expected, rel=1e-12)
