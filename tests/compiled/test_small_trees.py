"""Small trees as masks: every row comes to the leaf to which its tests lead it, by machine code."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.compiled.flat import Masks
from scoreline.compiled.mask_kernel import MaskKernel
from scoreline.compiled.rank_kernel import NAN
from scoreline.compiled.ranks import NEVER
from scoreline.compiled.small_trees import as_masks
from scoreline.compiled.trees import CODES, Tree

SCORES = 2


class Known:
    """Codes of three features: a rank, the place of a one, a category."""

    column = np.arange(3)
    most_code = 40

    def tests(self, feature: np.ndarray, threshold: np.ndarray, nan_left: np.ndarray) -> np.ndarray:
        rank, place = threshold.astype(np.int64), (feature == 1)
        low = np.where(place, np.where(rank == 0, NEVER, rank), np.where(nan_left, NAN, 0))
        span = np.where(
            place, np.where(rank == 0, 0, np.where(rank == 1, NAN, NAN - 1)), np.where(nan_left, rank + 1, rank)
        )
        return np.stack([feature, np.where(place & (rank == 1), 0, low), span])


def drawn(rng: np.random.Generator, most: int, place: int, *, chain: bool) -> Tree:
    """A random tree; one that is a chain has each leaf beside all others."""
    leaves, children = [0], {}
    for _ in range(int(rng.integers(1, most))):
        node = leaves.pop(-1 if chain else int(rng.integers(len(leaves))))
        children[node] = [2 * len(children) + 1, 2 * len(children) + 2]
        rng.shuffle(children[node])
        leaves += children[node]
    count = 2 * len(children) + 1
    left, right = (np.array([children.get(node, (-1, -1))[side] for node in range(count)]) for side in (0, 1))
    feature = rng.integers(0, 3, count)
    members = {node: rng.random(CODES + 1) < 0.5 for node in children if feature[node] == 2}
    for each in members.values():
        each[255] = each[256]
    threshold = rng.integers(0, 40, count).astype(float)
    return Tree(left, right, feature, threshold, rng.random(count) < 0.5, rng.normal(size=(count, 1)), place, members)


def walked(tree: Tree, codes: np.ndarray) -> np.ndarray:
    """What a tree adds for each row, node by node."""
    column, low, span = Known().tests(tree.feature, tree.threshold, tree.nan_left)
    made = []
    for row in codes.T.astype(int).tolist():
        node = 0
        while tree.left[node] != -1:
            code = row[column[node]]
            goes_left = (
                tree.members[node][min(code, CODES)]
                if node in tree.members
                else (code - low[node]) % 2**16 <= span[node]
            )
            node = int(tree.left[node] if goes_left else tree.right[node])
        made.append(tree.values[node, 0])
    return np.array(made)


def made(seed: int, most: int, *, chain: bool = False) -> tuple[list[Tree], Masks, np.ndarray]:
    rng = np.random.default_rng(seed)
    trees = [drawn(rng, most, number % SCORES, chain=chain) for number in range(5)]
    codes = rng.integers(0, 40, (3, 70)).astype(np.uint16)
    codes[rng.random(codes.shape) < 0.1] = NAN
    return trees, as_masks(trees, Known()), codes  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([2, 8, 31, 32, 33, 64]), st.booleans())
def test_rows_come_to_their_leaves(seed: int, most: int, chain: bool) -> None:
    trees, packed, codes = made(seed, most, chain=chain)
    start = np.array([0.25, -1.0])
    sums = np.repeat(start[np.newaxis], codes.shape[1], axis=0)
    for tree in trees:
        sums[:, tree.place] += walked(tree, codes)
    assert MaskKernel(packed, Known.most_code).sums(codes, start).tobytes() == sums.tobytes()


def test_a_test_takes_away_the_smaller_side() -> None:
    _, packed, _ = made(5, 64, chain=True)
    taken = np.bitwise_count(~packed.keep)
    assert taken.max() == 1
