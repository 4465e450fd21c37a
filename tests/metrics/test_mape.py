from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_percentage_error
from tests.metrics.conftest import Case

from scoreline.metrics.base import Answers


def test_it_is_what_scikit_learn_says(numbers: Case, measured: Callable[[str, Answers], float]) -> None:
    expected = mean_absolute_percentage_error(numbers.truth, numbers.predicted)
    assert measured("mape", numbers.answers) == pytest.approx(expected, rel=1e-12)


def test_a_true_zero_is_taken_as_the_smallest_number(measured: Callable[[str, Answers], float]) -> None:
    truth, predicted = np.array([0.0, 2.0]), np.array([1.0, 2.0])
    expected = mean_absolute_percentage_error(truth, predicted)
    assert measured("mape", Answers(truth, predicted, None, (), np.ones((2, 1)))) == pytest.approx(expected)
