from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from tests.metrics.conftest import CASES

from scoreline.metrics._histograms import BINS_OF_MANY, BINS_OF_TWO
from scoreline.metrics.base import Answers
from scoreline.metrics.roc_auc import RocAuc


def test_for_two_labels_it_is_what_scikit_learn_says_of_binned_probabilities(
    measured: Callable[[str, Answers], float],
) -> None:
    case = CASES["two labels"]()
    binned = np.floor(case.proba[:, 1] * BINS_OF_TWO)
    assert measured("roc_auc", case.answers) == pytest.approx(roc_auc_score(case.truth, binned), rel=1e-12)


def test_for_more_labels_it_is_the_mean_of_each_against_the_rest(measured: Callable[[str, Answers], float]) -> None:
    case = CASES["three labels"]()
    binned = np.floor(case.proba * BINS_OF_MANY)
    expected = np.mean([roc_auc_score(case.truth == label, binned[:, code]) for code, label in enumerate("abc")])
    assert measured("roc_auc", case.answers) == pytest.approx(expected, rel=1e-12)


def test_a_label_without_rows_is_left_out_of_the_mean(measured: Callable[[str, Answers], float]) -> None:
    case = CASES["a label that never occurs"]()
    binned = np.floor(case.proba * BINS_OF_MANY)
    expected = np.mean([roc_auc_score(case.truth == label, binned[:, code]) for code, label in enumerate("ab")])
    assert measured("roc_auc", case.answers) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(2, 400))
def test_bins_change_it_by_at_most_half_the_share_of_pairs_in_one_bin(seed: int, rows: int) -> None:
    generator = np.random.default_rng(seed)
    truth, high = np.arange(rows) % 2, generator.beta(0.3, 30.0, rows)
    answers = Answers(truth, truth, np.stack([1 - high, high], axis=1), ("a", "b"), np.ones((rows, 1)))
    bins = np.floor(high * BINS_OF_TWO)
    pairs = [bins[truth == 0][:, np.newaxis] == bins[truth == 1][np.newaxis, :]]
    found = float(RocAuc().value(RocAuc().sums(answers))[0])
    assert abs(found - roc_auc_score(truth, high)) <= np.mean(pairs) / 2 + 1e-12


def test_sure_probabilities_of_one_fall_into_the_last_bin(measured: Callable[[str, Answers], float]) -> None:
    answers = CASES["two labels"]().answers
    sure = replace(answers, proba=np.eye(2)[answers.truth])
    assert measured("roc_auc", sure) == 1.0
