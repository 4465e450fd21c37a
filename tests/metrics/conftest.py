"""The same answers as Scoreline and as scikit-learn take them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from scoreline.catalogue import load_kind
from scoreline.metrics.base import Answers, Metric


@dataclass(frozen=True, eq=False)
class Case:
    """Answers, and the same for scikit-learn; all labels that training never saw are one label, "other"."""

    answers: Answers
    truth: np.ndarray
    predicted: np.ndarray
    proba: np.ndarray


def labelled(truth: np.ndarray, predicted: np.ndarray, labels: tuple[str, ...]) -> Case:
    proba = np.random.default_rng(5).dirichlet(np.ones(len(labels)), len(truth))
    names = np.array([*labels, "other"], dtype=object)
    answers = Answers(truth, predicted, proba, labels, np.ones((len(truth), 1)))
    return Case(answers, names[truth], names[predicted], proba)


def _drawn(lowest: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(4)
    truth = generator.integers(lowest, labels, 300)
    return truth, np.where(generator.random(300) < 0.5, np.maximum(truth, 0), generator.integers(0, labels, 300))


CASES: dict[str, Callable[[], Case]] = {
    "two labels": lambda: labelled(*_drawn(0, 2), ("a", "b")),
    "three labels": lambda: labelled(*_drawn(0, 3), ("a", "b", "c")),
    "a label that training never saw": lambda: labelled(*_drawn(-1, 3), ("a", "b", "c")),
    "a label that never occurs": lambda: labelled(*_drawn(0, 2), ("a", "b", "c")),
    "a label that is never predicted": lambda: labelled(_drawn(0, 3)[0], _drawn(0, 2)[0], ("a", "b", "c")),
    "one label alone": lambda: labelled(np.zeros(9, int), np.zeros(9, int), ("a", "b")),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


@pytest.fixture(params=["two labels", "three labels", "a label that never occurs"])
def known(request: pytest.FixtureRequest) -> Case:
    """A case in which training saw all labels."""
    return CASES[request.param]()


@pytest.fixture(params=[0.0, 1e4])
def numbers(request: pytest.FixtureRequest) -> Case:
    generator = np.random.default_rng(4)
    truth = generator.normal(request.param, 2.0, 300)
    predicted = truth + generator.normal(size=300)
    return Case(Answers(truth, predicted, None, (), np.ones((300, 1))), truth, predicted, np.zeros((300, 0)))


@pytest.fixture
def measured() -> Callable[[str, Answers], float]:
    """The number that a metric gives for some answers."""

    def measure(kind: str, answers: Answers) -> float:
        metric = load_kind("metrics", kind)()
        assert isinstance(metric, Metric)
        return float(metric.value(metric.sums(answers))[0])

    return measure
