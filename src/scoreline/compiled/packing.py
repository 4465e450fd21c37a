"""Trees as the flat arrays that the kernels read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoreline.compiled.descent import going
from scoreline.compiled.flat import Walk
from scoreline.compiled.mask_kernel import MaskKernel
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.ranks import ALWAYS
from scoreline.compiled.small_trees import MOST_LEAVES, as_masks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.compiled.descent import Going
    from scoreline.compiled.ranks import Ranks
    from scoreline.compiled.trees import Ensemble, Tree

MOST_NODES = 2**24
"""Nodes of all trees together that a child's number has room for."""


def are_large(ensemble: Ensemble) -> bool:
    """Whether trees have more leaves, or add to more scores each, than bit masks have room for."""
    small = max(len(tree.left) for tree in ensemble.trees) < 2 * MOST_LEAVES
    return not small or any(tree.values.shape[1] > 1 for tree in ensemble.trees)


def pack(ensemble: Ensemble, ranks: Ranks) -> Going | Walk | MaskKernel | NotCompilable:
    """Bit masks where every tree is small and adds to one score, else trees to go down, else nodes to walk.

    Raises what LLVM raises where it does not work.
    """
    if not are_large(ensemble):
        return MaskKernel(as_masks(ensemble.trees, ranks), ranks.most_code)
    if any(tree.members for tree in ensemble.trees):
        return NotCompilable(f"trees of more than {MOST_LEAVES} leaves that ask for categories")
    if sum(len(tree.left) for tree in ensemble.trees) > MOST_NODES:
        return NotCompilable("more nodes than a number of 24 bits counts")
    walk, width = as_walk(ensemble.trees, ranks), ensemble.trees[0].values.shape[1]
    return going(walk, width, np.array([tree.place for tree in ensemble.trees])) or walk


def as_walk(trees: Sequence[Tree], ranks: Ranks) -> Walk:
    """Trees as nodes to walk."""
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
