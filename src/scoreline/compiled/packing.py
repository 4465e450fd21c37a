"""Trees as the flat arrays that the kernels read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scoreline.compiled.descent import going
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.ranks import ALWAYS
from scoreline.compiled.trees import CODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoreline.compiled.descent import Going
    from scoreline.compiled.kernels import Masks, Walk
    from scoreline.compiled.ranks import Ranks
    from scoreline.compiled.trees import Ensemble, Tree

MOST_NODES = 2**24
"""Nodes of all trees together that a child's number has room for."""

MOST_LEAVES = 64
"""Leaves of a tree that a bit mask has room for."""


def pack(ensemble: Ensemble, ranks: Ranks) -> Going | Walk | Masks | NotCompilable:
    """Bit masks where every tree is small and adds to one score, else trees to go down, else nodes to walk."""
    small = max(len(tree.left) for tree in ensemble.trees) < 2 * MOST_LEAVES
    if small and all(tree.values.shape[1] == 1 for tree in ensemble.trees):
        return _masks(ensemble.trees, ranks)
    if any(tree.members for tree in ensemble.trees):
        return NotCompilable(f"trees of more than {MOST_LEAVES} leaves that ask for categories")
    if sum(len(tree.left) for tree in ensemble.trees) > MOST_NODES:
        return NotCompilable("more nodes than a number of 24 bits counts")
    walk, width = as_walk(ensemble.trees, ranks), ensemble.trees[0].values.shape[1]
    return going(walk, width, np.array([tree.place for tree in ensemble.trees])) or walk


def as_walk(trees: Sequence[Tree], ranks: Ranks) -> Walk:
    """Trees as nodes to walk."""
    from scoreline.compiled.kernels import Walk

    sizes = [len(tree.left) for tree in trees]
    roots = np.cumsum([0, *sizes])
    orders = [_side_by_side(tree) for tree in trees]
    nodes = [_words(tree, order, int(root), ranks) for tree, order, root in zip(trees, orders, roots, strict=False)]
    leaves = [tree.values[order][tree.left[order] == -1] for tree, order in zip(trees, orders, strict=True)]
    is_leaf = np.concatenate([tree.left[order] == -1 for tree, order in zip(trees, orders, strict=True)])
    entries = [(values != 0).sum(axis=1) for values in leaves]
    places = [np.nonzero(values)[1] + tree.place for tree, values in zip(trees, leaves, strict=True)]
    return Walk(
        np.concatenate(nodes),
        roots[:-1].astype(np.uint64),
        np.where(is_leaf, np.cumsum(is_leaf) - 1, 0).astype(np.uint32),
        np.cumsum(np.concatenate([[0], *entries])),
        np.concatenate(places).astype(np.uint16),
        # Adding zero changes no bit of a sum that began with plus zero, so zeros are left out.
        np.concatenate([values[values != 0] for values in leaves]),
    )


def _side_by_side(tree: Tree) -> np.ndarray:
    """The nodes level by level, the two children of a node next to each other."""
    levels = [np.array([0])]
    while len(levels[-1]):
        parents = levels[-1][tree.left[levels[-1]] != -1]
        levels.append(np.stack([tree.left[parents], tree.right[parents]], axis=1).ravel())
    return np.concatenate(levels)


def _words(tree: Tree, order: np.ndarray, root: int, ranks: Ranks) -> np.ndarray:
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    inner = tree.inner[order]
    # A leaf passes its test always, and is its own left child.
    child = np.where(inner, position[tree.left[order]], np.arange(len(order))) + root
    column, low, span = np.zeros_like(child), np.zeros_like(child), np.full_like(child, ALWAYS)
    nodes = order[inner]
    column[inner], low[inner], span[inner] = ranks.tests(
        tree.feature[nodes], tree.threshold[nodes], tree.nan_left[nodes]
    )
    return np.asarray((child << 40) | (column << 32) | (low << 16) | span, np.uint64)


def _masks(trees: Sequence[Tree], ranks: Ranks) -> Masks:
    from scoreline.compiled.kernels import Masks

    taken = [_in_order(tree) for tree in trees]
    most = max(len(leaves) for _, _, leaves in taken)
    word = np.uint32 if most <= 32 else np.uint64
    ordered = [
        _Tests(nodes[~_asks_category(tree, nodes)], masks[~_asks_category(tree, nodes)])
        for tree, (nodes, masks, _) in zip(trees, taken, strict=True)
    ]
    asked = [
        (tree.feature[nodes], tree.threshold[nodes], tree.nan_left[nodes])
        for tree, (nodes, _) in zip(trees, ordered, strict=True)
    ]
    column, low, span = ranks.tests(*map(np.concatenate, zip(*asked, strict=True))).astype(np.uint32)
    sets = [_sets(tree, nodes, masks, ranks) for tree, (nodes, masks, _) in zip(trees, taken, strict=True)]
    return Masks(
        column,
        low,
        span,
        np.concatenate([masks for _, masks in ordered]).astype(word),
        np.cumsum([0, *(len(nodes) for nodes, _ in ordered)]),
        np.concatenate([tree.values[leaves, 0] for tree, (_, _, leaves) in zip(trees, taken, strict=True)]),
        np.cumsum([0, *(len(leaves) for _, _, leaves in taken)])[:-1],
        np.array([tree.place for tree in trees]),
        np.array([column for each in sets for column in each], np.uint32),
        np.cumsum([0, *map(len, sets)]),
        np.array([table for each in sets for table in each.values()], word).reshape(-1, CODES + 1),
    )


class _Tests(NamedTuple):
    """Nodes, and for each the leaves that are left where a row goes right."""

    nodes: np.ndarray
    masks: np.ndarray


def _asks_category(tree: Tree, nodes: np.ndarray) -> np.ndarray:
    return np.isin(nodes, list(tree.members))


def _sets(tree: Tree, nodes: np.ndarray, masks: np.ndarray, ranks: Ranks) -> dict[int, np.ndarray]:
    """For each column of categories that a tree asks for, the leaves that each code leaves, those of all its tests."""
    made: dict[int, np.ndarray] = {}
    for node, mask in zip(nodes.tolist(), masks, strict=True):
        if node in tree.members:
            column = int(ranks.column[tree.feature[node]])
            left = np.where(tree.members[node], ~np.uint64(0), mask)
            made[column] = made.get(column, ~np.uint64(0)) & left
    return made


def _in_order(tree: Tree) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The inner nodes, for each the leaves that a row going right may still reach as bits, and the leaves in order."""
    leaves: list[int] = []
    nodes: list[int] = []
    masks: list[int] = []
    for node, first, end in _visited(tree, leaves):
        nodes.append(node)
        masks.append((2**64 - 1) & ~(2**end - 2**first))
    return np.array(nodes, np.int64), np.array(masks, np.uint64), np.array(leaves)


def _visited(tree: Tree, leaves: list[int]) -> Iterator[tuple[int, int, int]]:
    """Each inner node with the range of the leaves on its left side; leaves are appended from left to right."""
    left, right = tree.left.tolist(), tree.right.tolist()
    waiting: list[tuple[int, int | None]] = [(0, None)]
    while waiting:
        node, first = waiting.pop()
        if first is not None:
            yield node, first, len(leaves)
        elif left[node] == -1:
            leaves.append(node)
        else:
            waiting += [(right[node], None), (node, len(leaves)), (left[node], None)]
