"""Machine code for linear models: a label only where no order of adding gives another one."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.compiled.linear_kernel import DOUBT, NOT_FINITE, Kernel, Shape, vectors


class Job(NamedTuple):
    """A model and rows for it, coefficients and tables without fillers."""

    intercept: np.ndarray
    coef: np.ndarray
    tables: list[np.ndarray]
    codes: list[np.ndarray]
    numbers: np.ndarray

    @property
    def shape(self) -> Shape:
        return Shape("c" * len(self.tables) + "n" * len(self.coef), len(self.intercept))

    def labels(self) -> np.ndarray:
        """The labels by machine code."""
        fill = self.shape.width - self.shape.scores
        intercept = np.pad(self.intercept, (0, fill), constant_values=-np.inf)
        coef, largest = np.pad(self.coef, ((0, 0), (0, fill))), abs(self.coef).max(axis=1, initial=0)
        weights = np.concatenate([intercept, coef.ravel(), [abs(self.intercept).max()], largest])
        tables = [
            np.hstack(
                [np.pad(table, ((0, 0), (0, fill))), abs(table).max(axis=1, keepdims=True), np.ones((len(table), 1))]
            )
            for table in self.tables
        ]
        return Kernel(self.shape, weights).labels(self.codes, tables, list(self.numbers.T), len(self.numbers))

    def exact(self, row: int) -> list[Fraction]:
        """The scores of a row without any rounding."""
        terms = [self.intercept, *(table[codes[row]] for table, codes in zip(self.tables, self.codes, strict=True))]
        sums = [sum(map(Fraction, each)) for each in np.transpose(terms).tolist()]
        products = [
            sum(
                Fraction(float(value)) * Fraction(float(weight))
                for value, weight in zip(self.numbers[row], weights, strict=True)
            )
            for weights in self.coef.T
        ]
        return [Fraction(one) + other for one, other in zip(sums, products, strict=True)]


def drawn(shape: Shape, rows: int, seed: int, *, ties: bool = False, order: str = "F") -> Job:
    """A random job. With ties every score is a small change of the same one."""
    rng = np.random.default_rng(seed)

    def weights(count: int) -> np.ndarray:
        made = rng.normal(size=(count, shape.scores)) * 10.0 ** rng.integers(-3, 4)
        return made[:, :1] * (1 + rng.integers(-2, 3, made.shape) * 2.0**-51) if ties else made

    sizes = rng.integers(1, 9, shape.columns)
    return Job(
        weights(1)[0],
        weights(shape.numbers),
        [weights(size) for size in sizes],
        [rng.integers(0, size, rows).astype(np.int32) for size in sizes],
        np.array(rng.normal(size=(rows, shape.numbers)) * 10.0 ** rng.integers(-3, 4), order=order),  # type: ignore[call-overload]
    )


SHAPES = st.builds(Shape, st.text("cn", min_size=1, max_size=9), st.integers(2, 40))


@settings(max_examples=60, deadline=None)
@given(SHAPES, st.integers(1, 12), st.integers(0, 2**32), st.booleans(), st.sampled_from("CF"))
def test_a_label_is_that_of_the_exact_scores(shape: Shape, rows: int, seed: int, ties: bool, order: str) -> None:
    job = drawn(shape, rows, seed, ties=ties, order=order)
    for row, label in enumerate(job.labels().tolist()):
        scores = job.exact(row)
        best, second = sorted(scores, reverse=True)[:2]
        if label == DOUBT:
            assert best - second < Fraction(1, 10**12) * sum(abs(score) + 10**8 for score in scores)
        else:
            assert scores[label] == best > second


@settings(max_examples=100, deadline=None)
@given(SHAPES, st.integers(1, 12), st.integers(0, 2**32), st.booleans())
def test_exact_scores_are_those_of_adding_in_order(shape: Shape, rows: int, seed: int, whole: bool) -> None:
    rng = np.random.default_rng(seed)

    def weights(*size: int) -> np.ndarray:
        # Small whole numbers have equal sums.
        return rng.integers(-1, 2, size).astype(float) if whole else rng.normal(size=size) * 10.0 ** rng.integers(-9, 9)

    exact = Shape(shape.order, shape.scores, exact=True)
    scores, intercept, coef = np.zeros((rows, exact.scores)), weights(exact.scores), []
    codes, tables, numbers = [], [], []
    for kind in exact.order:
        if kind == "c":
            tables.append(weights(5, exact.scores))
            codes.append(rng.integers(0, 5, rows).astype(np.int32))
            scores += tables[-1][codes[-1]]
        else:
            numbers.append(weights(rows))
            coef.append(weights(exact.scores))
            scores += numbers[-1][:, np.newaxis] * coef[-1]
    given_weights = vectors(np.vstack([intercept, *coef]), exact.width)
    given_weights[0, exact.scores :] = -np.inf
    kernel = Kernel(exact, given_weights.ravel())
    found = kernel.labels(codes, [vectors(table, exact.width) for table in tables], numbers, rows)
    assert found.tolist() == (scores + intercept).argmax(axis=1).tolist()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_exact_scores_that_are_not_finite_are_told_apart(value: float) -> None:
    kernel = Kernel(Shape("n", 3, exact=True), np.array([0.0, 0.0, 0.0, -np.inf, 1.0, 2.0, 3.0, 0.0]))
    assert kernel.labels([], [], [np.array([1.0, value, -1.0])], 3).tolist() == [2, NOT_FINITE, 0]


@pytest.mark.parametrize("scores", [2, 3, 4, 5, 8, 9, 22, 64])
def test_every_class_can_be_the_best_one(scores: int) -> None:
    table = np.eye(scores)
    job = Job(
        np.zeros(scores), np.empty((0, scores)), [table], [np.arange(scores, dtype=np.int32)], np.empty((scores, 0))
    )
    assert job.labels().tolist() == list(range(scores))


@pytest.mark.parametrize("scores", [2, 22])
def test_equal_scores_are_in_doubt(scores: int) -> None:
    job = Job(np.ones(scores), np.ones((2, scores)), [], [], np.ones((3, 2)))
    assert job.labels().tolist() == [DOUBT] * 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.7e308])
def test_numbers_that_are_not_finite_are_told_apart(value: float) -> None:
    job = drawn(Shape("ccnnn", 22), 6, seed=4)
    job.numbers[4, 1] = value
    job.coef[1] *= 1e4
    found = job.labels()
    assert found[4] == NOT_FINITE
    assert (np.delete(found, 4) >= 0).all()


def test_arrays_that_do_not_fit_are_refused() -> None:
    weights = np.zeros(8 + 1 + 8 + 1)
    kernel = Kernel(Shape("cn", 8), weights)
    codes, table, number = np.zeros(3, np.int32), np.zeros((1, 10)), np.zeros(3)
    assert kernel.labels([codes], [table], [number], 3).tolist() == [DOUBT] * 3
    for wrong in (
        ([codes], [table], []),
        ([codes], [table], [number[:2]]),
        ([codes.astype(np.int64)], [table], [number]),
        ([codes], [table[:, :9]], [number]),
        ([codes], [table.astype(np.float32)], [number]),
        ([codes[::2]], [table], [number[:2]]),
    ):
        with pytest.raises(ValueError, match="shape or type"):
            kernel.labels(*wrong, 3)


def test_no_rows_have_no_labels() -> None:
    assert len(drawn(Shape("ccnn", 5), 0, seed=0).labels()) == 0
