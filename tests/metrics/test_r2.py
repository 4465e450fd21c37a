import math
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import r2_score
from tests.metrics.conftest import Case

from scoreline.metrics.base import Answers


def test_it_is_what_scikit_learn_says(numbers: Case, measured: Callable[[str, Answers], float]) -> None:
    expected = r2_score(numbers.truth, numbers.predicted)
    assert measured("r2", numbers.answers) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_a_target_that_does_not_vary_has_no_r2(value: float, measured: Callable[[str, Answers], float]) -> None:
    truth, weights = np.full(10_000, value), np.ones((10_000, 1))
    assert math.isnan(measured("r2", Answers(truth, truth + 1.0, None, (), weights)))
