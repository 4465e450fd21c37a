from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoreline.compiled.answers import Answers, Chosen, first_of_best

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
