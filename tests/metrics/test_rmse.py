from collections.abc import Callable

import pytest
from sklearn.metrics import root_mean_squared_error
from tests.metrics.conftest import Case

from scoreline.metrics.base import Answers


def test_it_is_what_scikit_learn_says(numbers: Case, measured: Callable[[str, Answers], float]) -> None:
    expected = root_mean_squared_error(numbers.truth, numbers.predicted)
    assert measured("rmse", numbers.answers) == pytest.approx(expected, rel=1e-12)
