"""Scores of a dense matrix: every bit that BLAS gives, with the matrix never made."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import sparse
from tests.compiled.blas import ARCHITECTURES, known_blas

from scoreline.compiled import blas_scores
from scoreline.compiled.blas_kernel import BlasKernel
from scoreline.compiled.blas_order import Order, orders
from scoreline.compiled.blas_scores import ENOUGH_ROWS, ROWS, BlasScores
from scoreline.compiled.dictionary import Coded, CodedBranch, Declined, Dictionary
from scoreline.compiled.matrix import Layout
from scoreline.threads import limited

pytestmark = known_blas


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As units are scored: several threads share out the rows, and their borders need not be where four rows end."""
    with limited(1):
        yield


Part = tuple[str, int]
"""A branch: "one_hot", "values" or "numbers", and how many features it has."""
MIXED: list[Part] = [("numbers", 3), ("one_hot", 9), ("values", 2), ("one_hot", 40), ("numbers", 2)]


class Job:
    """A linear model and rows for it."""

    def __init__(self, parts: Sequence[Part], scores: int, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.parts = parts
        features = sum(count for _, count in parts)
        coef = self.rng.normal(size=(scores, features)) * 10.0 ** self.rng.integers(-2, 3, features)
        intercept = self.rng.normal(size=scores)
        layout = Layout(tuple((count,) for _, count in parts), np.dtype(np.float64))

        def compute(matrix: np.ndarray) -> np.ndarray:
            made: np.ndarray = matrix @ coef.T + intercept
            return made

        self.compute = compute
        one_hot = tuple(kind == "one_hot" for kind, _ in parts)
        self.scores = BlasScores(compute, np.ascontiguousarray(coef.T), intercept, layout, one_hot)
        self.dictionaries = {place: self._dictionary(*part) for place, part in enumerate(parts)}

    def _dictionary(self, kind: str, count: int) -> Dictionary | None:
        if kind == "numbers":
            return None
        # The last value of a category sets nothing.
        rows: Any = np.eye(count + 1, count) if kind == "one_hot" else self.rng.normal(size=(7, count))
        rows = sparse.csr_array(rows) if count % 2 and kind == "one_hot" else rows
        return Dictionary(pa.array(range(rows.shape[0])), rows, np.empty((rows.shape[0], 0)))

    def blocks(self, rows: int) -> list[Any]:
        """Random rows."""
        made: list[Any] = []
        for place, (_, count) in enumerate(self.parts):
            dictionary = self.dictionaries[place]
            if dictionary is None:
                made.append(self.rng.normal(size=(rows, count)))
            else:
                codes = self.rng.integers(0, len(dictionary.values), rows)
                made.append(CodedBranch((Coded(dictionary, codes),), dictionary.rows[:2]))
        return made

    def expected(self, blocks: Sequence[Any], rows: int) -> np.ndarray:
        """What BLAS gives."""
        return self.compute(stacked(blocks, rows)).reshape(rows, -1)


def stacked(blocks: Sequence[Any], _rows: int) -> np.ndarray:
    """The matrix."""
    pieces = [block.columns[0].block if isinstance(block, CodedBranch) else block for block in blocks]
    return np.hstack([piece.toarray() if sparse.issparse(piece) else piece for piece in pieces])


def taught(job: Job) -> Job:
    """The job once enough rows have come."""
    job.scores.learn(job.blocks(ROWS[-1]), ENOUGH_ROWS, stacked)
    return job


def is_known(job: Job) -> bool:
    """Whether a job's scores need scikit-learn no more."""
    return job.scores.scores(job.blocks(ROWS[-1]), ROWS[-1]) is not None


PARTS = st.lists(
    st.one_of(
        st.tuples(st.just("one_hot"), st.integers(1, 60)),
        st.tuples(st.just("values"), st.integers(1, 3)),
        st.tuples(st.just("numbers"), st.integers(1, 5)),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(PARTS, st.sampled_from([1, 2, 3, 4, 7, 22]), st.integers(0, 2**32))
@example([("one_hot", 500), ("values", 1), ("one_hot", 300), ("numbers", 3)], 3, 0)
@example([("one_hot", 2500), ("numbers", 2), ("one_hot", 5)], 1, 0)
@example([("numbers", 2)], 1, 0)
def test_scores_are_those_of_blas_to_the_last_bit(parts: list[Part], scores: int, seed: int) -> None:
    with limited(1):
        job = Job(parts, scores, seed)
        assert is_known(taught(job))
        for rows in (ROWS[-1], ROWS[-1] - 4):
            blocks = job.blocks(rows)
            found = job.scores.scores(blocks, rows)
            assert found is not None
            assert found.tobytes() == job.expected(blocks, rows).tobytes()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("scores", [1, 2, 4])
def test_small_parts_are_answered_only_where_blas_adds_up_alike(order: Any, scores: int) -> None:
    with limited(1):
        job = Job([("one_hot", 20), ("numbers", 5)], scores)
        coef = np.array(job.scores.coef.T, order=order)
        compute = lambda matrix: matrix @ coef.T + job.scores.intercept  # noqa: E731
        job.compute = job.scores.compute = compute
        taught(job)
        for rows in (4, 64, 1000, *ROWS, ROWS[0] + 1, ROWS[0] + 4, ROWS[-1] + 4):
            blocks = job.blocks(rows)
            found = job.scores.scores(blocks, rows)
            if found is not None:
                assert found.tobytes() == job.expected(blocks, rows).tobytes()
            assert found is None or (ROWS[0] <= rows <= ROWS[-1] and not rows % 2)
        if order == "C":
            assert job.scores.scores(job.blocks(ROWS[-1]), ROWS[-1]) is not None


def test_values_that_come_later_are_looked_up_too() -> None:
    with limited(1):
        job = Job(MIXED, 22)
        grown = job.dictionaries[1]
        assert grown is not None
        job.dictionaries[1] = Dictionary(grown.values[:3], grown.rows[:3], grown.derived[:3])
        taught(job)
        job.dictionaries[1] = grown
        blocks = job.blocks(ROWS[0])
        found = job.scores.scores(blocks, ROWS[0])
        assert found is not None
        assert found.tobytes() == job.expected(blocks, ROWS[0]).tobytes()


def test_nothing_is_known_before_enough_rows_have_come() -> None:
    job = Job(MIXED, 3)
    job.scores.learn(job.blocks(ROWS[-1]), ENOUGH_ROWS - 1, stacked)
    assert not is_known(job)
    job.scores.learn(job.blocks(5), 5, stacked)
    assert not is_known(job)
    job.scores.learn(job.blocks(ROWS[0]), ROWS[0], stacked)
    assert is_known(job)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("scores", [1, 4])
def test_rows_that_are_not_finite_are_named(value: float, scores: int) -> None:
    job = Job(MIXED, scores)
    spoilt = job.blocks(ROWS[-1])
    spoilt[0][[3, 17], 1] = value
    job.scores.learn(spoilt, ENOUGH_ROWS, stacked)
    assert not is_known(job)
    taught(job)
    with pytest.raises(Declined, match="finite") as declined:
        job.scores.scores(spoilt, ROWS[-1])
    assert declined.value.rows is not None
    assert declined.value.rows.tolist() == [3, 17]


def _other_bits(found: np.ndarray) -> np.ndarray:
    return np.nextafter(found, np.inf)


def _no_llvm(_: np.ndarray) -> np.ndarray:
    raise OSError


@pytest.mark.parametrize("spoilt", [_other_bits, _no_llvm])
def test_an_order_that_does_not_hold_is_not_used(
    spoilt: Callable[[np.ndarray], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(BlasKernel):
        def scores(self, *given: Any) -> np.ndarray:
            return spoilt(super().scores(*given))

    monkeypatch.setattr(blas_scores, "BlasKernel", Broken)
    job = Job(MIXED, 4)
    assert not is_known(taught(job))
    assert job.scores.scores(job.blocks(ROWS[-1]), ROWS[-1]) is None


def test_an_encoder_that_sets_several_features_is_left_alone() -> None:
    job = Job([("one_hot", 4)], 3)
    known = job.dictionaries[0]
    assert known is not None
    job.dictionaries[0] = replace(known, rows=np.ones((5, 4)))
    assert not is_known(taught(job))


def test_more_numbers_than_code_is_good_for_are_left_to_blas() -> None:
    assert not is_known(taught(Job([("numbers", 100)], 50)))


@pytest.mark.parametrize(
    ("features", "scores"), [(1, 1), (3, 1), (4, 1), (5000, 1), (1, 2), (256, 2), (257, 9), (5000, 3)]
)
def test_every_feature_is_added_once(features: int, scores: int) -> None:
    for order in orders(features, scores):
        assert [each for some in (*order.sums, order.left_over) for each in some] == list(range(features))


def test_an_order_of_one_sum_leaves_nothing_over() -> None:
    assert orders(300, 5)[0] == Order(1, (0, 300), 300)


@pytest.mark.skipif(sys.platform != "linux", reason="its BLAS takes no wish")
def test_the_order_of_other_processors_is_known_too() -> None:
    kernel = "Haswell" if "SkylakeX" in ARCHITECTURES else "Sandybridge"
    code = """
import sys; sys.path.insert(0, ".")
import numpy
from tests.compiled.blas import ARCHITECTURES
from tests.compiled.test_blas_scores import Job, is_known, taught
print(*ARCHITECTURES, [is_known(taught(Job([("one_hot", 600), ("numbers", 3)], scores))) for scores in (1, 5)])
"""
    environment = {**os.environ, "OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    # One that multiplies and adds in two steps is none of them.
    assert done.stdout.split(" ", 1)[1].strip() == str([kernel == "Haswell"] * 2)
