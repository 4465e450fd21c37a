"""Small trees as bit masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scoreline.compiled.flat import Masks
from scoreline.compiled.ranks import ALWAYS
from scoreline.compiled.trees import CODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.compiled.ranks import Ranks
    from scoreline.compiled.trees import Tree

MOST_LEAVES = 64
"""Leaves of a tree that a bit mask has room for."""


def as_masks(trees: Sequence[Tree], ranks: Ranks) -> Masks:
    """Trees of few leaves that add to one score each, those of a score one after another."""
    # Those of a score one after another, so that it stays in the cache: the order in which it is added to is the same.
    nodes = _Nodes.of(sorted(trees, key=lambda tree: tree.place))
    asks = np.flatnonzero((nodes.left != -1) & ~np.isin(np.arange(len(nodes.left)), list(nodes.members)))
    tests = ranks.tests(nodes.feature[asks], nodes.threshold[asks], nodes.nan_left[asks])
    leaves = _Leaves.of(nodes, asks[tests[2] == ALWAYS])
    swapped = leaves.swapped[asks]
    # The codes that go left begin behind those that go right, when one counts in a circle.
    low, span = tests[1] + swapped * (tests[2] + 1), np.where(swapped, ALWAYS - 1 - tests[2], tests[2])
    word = np.uint32 if max(leaves.counts) <= 32 else np.uint64
    sets = _sets(nodes, leaves, ranks)
    ends = np.append(nodes.roots, len(nodes.left))
    return Masks(
        tests[0].astype(np.uint32),
        (low & ALWAYS).astype(np.uint32),
        span.astype(np.uint32),
        leaves.keep[asks].astype(word),
        np.searchsorted(asks, ends),
        leaves.value,
        np.cumsum(leaves.counts) - leaves.counts,
        np.array(nodes.places),
        sets.column.astype(np.uint32),
        np.searchsorted(sets.tree, np.arange(len(ends))),
        sets.table.astype(word),
    )


class _Nodes(NamedTuple):
    """The nodes of all trees, one tree after another; see `scoreline.compiled.trees.Tree`."""

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    nan_left: np.ndarray
    value: np.ndarray
    members: dict[int, np.ndarray]
    tree: np.ndarray
    roots: np.ndarray
    places: list[int]

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> _Nodes:
        sizes = np.array([len(tree.left) for tree in trees])
        roots = np.cumsum(sizes) - sizes
        tree, shift = np.repeat(np.arange(len(trees)), sizes), np.repeat(roots, sizes)
        left, right, feature, threshold, nan_left, value = (
            np.concatenate([getattr(each, name) for each in trees])
            for name in ("left", "right", "feature", "threshold", "nan_left", "values")
        )
        left, right = (np.where(child == -1, -1, child + shift) for child in (left, right))
        members = {
            node + root: each
            for one, root in zip(trees, roots.tolist(), strict=True)
            for node, each in one.members.items()
        }
        places = [each.place for each in trees]
        return cls(left, right, feature, threshold, nan_left, value[:, 0], members, tree, roots, places)

    def levels(self) -> list[np.ndarray]:
        """The inner nodes of all trees by their distance from the root."""
        levels, reached = [], self.roots
        while len(reached):
            levels.append(reached[self.left[reached] != -1])
            reached = np.concatenate([self.left[levels[-1]], self.right[levels[-1]]])
        return levels


class _Leaves(NamedTuple):
    """The leaves of each tree, put in an order in which what a test takes away is one run of few.

    Attributes
    ----------
    swapped : of each inner node, whether its right side has fewer leaves, and comes before the left one
    keep : uint64, for each inner node the leaves that are left where a row goes to the side that comes last
    value : of all leaves of all trees in their order
    counts : the leaves of each tree
    """

    swapped: np.ndarray
    keep: np.ndarray
    value: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, nodes: _Nodes, unswapped: np.ndarray) -> _Leaves:
        """The leaves of nodes, of which some may not be swapped."""
        levels, counts = nodes.levels(), np.ones(len(nodes.left), np.int64)
        for level in reversed(levels):
            counts[level] = counts[nodes.left[level]] + counts[nodes.right[level]]
        swapped = counts[nodes.right] < counts[nodes.left]
        swapped[unswapped] = False
        first, other = np.where(swapped, nodes.right, nodes.left), np.where(swapped, nodes.left, nodes.right)
        begin = np.zeros(len(nodes.left), np.int64)
        begin[nodes.roots] = np.cumsum(counts[nodes.roots]) - counts[nodes.roots]
        for level in levels:
            begin[first[level]] = begin[level]
            begin[other[level]] = begin[level] + counts[first[level]]
        leaves = np.flatnonzero(nodes.left == -1)
        value = np.empty(len(leaves))
        value[begin[leaves]] = nodes.value[leaves]
        own = (begin - begin[nodes.roots][nodes.tree]).astype(np.uint64)
        one, taken = np.uint64(1), np.where(nodes.left == -1, 0, counts[first]).astype(np.uint64)
        return cls(swapped, ~(((one << taken) - one) << own), value, counts[nodes.roots])


class _Sets(NamedTuple):
    """For each category that a tree asks for the leaves that are left after all tests of it, by code."""

    tree: np.ndarray
    column: np.ndarray
    table: np.ndarray


def _sets(nodes: _Nodes, leaves: _Leaves, ranks: Ranks) -> _Sets:
    if not nodes.members:
        none = np.zeros(0, np.int64)
        return _Sets(none, none, np.zeros((0, CODES + 1), np.uint64))
    asking = np.array(list(nodes.members))
    tree, column = nodes.tree[asking], ranks.column[nodes.feature[asking]]
    order = np.lexsort((column, tree))
    asking, tree, column = asking[order], tree[order], column[order]
    comes_first = np.array([nodes.members[node] for node in asking.tolist()]) ^ leaves.swapped[asking, np.newaxis]
    left = np.where(comes_first, ~np.uint64(0), leaves.keep[asking, np.newaxis])
    begin = np.flatnonzero(np.append(True, (np.diff(tree) != 0) | (np.diff(column) != 0)))
    return _Sets(tree[begin], column[begin], np.bitwise_and.reduceat(left, begin, axis=0))
