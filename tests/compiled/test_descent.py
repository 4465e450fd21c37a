"""Trees to go down find the leaves that walking node by node finds, and add what they hold in the same order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.compiled import descent
from scoreline.compiled.baked.plain import walk_plainly
from scoreline.compiled.descent import going
from scoreline.compiled.flat import Walk
from scoreline.compiled.rank_kernel import NAN
from scoreline.compiled.ranks import ALWAYS, NEVER
from scoreline.compiled.views import PLACE, Views

PLACES, CUTS = 70, 9
"""What the codes of the columns 0 and 1, and of 2 and 3, come to."""


def some_test(rng: np.random.Generator) -> tuple[int, int, int]:
    """Column, low and span of a node, as `Ranks.tests` makes them."""
    column = int(rng.integers(4))
    if column < 2:
        odd = rng.random() < 0.1
        always = (0, ALWAYS) if rng.random() < 0.5 else (NEVER, 0)
        # Few places are asked for again and again.
        return (column, *always) if odd else (column, int(rng.integers(1, PLACES + 1) // 9 * 9 + 1), PLACE)
    cut = int(rng.integers(CUTS))
    return (column, NAN, cut + 1) if rng.random() < 0.5 else (column, 0, cut)


def some_walk(rng: np.random.Generator, trees: int, scores: int, most: int) -> Walk:
    """Random trees, some of which are a leaf only, whose leaves have few values, many of them zero."""
    nodes: list[int] = []
    leaf: list[int] = []
    roots, first, place, value = [], [0], [], []
    for _ in range(trees):
        roots.append(len(nodes))
        inner, size = int(rng.integers(most + 1)), 1
        for number in range(2 * inner + 1):
            own = roots[-1] + number
            if inner and (number == size - 1 or rng.random() < 0.6):
                column, low, span = some_test(rng)
                nodes.append((roots[-1] + size) << 40 | column << 32 | low << 16 | span)
                leaf.append(0)
                inner, size = inner - 1, size + 2
            else:
                nodes.append(own << 40 | ALWAYS)
                leaf.append(len(first) - 1)
                entries = np.flatnonzero(rng.random(scores) < 0.4)
                place += entries.tolist()
                value += rng.choice([0.1, 0.5, 1.0, -2.5, 1 / 3], len(entries)).tolist()
                first.append(len(place))
    return Walk(
        np.array(nodes, np.uint64),
        np.array(roots, np.uint64),
        np.array(leaf, np.uint32),
        np.array(first),
        np.array(place, np.uint16),
        np.array(value, np.float64),
    )


def some_codes(rng: np.random.Generator, rows: int) -> np.ndarray:
    codes = rng.integers(CUTS + 1, size=(4, rows))
    codes[:2] = rng.integers(PLACES + 1, size=(2, rows))
    codes[2:][rng.random((2, rows)) < 0.2] = NAN
    return codes.astype(np.uint16)


@given(st.integers(0, 2**32), st.integers(1, 70), st.integers(1, 5), st.integers(1, 40), st.integers(0, 90))
@settings(max_examples=200, deadline=None)
def test_sums_are_those_of_walking_node_by_node(seed: int, rows: int, scores: int, trees: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    walk, codes = some_walk(rng, trees, scores, most), some_codes(rng, rows)
    made = going(walk, scores, np.zeros(trees, np.int64))
    assert made is not None
    start = rng.normal(size=scores)
    found, expected = np.tile(start, (rows, 1)), np.tile(start, (rows, 1))
    made.add(codes, found)
    walk_plainly(np.ascontiguousarray(codes.T), walk, expected)
    assert found.tobytes() == expected.tobytes()


def test_trees_that_add_to_one_score_each_add_to_theirs() -> None:
    rng = np.random.default_rng(0)
    walk, codes = some_walk(rng, 6, 1, 40), some_codes(rng, 50)
    is_leaf = walk.nodes >> np.uint64(40) == np.arange(len(walk.nodes))
    tree = np.searchsorted(walk.roots, np.flatnonzero(is_leaf), side="right") - 1
    spread = walk._replace(place=np.repeat(tree % 3, np.diff(walk.first)).astype(np.uint16))
    made = going(spread, 1, np.arange(6) % 3)
    assert made is not None
    found, expected = np.zeros((50, 3)), np.zeros((50, 3))
    made.add(codes, found)
    walk_plainly(np.ascontiguousarray(codes.T), spread, expected)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("asking", [0, 2**18])
def test_sums_are_the_same_where_too_many_ask_for_the_category(asking: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descent, "MOST_ASKING", asking)
    rng = np.random.default_rng(1)
    walk, codes = some_walk(rng, 9, 3, 90), some_codes(rng, 100)
    made = going(walk, 3, np.zeros(9, np.int64))
    assert made is not None
    assert (made.views.root is None) == (asking == 0)
    found, expected = np.zeros((100, 3)), np.zeros((100, 3))
    made.add(codes, found)
    walk_plainly(np.ascontiguousarray(codes.T), walk, expected)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", ["MOST_NODES", "MOST_VALUES", "MOST_SCORES", "MOST_LEAVES", "MOST_VIEWS"])
def test_trees_that_nodes_have_no_room_for_are_left_to_walking(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descent, name, 1)
    assert going(some_walk(np.random.default_rng(0), 6, 3, 40), 3, np.zeros(6, np.int64)) is None


def test_rows_of_one_place_follow_each_other() -> None:
    tests = np.array([[0, 0, 1], [3, 9, 0], [PLACE, PLACE, 5]])
    views = Views.of(tests, 0, 10)
    codes = np.array([[8, 2, 8, 2, 70], [5, 1, 1, 5, 0]], np.uint16)
    assert views.order(codes).tolist() == [1, 3, 2, 0, 4]
    assert views.views == ((1, -1),)
    assert replace(views, sorting=()).order(codes).tolist() == [0, 1, 2, 3, 4]


def test_leaves_that_are_mixed_into_the_same_number_are_told_apart() -> None:
    factors = [int(factor) for factor in np.random.default_rng(0).integers(2**63, size=8, dtype=np.uint64)]
    odd = next(place for place, factor in enumerate(factors) if factor % 2)
    other = 1 if odd == 0 else 0
    # One value at the odd place comes to what 0.5 comes to at another.
    wanted = mixed(0.5) * factors[other] * pow(factors[odd], -1, 2**64) % 2**64
    twin = np.array([unmixed(wanted)], np.uint64).view(np.float64)[0]
    nodes = [1 << 40 | 2 << 32 | 4, *(node << 40 | ALWAYS for node in (1, 2))]
    walk = Walk(
        np.array(nodes, np.uint64),
        np.zeros(1, np.uint64),
        np.array([0, 0, 1], np.uint32),
        np.array([0, 1, 2]),
        np.array([other, odd], np.uint16),
        np.array([0.5, twin]),
    )
    made = going(walk, 8, np.zeros(1, np.int64))
    assert made is not None
    found = np.zeros((2, 8))
    made.add(np.array([[0, 0], [0, 0], [0, 9], [0, 0]], np.uint16), found)
    assert (found[0, other], found[1, odd]) == (0.5, twin)
    assert (found != 0).sum() == 2


def mixed(value: float) -> int:
    bits = int(np.array([value]).view(np.uint64)[0])
    return bits ^ bits >> 32 ^ bits >> 52


def unmixed(wanted: int) -> int:
    bits = wanted
    for _ in range(3):
        bits = wanted ^ bits >> 32 ^ bits >> 52
    return bits
