"""Code for going down trees works for any number of scores, and without numba."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from scoreline.compiled.descent_kernel import descend, lanes_of
from scoreline.compiled.flat import Descent
from scoreline.compiled.ranks import ALWAYS

WITHOUT_NUMBA = """
import sys
import numpy as np
from tests.compiled.test_descent import going, some_codes, some_walk
rng = np.random.default_rng(0)
going(some_walk(rng, 20, 3, 40), 3, np.zeros(20, np.int64)).add(some_codes(rng, 50), np.zeros((50, 3)))
print("numba" in sys.modules)
"""


@pytest.mark.parametrize("scores", [1, 2, 3, 7, 8, 9, 22, 31, 64, 65, 256])
def test_every_score_of_every_row_gets_what_its_leaf_holds(scores: int) -> None:
    rng = np.random.default_rng(scores)
    # Two trees of one leaf each.
    leaf = ALWAYS << 16
    nodes = np.array([0 << 32 | leaf, 1 << 32 | leaf], np.uint64)
    values = rng.normal(size=(2, scores))
    trees = Descent(
        nodes, np.array([0, 1, 2]), np.array([0, 1, 2]), np.array([1, 0], np.uint32), values, np.array([0, 0])
    )
    before = rng.normal(size=(24, scores + 2))
    found = before.copy()
    descend(np.zeros(24 + 2**14, np.uint32), 1, np.zeros(24, np.uint32), trees, found)
    expected = before.copy()
    for number in (1, 0):
        expected[:, :scores] += values[number]
    assert found.tobytes() == expected.tobytes()
    assert sum(lanes_of(scores)) == scores


def test_nothing_is_added_for_no_rows_and_by_no_trees() -> None:
    none = np.zeros(0, np.int64)
    trees = Descent(none.astype(np.uint64), np.zeros(1, np.int64), none, none.astype(np.uint32), np.zeros((0, 3)), none)
    scores = np.ones((8, 3))
    descend(np.zeros(2**14, np.uint32), 1, np.zeros(8, np.uint32), trees, scores)
    descend(np.zeros(2**14, np.uint32), 1, np.zeros(0, np.uint32), trees, np.ones((0, 3)))
    assert (scores == 1).all()


def test_numba_is_not_imported() -> None:
    assert subprocess.check_output([sys.executable, "-c", WITHOUT_NUMBA], text=True).split() == ["False"]
