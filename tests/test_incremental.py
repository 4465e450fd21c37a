from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.neural_network import MLPClassifier

from scoreline.clusters.local import Local
from scoreline.incremental import fit_incremental, fit_incremental_on

ROWS = (0, 100, 0, 57, 1)
CLASSES = np.array(["a", "b"], dtype=object)
Load = Callable[[], tuple[np.ndarray, np.ndarray]]


def _numbers(rows: int) -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(rows).normal(size=(rows, 3))
    return features, features @ [1.0, -2.0, 0.5]


def _labels(rows: int) -> tuple[np.ndarray, np.ndarray]:
    features, value = _numbers(rows)
    return features, np.where(value > 0, "a", "b").astype(object)


def test_it_is_partial_fit_over_the_parts_in_their_order() -> None:
    plain = SGDClassifier(random_state=1)
    for rows in filter(None, ROWS):
        plain.partial_fit(*_labels(rows), classes=CLASSES)
    ours = fit_incremental(SGDClassifier(random_state=1), map(_labels, ROWS), CLASSES)
    np.testing.assert_array_equal(ours.coef_, plain.coef_)
    assert ours.classes_.tolist() == ["a", "b"]


def test_the_estimator_itself_is_fitted_and_no_part_is_kept() -> None:
    estimator = SGDRegressor(random_state=1)
    assert fit_incremental(estimator, iter([_numbers(20)]), None) is estimator
    assert estimator.coef_.shape == (3,)


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("estimator", "part", "classes"),
    [
        (SGDClassifier(random_state=1), _labels, CLASSES),
        (MLPClassifier((4,), random_state=1), _labels, CLASSES),
        (SGDRegressor(random_state=1), _numbers, None),
    ],
)
def test_a_cluster_gives_the_same_plain_estimator(
    estimator: object, part: Callable[[int], tuple[np.ndarray, np.ndarray]], classes: np.ndarray | None
) -> None:
    def load(rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Defined inside, so that it travels as a whole: workers cannot import this file."""
        generator = np.random.default_rng(rows).normal(size=(rows, 3))
        value = generator @ [1.0, -2.0, 0.5]
        return generator, value if classes is None else np.where(value > 0, "a", "b").astype(object)

    parts: list[Load] = [partial(load, rows) for rows in ROWS]
    with Local(workers=2).open() as session:
        ours = fit_incremental_on(session.client, estimator, parts, classes)
    here = fit_incremental(estimator, (part() for part in parts), classes)
    assert type(ours) is type(here)
    for ours_of_layer, here_of_layer in zip(_weights(ours), _weights(here), strict=True):
        np.testing.assert_array_equal(ours_of_layer, here_of_layer)


def _weights(estimator: Any) -> list[np.ndarray]:
    return [estimator.coef_, estimator.intercept_] if hasattr(estimator, "coef_") else estimator.coefs_
