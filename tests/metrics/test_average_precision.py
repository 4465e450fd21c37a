from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from tests.metrics.conftest import CASES

from scoreline.metrics._histograms import BINS_OF_MANY, BINS_OF_TWO
from scoreline.metrics.base import Answers


def test_for_two_labels_it_is_what_scikit_learn_says_of_binned_probabilities(
    measured: Callable[[str, Answers], float],
) -> None:
    case = CASES["two labels"]()
    binned = np.floor(case.proba[:, 1] * BINS_OF_TWO)
    expected = average_precision_score(case.truth == "b", binned)
    assert measured("average_precision", case.answers) == pytest.approx(expected, rel=1e-12)


def test_for_more_labels_it_is_the_mean_of_each_against_the_rest(measured: Callable[[str, Answers], float]) -> None:
    case = CASES["three labels"]()
    binned = np.floor(case.proba * BINS_OF_MANY)
    by_label = [average_precision_score(case.truth == label, binned[:, code]) for code, label in enumerate("abc")]
    assert measured("average_precision", case.answers) == pytest.approx(np.mean(by_label), rel=1e-12)
