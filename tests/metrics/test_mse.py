from collections.abc import Callable

import pytest
from sklearn.metrics import mean_squared_error
from tests.metrics.conftest import Case

from scoreline.metrics.base import Answers


def test_it_is_what_scikit_learn_says(numbers: Case, measured: Callable[[str, Answers], float]) -> None:
    expected = mean_squared_error(numbers.truth, numbers.predicted)
    assert measured("mse", numbers.answers) == pytest.approx(expected, rel=1e-12)
