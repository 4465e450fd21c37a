"""Kernels work for any number of rows, and where nothing can be kept on disk."""

import numpy as np
import pytest

from scoreline.compiled.flat import Walk
from scoreline.compiled.kernels import _compiled, walk


def stump(rows: int) -> tuple[np.ndarray, Walk]:
    """Codes 0, 1, 2, 0, ... and a tree that sends 0 and 1 to the left, where 1 is, and 2 to the right, where 10 is."""
    codes = (np.arange(rows) % 3).astype(np.uint16).reshape(-1, 1)
    leaves = [(node << 40) | 0xFFFF for node in (1, 2)]
    nodes = np.array([(1 << 40) | 1, *leaves], np.uint64)
    trees = Walk(
        nodes,
        np.zeros(1, np.uint64),
        np.array([0, 0, 1], np.uint32),
        np.array([0, 1, 2]),
        np.zeros(2, np.uint16),
        np.array([1.0, 10.0]),
    )
    return codes, trees


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 40])
@pytest.mark.parametrize("block", [8, 16, 8192])
def test_every_row_is_walked_to_its_leaf(rows: int, block: int) -> None:
    codes, trees = stump(rows)
    scores = np.zeros((rows, 1))
    walk(codes, trees, scores, block)
    assert scores[:, 0].tolist() == [(1.0, 1.0, 10.0)[row % 3] for row in range(rows)]


def test_a_function_whose_code_cannot_be_kept_is_compiled_all_the_same() -> None:
    names: dict[str, object] = {}
    exec("def doubled(number):\n    return 2 * number", names)  # noqa: S102  numba has no place for code without a file
    doubled = names["doubled"]
    assert callable(doubled)
    assert _compiled(doubled)(21) == 42
