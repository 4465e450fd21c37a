"""What a model answers for the rows of a part, and when two answers are the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDING = 1e-12
"""By how much at most probabilities may differ with the number of rows that BLAS is given at once."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """Predictions as places among the classes of a model, int (rows,): most of what becomes of them needs no more."""

    classes: np.ndarray
    places: np.ndarray

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: FBT001  as NumPy calls it
        """The predictions themselves, as scikit-learn gives them."""
        return np.asarray(self.classes.take(self.places, axis=0), dtype=dtype)


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model answers, row by row.

    Attributes
    ----------
    given : the predictions, as they came about
    proba : probabilities, float64 (rows, labels), when they were asked for
    """

    given: np.ndarray | Chosen
    proba: np.ndarray | None = None

    @cached_property
    def predictions(self) -> np.ndarray:
        """One prediction a row, or one for each output."""
        return np.asarray(self.given)

    @property
    def labels(self) -> Answers:
        """The predictions alone."""
        return Answers(self.given)

    def take(self, rows: np.ndarray) -> Answers:
        """The answers for some of the rows."""
        given = self.given
        some = Chosen(given.classes, given.places[rows]) if isinstance(given, Chosen) else given[rows]
        return Answers(some, None if self.proba is None else self.proba[rows])

    def agrees(self, other: Answers, tolerance: float) -> bool:
        """Whether predictions are equal to the last bit, and probabilities within `tolerance`; NaN equals NaN.

        >>> Answers(np.array([0.0])).agrees(Answers(np.array([-0.0])), 0)
        False
        """
        return is_identical(self.predictions, other.predictions) and _close(self.proba, other.proba, tolerance)


def as_rows(predicted: Any) -> np.ndarray:
    """What ``predict`` gives, (rows,); of a model of several outputs (rows, outputs), dense.

    One that was fitted on a table of one column answers with such a table, which is one value a row.

    >>> as_rows([[0.5], [1.5]]).shape, as_rows([[1, 2], [3, 4]]).shape
    ((2,), (2, 2))
    """
    rows = np.asarray(_dense(predicted))
    if rows.ndim == 2 and rows.dtype.kind == "U" and isinstance(predicted, list):
        # Of numbers beside text NumPy makes text.
        rows = np.asarray(predicted, dtype=object)
    return rows[:, 0] if rows.ndim == 2 and rows.shape[1] == 1 else rows


def is_row_by_row(predictions: np.ndarray, rows: int) -> bool:
    """Whether there is a prediction for each of so many rows, or one for each output."""
    return predictions.ndim in (1, 2) and len(predictions) == rows and 0 not in predictions.shape[1:]


def as_probabilities(given: Any) -> np.ndarray:
    """What ``predict_proba`` gives, float64 (rows, labels); of several outputs, the labels of one after the other.

    >>> as_probabilities([[0.25, 0.75], [1, 0]]).shape, as_probabilities([np.ones((4, 2)), np.ones((4, 3))]).shape
    ((2, 2), (4, 5))
    """
    several = isinstance(given, list) and bool(given) and np.ndim(given[0]) == 2
    return np.asarray(np.hstack(given) if several else _dense(given), np.float64)


def _dense(given: Any) -> Any:
    return given.toarray() if hasattr(given, "toarray") else given


def class_labels(model: Any) -> tuple[Any, ...] | None:
    """The labels of a model in the order of its probabilities; None for one without classes.

    Those of several outputs have the number of the output before them. Mixtures number their components.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> class_labels(DecisionTreeClassifier().fit([[0], [1]], [["a", "x"], ["b", "y"]]))
    ('0_a', '0_b', '1_x', '1_y')
    """
    classes = getattr(model, "classes_", None)
    if not isinstance(classes, np.ndarray | list | tuple):
        return _components(model)
    outputs = (
        [np.asarray(of).tolist() for of in classes] if _are_of_outputs(classes) else [np.asarray(classes).tolist()]
    )
    if len(outputs) == 1:
        return tuple(outputs[0])
    return tuple(f"{output}_{label}" for output, labels in enumerate(outputs) for label in labels)


def _components(model: Any) -> tuple[int, ...] | None:
    """The numbers of a mixture's components, which may be the last of some steps, or the best that was found."""
    steps, best = getattr(model, "steps", None), getattr(model, "best_estimator_", None)
    if best is not None:
        return _components(best)
    if isinstance(steps, list) and steps and isinstance(steps[-1], tuple):
        return _components(steps[-1][-1])
    is_mixture = all(hasattr(model, name) for name in ("n_components", "weights_", "predict_proba"))
    return tuple(range(len(model.weights_))) if is_mixture else None


def _are_of_outputs(classes: Sequence[Any] | np.ndarray) -> bool:
    return isinstance(classes, list | tuple) and {np.ndim(of) for of in classes} == {1}


def first_of_best(scores: np.ndarray) -> np.ndarray:
    """The place of the best score of each row, as ``argmax`` finds it; scores (rows, scores), int (rows,).

    Quicker than that where scores lie in memory column by column.

    >>> first_of_best(np.array([[1.0, 2.0, 2.0], [np.nan, 1.0, np.nan]])).tolist()
    [1, 0]
    """
    best, places = scores[:, 0].copy(), np.zeros(len(scores), np.int32)
    for place in range(1, scores.shape[1]):
        mine = scores[:, place]
        np.copyto(places, place, where=mine > best)
        np.maximum(best, mine, out=best)
    # NaN, which is above all for `argmax`, spreads.
    return scores.argmax(axis=1) if np.isnan(best).any() else places


def is_identical(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays have the same type, shape and bits."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.kind == "O":
        return one.tolist() == other.tolist() or all(map(_is_alike, one.ravel().tolist(), other.ravel().tolist()))
    return one.tobytes() == other.tobytes()


def _is_alike(one: Any, other: Any) -> bool:
    # NaN is no value that equals itself.
    return type(one) is type(other) and bool(one == other or (one != one and other != other))  # noqa: PLR0124


def _close(one: np.ndarray | None, other: np.ndarray | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    if not tolerance:
        return is_identical(one, other)
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=0, atol=tolerance, equal_nan=True))
