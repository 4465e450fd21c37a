from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from scoreline.compiled.answers import (
    Answers,
    Chosen,
    as_probabilities,
    as_rows,
    class_labels,
    first_of_best,
    is_row_by_row,
)

PROBA = np.array([[0.25, 0.75]])


def test_answers_agree_to_the_last_bit_or_within_a_tolerance() -> None:
    one = Answers(np.array(["a"], dtype=object), PROBA)
    near = Answers(np.array(["a"], dtype=object), PROBA + 1e-13)
    assert one.agrees(near, 1e-12)
    assert not one.agrees(near, 0)
    assert not one.agrees(near, 1e-14)
    assert not one.agrees(one.labels, 0)
    assert one.labels.agrees(near.labels, 0)


def test_types_of_predictions_count() -> None:
    assert not Answers(np.array([1, 2])).agrees(Answers(np.array([1.0, 2.0])), 0)
    assert not Answers(np.array(["a"], dtype=object)).agrees(Answers(np.array(["b"], dtype=object)), 0)
    assert Answers(np.array([np.nan])).agrees(Answers(np.array([np.nan])), 0)


def test_chosen_classes_are_predictions_like_any_others() -> None:
    classes = np.array(["a", "b"], dtype=object)
    chosen, plain = Answers(Chosen(classes, np.array([1, 0, 1]))), Answers(np.array(["b", "a", "b"], dtype=object))
    assert chosen.agrees(plain, 0)
    assert chosen.labels.take(np.array([0, 1])).agrees(plain.take(np.array([0, 1])), 0)
    assert not chosen.agrees(plain.take(np.array([1, 0, 2])), 0)


def test_some_rows_are_taken() -> None:
    found = Answers(np.array([1, 2, 3]), np.eye(3)).take(np.array([2]))
    assert found.predictions.tolist() == [3]
    assert found.proba is not None
    assert found.proba.tolist() == [[0.0, 0.0, 1.0]]
    assert Answers(np.array([1, 2])).take(np.array([0])).proba is None


@settings(max_examples=100, deadline=None)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(0, 20), st.integers(1, 6)),
        elements=st.sampled_from([0.0, -0.0, 1.0, -1.0, 5e-324, np.inf, -np.inf, np.nan]),
    ),
    st.sampled_from("CF"),
)
def test_the_first_of_the_best_scores_is_that_of_argmax(scores: np.ndarray, order: Any) -> None:
    assert first_of_best(np.array(scores, order=order)).tolist() == scores.argmax(axis=1).tolist()


class Model:
    def __init__(self, classes: Any) -> None:
        self.classes_ = classes


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (np.array(["a", "b"]), ("a", "b")),
        ([np.array(["a", "b"]), np.array([1, 2])], ("0_a", "0_b", "1_1", "1_2")),
        # What learned a table of one column has one output.
        ([np.array(["a", "b"])], ("a", "b")),
        # Classes from elsewhere may keep their labels in a list.
        ([0, 1], (0, 1)),
        (["N", "Y"], ("N", "Y")),
        (("near", "far"), ("near", "far")),
        ([], ()),
        (None, None),
    ],
)
def test_labels_of_several_outputs_have_their_number(classes: Any, labels: Any) -> None:
    assert class_labels(Model(classes)) == labels


@pytest.mark.parametrize(
    ("given_", "shape"),
    [
        ([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]], (3, 2)),
        ([np.ones((3, 2), np.float32), np.ones((3, 4), np.float32)], (3, 6)),
        (sparse.csr_array(np.eye(3)), (3, 3)),
        (np.ones((3, 2), np.float32), (3, 2)),
    ],
)
def test_probabilities_come_in_any_form(given_: Any, shape: tuple[int, int]) -> None:
    found = as_probabilities(given_)
    assert (found.shape, found.dtype) == (shape, np.float64)


@pytest.mark.parametrize(
    ("given_", "rows"),
    [
        (np.array([[1.0], [2.0]]), [1.0, 2.0]),
        (sparse.csr_array(np.array([[0, 1], [1, 0]])), [[0, 1], [1, 0]]),
        ([("far", 1.5), ("near", 2.5)], [["far", 1.5], ["near", 2.5]]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_predictions_come_in_any_form(given_: Any, rows: list[Any]) -> None:
    assert as_rows(given_).tolist() == rows


@pytest.mark.parametrize("shape", [(), (2,), (3, 0), (3, 1, 1), (2, 3)])
def test_what_is_not_one_answer_a_row_is_told(shape: tuple[int, ...]) -> None:
    assert not is_row_by_row(np.zeros(shape), 3)
    assert is_row_by_row(np.zeros(3), 3)
    assert is_row_by_row(np.zeros((3, 2)), 3)


def test_components_of_a_mixture_are_labels_wherever_it_stands() -> None:
    mixture = GaussianMixture(2, random_state=0).fit(np.arange(8.0)[:, np.newaxis])
    assert class_labels(mixture) == (0, 1)
    assert class_labels(Pipeline([("scale", StandardScaler()), ("mixture", mixture)])) == (0, 1)
    assert class_labels(SimpleNamespace(best_estimator_=mixture)) == (0, 1)


@pytest.mark.parametrize("steps", [1000, [], [1, 2], None])
def test_steps_may_mean_something_else(steps: object) -> None:
    assert class_labels(SimpleNamespace(steps=steps)) is None
    assert class_labels(Pipeline([("model", SimpleNamespace(steps=steps))])) is None
