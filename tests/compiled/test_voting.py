"""Forests that leave rows out once their label is certain give the label of all trees, and ask fewer of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compiled.test_descent import going, some_codes, some_walk

from scoreline.compiled.decided_kernel import Abreast, take_out
from scoreline.compiled.descent import Going
from scoreline.compiled.flat import Walk
from scoreline.compiled.voting import LEAST_TREES, STOPS, voting

ODD = (np.nan, np.inf, 5e-324, 1e307, 0.0)
"""By which leaves are multiplied to hold what is rounded otherwise, or not at all."""


def some_forest(seed: int, trees: int, scores: int, most: int = 30) -> Going:
    made = going(some_walk(np.random.default_rng(seed), trees, scores, most), scores, np.zeros(trees, np.int64))
    assert made is not None
    return made


def of_all(trees: Going, codes: np.ndarray, scores: int) -> np.ndarray:
    sums = np.zeros((codes.shape[1], scores))
    trees.add(codes, sums)
    return sums


@given(st.integers(0, 2**32), st.integers(1, 90), st.integers(2, 24), st.integers(LEAST_TREES, 60))
@settings(max_examples=200, deadline=None)
def test_the_largest_sum_is_that_of_all_trees(seed: int, rows: int, scores: int, trees: int) -> None:
    made, codes = some_forest(seed, trees, scores), some_codes(np.random.default_rng(seed), rows)
    votes = voting(made)
    assert votes is not None
    found, expected = votes.sums(codes, np.zeros(scores)), of_all(made, codes, scores)
    assert found.argmax(axis=1).tolist() == expected.argmax(axis=1).tolist()


def by_codes(chosen: list[int]) -> Walk:
    """Trees of one test each, by which a row is of the first of three scores, or of the one that each tree chooses."""
    trees = len(chosen)
    nodes, leaf, place = [], [], []
    for tree in range(trees):
        root = 3 * tree
        nodes += [(root + 1) << 40 | 2 << 32 | 4, (root + 1) << 40 | 0xFFFF, (root + 2) << 40 | 0xFFFF]
        leaf += [0, 2 * tree, 2 * tree + 1]
        place += [0, chosen[tree]]
    count = np.arange(2 * trees + 1)
    roots = 3 * np.arange(trees)
    return Walk(
        np.array(nodes, np.uint64),
        roots.astype(np.uint64),
        np.array(leaf, np.uint32),
        count,
        np.array(place, np.uint16),
        np.ones(2 * trees),
    )


def test_rows_that_are_decided_are_asked_of_fewer_trees() -> None:
    trees = 100
    made = going(by_codes([1, 2] * 50), 3, np.zeros(trees, np.int64))
    assert made is not None
    codes = np.zeros((4, 64), np.uint16)
    # Of every second row all trees say the same, the others are a close call.
    codes[2, ::2], codes[2, 1::2] = 0, 9
    votes = voting(made)
    assert votes is not None
    found, expected = votes.sums(codes, np.zeros(3)), of_all(made, codes, 3)
    assert found[::2, 0].tolist() == [round(STOPS[0] * trees)] * 32
    assert found[1::2].tobytes() == expected[1::2].tobytes()
    assert expected[::2, 0].tolist() == [trees] * 32


def test_a_tie_is_decided_by_all_trees() -> None:
    trees = LEAST_TREES
    made = going(by_codes([2] * (trees // 2) + [1] * (trees // 2)), 3, np.zeros(trees, np.int64))
    assert made is not None
    votes = voting(made)
    assert votes is not None
    found = votes.sums(np.full((4, 20), 9, np.uint16), np.zeros(3))
    assert found.tolist() == [[0, trees / 2, trees / 2]] * 20


@pytest.mark.parametrize(
    ("trees", "scores", "value"), [(LEAST_TREES - 1, 3, 1.0), (40, 1, 1.0), *((40, 3, odd) for odd in ODD)]
)
def test_some_forests_are_asked_all_trees(trees: int, scores: int, value: float) -> None:
    made = some_forest(0, trees, scores)
    with np.errstate(all="ignore"):
        values = made.trees.values * value
    assert voting(made._replace(trees=made.trees._replace(values=values))) is None


def test_no_rows_have_no_sums() -> None:
    votes = voting(some_forest(0, 20, 3))
    assert votes is not None
    assert votes.sums(np.zeros((4, 0), np.uint16), np.zeros(3)).shape == (0, 3)


@given(st.integers(0, 2**32), st.integers(0, 50), st.integers(2, 40), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_rows_in_the_lead_are_taken_out_and_the_others_move_up(seed: int, rows: int, scores: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    groups = -(-rows // 8)
    views = rng.integers(2**32, size=(groups, width, 8), dtype=np.uint32)
    roots, sums = rng.integers(99, size=groups * 8, dtype=np.uint32), rng.integers(9, size=(groups * 8, scores)) / 4
    belongs = rng.permutation(rows + 3)[:rows]
    two = np.sort(sums[:rows], axis=1)[:, -2:]
    stay = np.flatnonzero(~(two[:, 1] - two[:, 0] > 0.5))
    by_row = np.moveaxis(views, 1, 2).reshape(-1, width)
    out, expected = np.full((rows + 3, scores), -1.0), np.full((rows + 3, scores), -1.0)
    gone = np.setdiff1d(np.arange(rows), stay)
    expected[belongs[gone]] = sums[gone]
    wanted = by_row[stay], roots[stay], sums[stay], belongs[stay]

    flat = views.ravel().copy()
    abreast = Abreast(flat, roots.copy(), sums.copy(), belongs.copy())
    left = take_out(abreast, width, 0.5, out)

    after = np.moveaxis(flat.reshape(groups, width, 8), 1, 2).reshape(-1, width)
    found = after[:left], abreast.roots[:left], abreast.scores[:left], abreast.rows[:left]
    assert left == len(stay)
    assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True))
    assert np.array_equal(out, expected)


def test_arrays_of_another_type_are_refused() -> None:
    good = Abreast(np.zeros(8, np.uint32), np.zeros(8, np.uint32), np.zeros((8, 3)), np.zeros(8, np.int64))
    with pytest.raises(ValueError, match="another shape or type"):
        take_out(good._replace(rows=good.rows.astype(np.int32)), 1, 0.0, np.zeros((8, 3)))
    with pytest.raises(ValueError, match="another shape or type"):
        take_out(good, 1, 0.0, np.zeros((8, 4)))


def test_what_is_rounded_does_not_decide() -> None:
    """Sums that differ by less than additions can round go on to the last tree."""
    trees = 40
    votes = voting(some_forest(3, trees, 3))
    assert votes is not None
    # Leaves hold numbers from -2.5 to 1.
    left = (trees - round(STOPS[0] * trees)) * 3.5
    assert 0 < votes.turns[0].reach - left < 1e-9
