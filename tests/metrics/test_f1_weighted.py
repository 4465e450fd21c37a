from collections.abc import Callable

import pytest
from sklearn.metrics import f1_score
from tests.metrics.conftest import Case

from scoreline.metrics.base import Answers


def test_it_is_what_scikit_learn_says(case: Case, measured: Callable[[str, Answers], float]) -> None:
    expected = f1_score(case.truth, case.predicted, average="weighted", zero_division=0)
    assert measured("f1_weighted", case.answers) == pytest.approx(expected, rel=1e-12)
