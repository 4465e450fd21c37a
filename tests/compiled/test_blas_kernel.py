"""Machine code for scores: every bit of multiplying and adding in one step, in the given order."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.compiled.blas_kernel import BlasKernel, Program, Term


def fused(one: float, other: float, more: float) -> float:
    """A product and a sum, rounded once."""
    return float(Fraction(one) * Fraction(other) + Fraction(more))


def numbers_drawn(rng: np.random.Generator, *size: int) -> np.ndarray:
    return rng.normal(size=size) * 10.0 ** rng.integers(-9, 9, size)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["looked up", "value", "number"]), max_size=5), min_size=1, max_size=3),
    st.sampled_from([2, 3, 4, 5, 8, 9, 22]),
    st.integers(1, 6),
    st.integers(0, 2**32),
)
def test_several_scores_are_added_up_in_order(kinds: list[list[str]], scores: int, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    width = Program(scores, 1, (), (), ()).width
    codes, tables, given_numbers, weights, sums = [], [], [], [], []
    expected = np.zeros((rows, scores))
    for number, some in enumerate(kinds):
        terms, added = [], np.zeros((rows, scores))
        for kind in some:
            coef = numbers_drawn(rng, scores)
            if kind == "number":
                terms.append(Term("number", len(given_numbers)))
                given_numbers.append(numbers_drawn(rng, rows))
                values = given_numbers[-1]
            else:
                terms.append(Term("looked up" if kind == "looked up" else "value", len(codes), 1))
                codes.append(rng.integers(0, 4, rows).astype(np.int32))
                tables.append(numbers_drawn(rng, 4, 1 + width))
                values = tables[-1][codes[-1], 1]
            if kind == "looked up":
                added += tables[-1][codes[-1], 1 : 1 + scores]
            else:
                weights.append(np.pad(coef, (0, width - scores)))
                added = np.array(
                    [
                        [fused(v, c, s) for c, s in zip(coef, row, strict=True)]
                        for v, row in zip(values, added, strict=True)
                    ]
                )
        expected = added if number == 0 else expected + added
        sums.append(tuple(terms))
    intercept = numbers_drawn(rng, scores)
    program = Program(scores, 1, tuple(sums), (), (1 + width,) * len(codes))
    kernel = BlasKernel(program, np.concatenate([*weights, np.pad(intercept, (0, width - scores))]))
    found = kernel.scores(codes, tables, given_numbers, rows)
    assert found.tobytes() == (expected + intercept).tobytes()


@pytest.mark.parametrize("left_over", [0, 1, 2, 3])
@pytest.mark.parametrize("sums", [0, 1, 2])
def test_a_single_score_has_four_sums_side_by_side(left_over: int, sums: int) -> None:
    rng = np.random.default_rng(left_over)
    rows, table = 5, numbers_drawn(rng, 3, 4)
    codes = rng.integers(0, 3, rows).astype(np.int32)
    numbers = [numbers_drawn(rng, rows) for _ in range(sums + left_over)]
    lanes, rest, intercept = numbers_drawn(rng, sums, 4), numbers_drawn(rng, left_over), numbers_drawn(rng, 1)
    terms = tuple((Term("looked up", 0), Term("number", place)) for place in range(sums))
    last = tuple(Term("number", sums + place) for place in range(left_over))
    kernel = BlasKernel(Program(1, 4, terms, last, (4,)), np.concatenate([*lanes, rest, intercept]))
    expected = []
    for row in range(rows):
        whole = 0.0
        for place in range(sums):
            lane = [
                fused(numbers[place][row], weight, more)
                for weight, more in zip(lanes[place], table[codes[row]], strict=True)
            ]
            whole += (lane[0] + lane[2]) + (lane[1] + lane[3])
        values = [each[row] for each in numbers[sums:]]
        if left_over == 1:
            whole = fused(values[0], rest[0], whole)
        elif left_over:
            more = fused(values[0], rest[0], values[1] * rest[1])
            whole += fused(values[2], rest[2], more) if left_over == 3 else more
        expected.append(whole + intercept[0])
    assert kernel.scores([codes], [table], numbers, rows).ravel().tolist() == expected


@pytest.mark.parametrize("stride", [1, 3])
def test_numbers_may_lie_apart(stride: int) -> None:
    numbers = np.arange(10.0)[::stride]
    kernel = BlasKernel(Program(2, 1, ((Term("number", 0),),), (), ()), np.array([1.0, 2.0, 0.5, 0.25]))
    found = kernel.scores([], [], [numbers], len(numbers))
    assert found.tolist() == np.stack([numbers + 0.5, 2 * numbers + 0.25], axis=1).tolist()


def test_no_rows_have_no_scores() -> None:
    kernel = BlasKernel(Program(3, 1, ((Term("number", 0),),), (), ()), np.zeros(8))
    assert kernel.scores([], [], [np.empty(0)], 0).shape == (0, 3)
