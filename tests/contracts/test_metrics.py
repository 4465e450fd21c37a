"""What every metric must do: the same number for any parts, weights that mean repeated rows, NaN for nothing."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.catalogue import kinds, load_kind
from scoreline.metrics.base import Answers, Metric

ROWS = 60
LABELS = ("a", "b", "c")


def _metric(kind: str) -> Metric:
    found = load_kind("metrics", kind)()
    assert isinstance(found, Metric)
    return found


def _answers(metric: Metric, rows: int = ROWS, replicates: int = 4) -> Answers:
    """Random rows, some with a label that training never saw; integer weights, zero among them."""
    generator = np.random.default_rng(11)
    weights = np.concatenate([np.ones((rows, 1)), generator.poisson(1.0, (rows, replicates - 1))], axis=1)
    if metric.task == "regression":
        value = generator.normal(5.0, 2.0, rows)
        return Answers(value, value + generator.normal(size=rows), None, (), weights)
    truth, predicted = generator.integers(-1, 3, rows), generator.integers(0, 3, rows)
    return Answers(truth, predicted, generator.dirichlet(np.ones(3), rows), LABELS, weights)


def _rows(answers: Answers, rows: np.ndarray | slice) -> Answers:
    return replace(
        answers,
        truth=answers.truth[rows],
        predicted=answers.predicted[rows],
        proba=None if answers.proba is None else answers.proba[rows],
        weights=answers.weights[rows],
    )


@pytest.fixture(params=kinds("metrics"))
def metric(request: pytest.FixtureRequest) -> Metric:
    return _metric(request.param)


@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from(kinds("metrics")), cuts=st.lists(st.integers(0, ROWS), max_size=5))
def test_any_parts_empty_ones_too_give_the_same(kind: str, cuts: list[int]) -> None:
    metric = _metric(kind)
    whole = _answers(metric)
    edges = [0, *sorted(cuts), ROWS]
    parts = [_rows(whole, slice(start, stop)) for start, stop in pairwise(edges)]
    summed = np.sum([metric.sums(part) for part in parts], axis=0)
    np.testing.assert_allclose(metric.value(summed), metric.value(metric.sums(whole)), rtol=1e-12)


def test_a_weight_is_as_many_repeated_rows(metric: Metric) -> None:
    answers = _answers(metric)
    for replicate in range(answers.weights.shape[1]):
        rows = np.repeat(np.arange(ROWS), answers.weights[:, replicate].astype(int))
        repeated = replace(_rows(answers, rows), weights=np.ones((len(rows), 1)))
        expected = metric.value(metric.sums(repeated))[0]
        np.testing.assert_allclose(metric.value(metric.sums(answers))[replicate], expected, rtol=1e-12)


def test_no_rows_are_zeros_and_no_number(metric: Metric) -> None:
    nothing = metric.sums(_answers(metric, rows=0))
    assert nothing.shape == metric.sums(_answers(metric)).shape
    assert not nothing.any()
    assert np.isnan(metric.value(nothing)).all()


def test_one_row_warns_of_nothing(metric: Metric) -> None:
    assert metric.value(metric.sums(_answers(metric, rows=1))).shape == (4,)


def test_right_answers_are_better_than_random_ones(metric: Metric) -> None:
    answers = _rows(_answers(metric), _answers(metric).truth >= 0)
    sure = None if answers.proba is None else np.eye(3)[answers.truth]
    right = replace(answers, predicted=answers.truth, proba=sure)
    better = metric.value(metric.sums(right))[0] - metric.value(metric.sums(answers))[0]
    assert (better > 0) == metric.greater_is_better


def test_metrics_of_a_family_have_the_same_sums() -> None:
    by_family: dict[str, set[bytes]] = {}
    for metric in map(_metric, kinds("metrics")):
        by_family.setdefault(metric.family or metric.kind, set()).add(metric.sums(_answers(metric)).tobytes())
    assert {family: len(sums) for family, sums in by_family.items()} == dict.fromkeys(by_family, 1)
