"""Deep trees made ready for many rows at once: a tree for each code of the category that they ask for most.

What a row is in one category is known before it enters a tree, so no tree has to ask for it: each code has a root of
its own. Trees of two codes differ only on the way to where one of the codes was asked for, and share all the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scoreline.compiled.descent_kernel import descend
from scoreline.compiled.flat import Descent
from scoreline.compiled.ranks import ALWAYS, NEVER
from scoreline.compiled.views import PLACE, Views

if TYPE_CHECKING:
    from scoreline.compiled.flat import Walk

MOST_NODES, MOST_VALUES = 2**22, 2**24
"""Larger forests are walked: nodes, and values of all leaves together, zeros too. It bounds the memory of packing."""

MOST_LEAVES = 2**16
"""Kinds of leaves of a tree that a node has room for."""

MOST_SCORES = 256
"""Scores that a leaf adds to: the code for more is long."""

MOST_VIEWS = 256
"""Views of a row that stay in the cache; a node has room for eight times as many."""

MOST_ASKING = 2**18
"""Where more nodes ask for the category, they go on asking: each is the cause of several others."""


@dataclass(frozen=True, eq=False)
class _Nodes:
    """The nodes of a `Walk`, taken apart.

    Attributes
    ----------
    left : the left child, and beside it the right one; of a leaf itself
    tests : (3, nodes) column, low and span of each
    tree : the tree of each node
    roots : the root of each tree
    """

    left: np.ndarray
    tests: np.ndarray
    tree: np.ndarray
    roots: np.ndarray

    @cached_property
    def inner(self) -> np.ndarray:
        """Whether each node has children."""
        return np.asarray(self.left != np.arange(len(self.left)))

    @cached_property
    def asks_place(self) -> np.ndarray:
        """Whether each node asks if a code is one place."""
        return np.asarray(self.inner & (self.tests[2] == PLACE))


@dataclass(frozen=True, eq=False)
class _Settled:
    """Nodes whose answer is known once the code of one column is.

    Attributes
    ----------
    nodes : all nodes
    asks : whether each node asks for the column
    key : of such a node the place that goes right, counted from 1; 0 stands for every place that is not asked for
    passes : whether each node is passed without a test: it asks for the column, or all rows go the same way
    """

    nodes: _Nodes
    asks: np.ndarray
    key: np.ndarray
    passes: np.ndarray

    @cached_property
    def keys(self) -> int:
        """How many keys there are."""
        return int(self.key.max(initial=0)) + 1

    def pass_on(self, nodes: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """The first node from each one on, itself included, at which a row of a key has to be tested, or its leaf."""
        at = nodes.copy()
        moving = np.flatnonzero(self.passes[at])
        while len(moving):
            here = at[moving]
            right = np.where(self.asks[here], self.key[here] == keys[moving], self.nodes.tests[1, here] == NEVER)
            at[moving] = self.nodes.left[here] + right
            moving = moving[self.passes[at[moving]]]
        return at

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes that are tested, and keys that are asked for somewhere below them, sorted by node."""
        parent = np.zeros(len(self.asks), np.int64)
        inner = np.flatnonzero(self.nodes.inner)
        for side in (0, 1):
            parent[self.nodes.left[inner] + side] = inner
        found, below = [], np.empty(0, np.int64)
        for level in reversed(_levels(self.nodes)):
            asking = level[self.asks[level]]
            # Of a root nobody is the parent.
            below = np.unique(np.concatenate([asking * self.keys + self.key[asking], below]))
            found.append(below)
            below = parent[below // self.keys] * self.keys + below % self.keys
        every = np.sort(np.concatenate(found))
        every = every[~self.passes[every // self.keys]]
        return every // self.keys, every % self.keys


def _levels(nodes: _Nodes) -> list[np.ndarray]:
    """The nodes of all trees by their distance from the root."""
    levels = [nodes.roots]
    while len(levels[-1]):
        parents = levels[-1][nodes.inner[levels[-1]]]
        levels.append(np.concatenate([nodes.left[parents], nodes.left[parents] + 1]))
    return levels


class Going(NamedTuple):
    """Trees to go down, and what of the codes they compare."""

    trees: Descent
    views: Views

    def add(self, codes: np.ndarray, scores: np.ndarray) -> None:
        """Add what the leaves of all trees add for codes (columns, rows) to scores (rows, scores)."""
        order = self.views.order(codes)
        views, roots = self.views.made(codes[:, order])
        ordered = np.zeros((len(roots), scores.shape[1]))
        ordered[: len(order)] = scores[order]
        descend(views, len(self.views.views), roots, self.trees, ordered)
        scores[order] = ordered[: len(order)]


def going(walk: Walk, width: int, places: np.ndarray) -> Going | None:
    """The trees of a walk for many rows, and what of its codes they compare; None when nodes have no room for them.

    `width` is how many scores each leaf adds to, and `places` the first of them of each tree.
    """
    if len(walk.nodes) > MOST_NODES or (len(walk.first) - 1) * width > MOST_VALUES or width > MOST_SCORES:
        return None
    nodes = _taken_apart(walk)
    kind, values = _kinds(walk, width, places[nodes.tree[~nodes.inner]])
    leaves = np.flatnonzero(~nodes.inner)
    # A leaf names its kind by the place among those of its tree.
    each, own = np.unique(nodes.tree[leaves] * len(values) + kind, return_inverse=True)
    first = np.searchsorted(each // len(values), np.arange(len(nodes.roots) + 1))
    if np.diff(first).max() > MOST_LEAVES:
        return None
    root = _most_asked(nodes)
    settled = _settled(nodes, root)
    views = Views.of(nodes.tests[:, nodes.inner], root, settled.keys)
    if len(views.views) > MOST_VIEWS:
        return None
    test = views.words(nodes.tests)
    test[leaves] = ALWAYS << 16 | own - first[nodes.tree[leaves]]
    words, base = _laid_out(settled, test)
    return Going(Descent(words, base, first, (each % len(values)).astype(np.uint32), values, places), views)


def _taken_apart(walk: Walk) -> _Nodes:
    word, roots = walk.nodes, walk.roots.astype(np.int64)
    sixteen = np.uint64(0xFFFF)
    tests = np.stack([(word >> np.uint64(32)) & np.uint64(0xFF), (word >> np.uint64(16)) & sixteen, word & sixteen])
    tree = np.repeat(np.arange(len(roots)), np.diff(np.append(roots, len(word))))
    return _Nodes((word >> np.uint64(40)).astype(np.int64), tests.astype(np.int64), tree, roots)


def _most_asked(nodes: _Nodes) -> int | None:
    """The column of places that most nodes ask for; None when there is none, or too many ask for it."""
    asked = np.bincount(nodes.tests[0, nodes.asks_place], minlength=1)
    return int(asked.argmax()) if 0 < asked.max() <= MOST_ASKING else None


def _settled(nodes: _Nodes, root: int | None) -> _Settled:
    column, low, span = nodes.tests
    asks = nodes.asks_place & (column == (-1 if root is None else root))
    same = nodes.inner & ~nodes.asks_place & ((low == NEVER) | ((low == 0) & (span == ALWAYS)))
    # The place that a node asks for is one less than its `low`.
    return _Settled(nodes, asks, np.where(asks, low, 0), asks | same)


def _kinds(walk: Walk, width: int, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What leaves add, each kind once: its number for each leaf, and the values."""
    counts = np.diff(walk.first)
    leaf = np.repeat(np.arange(len(counts)), counts)
    place = walk.place - places[leaf]
    _, found, number = np.unique(_mixed(walk, width, place), return_index=True, return_inverse=True)
    # In the order of their first leaves, so that those of one tree are near each other.
    order = np.argsort(found)
    chosen, kind = found[order], np.argsort(order)[number]
    twin = chosen[kind]
    same = np.array_equal(counts[twin], counts)
    if same:
        entry = np.arange(len(leaf)) - walk.first[leaf] + walk.first[twin[leaf]]
        same = np.array_equal(place[entry], place) and np.array_equal(walk.value[entry], walk.value)
    if not same:
        # Two kinds were mixed into one number.
        chosen = kind = np.arange(len(counts))
    values = np.zeros((len(chosen), width))
    first = np.isin(leaf, chosen)
    values[kind[leaf[first]], place[first]] = walk.value[first]
    return kind, values


def _mixed(walk: Walk, width: int, place: np.ndarray) -> np.ndarray:
    """A number for each leaf that is the same for those that add the same, and hardly ever for others."""
    bits = walk.value.view(np.uint64)
    # The lower half of a simple fraction is zero, and of a product the upper half is lost.
    bits = bits ^ (bits >> np.uint64(32)) ^ (bits >> np.uint64(52))
    factors = np.random.default_rng(0).integers(2**63, size=width, dtype=np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(bits * factors[place])])
    return np.asarray(sums[walk.first[1:]] - sums[walk.first[:-1]])


def _laid_out(settled: _Settled, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The words of all trees, and the first one of each tree: its roots by key, then pairs of children."""
    nodes, trees, keys = settled.nodes, len(settled.nodes.roots), settled.keys
    plain = np.flatnonzero(nodes.inner & ~settled.passes)
    paired, key = settled.pairs()
    order = np.lexsort((paired, key, nodes.tree[paired]))
    counts = [np.bincount(nodes.tree[each], minlength=trees) for each in (plain, paired)]
    base = np.concatenate([[0], np.cumsum(keys + 2 * (counts[0] + counts[1]))])
    child_of_plain = np.zeros(len(nodes.left), np.int64)
    child_of_plain[plain] = base[nodes.tree[plain]] + keys + 2 * _within(counts[0])
    child_of_pair = np.empty(len(paired), np.int64)
    child_of_pair[order] = (base[:-1] + keys + 2 * counts[0])[nodes.tree[paired[order]]] + 2 * _within(counts[1])
    child = _Children(child_of_plain, paired * keys + key, child_of_pair)
    # Every word by where it stands, the node that it stands for, and the key of the rows that come there.
    at = [(base[:-1, np.newaxis] + np.arange(keys)).ravel()]
    at += [start + side for start in (child_of_plain[plain], child_of_pair) for side in (0, 1)]
    node = [np.repeat(nodes.roots, keys), *(nodes.left[each] + side for each in (plain, paired) for side in (0, 1))]
    of = [np.tile(np.arange(keys), trees), *([np.zeros(len(plain), np.int64)] * 2), key, key]
    words = np.empty(base[-1], np.uint64)
    for place, reached, key_of in zip(at, node, of, strict=True):
        target = settled.pass_on(reached, key_of)
        left = np.where(nodes.inner[target], child.of(target, target * keys + key_of), place)
        words[place] = (left << 32 | test[target]).astype(np.uint64)
    return words, base


def _within(counts: np.ndarray) -> np.ndarray:
    """The number of each thing in its group, where groups of so many stand one after another."""
    return np.asarray(np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts))


@dataclass(frozen=True, eq=False)
class _Children:
    """Where the left child of each node is, and of pairs of a node and a key."""

    of_node: np.ndarray
    pairs: np.ndarray
    of_pair: np.ndarray

    def of(self, nodes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Those of pairs where there are such, else those of nodes alone."""
        if not len(self.pairs):
            return np.asarray(self.of_node[nodes])
        place = np.minimum(np.searchsorted(self.pairs, wanted), len(self.pairs) - 1)
        return np.where(self.pairs[place] == wanted, self.of_pair[place], self.of_node[nodes])
