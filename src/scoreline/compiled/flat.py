"""Models as flat arrays: what kernels read, and files hold. Nothing here needs numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Walk(NamedTuple):
    """Trees to walk from the root; nodes of all trees in one array, the right child beside the left one.

    Attributes
    ----------
    nodes : uint64, from the top: 24 bits left child (of a leaf, itself), 8 bits column, 16 bits low, 16 bits span: a
        row goes left when (code - low) modulo 2**16 is at most span
    roots : uint64, the root of each tree
    leaf : uint32, the number of each node that is a leaf
    first, place, value : leaf i adds ``value[j]`` to score ``place[j]``, for j from ``first[i]`` to ``first[i + 1]``
    """

    nodes: np.ndarray
    roots: np.ndarray
    leaf: np.ndarray
    first: np.ndarray
    place: np.ndarray
    value: np.ndarray


class Descent(NamedTuple):
    """Trees to go down for many rows at once; see `scoreline.compiled.descent`.

    Attributes
    ----------
    nodes : uint64, from the top: 32 bits left child (of a leaf, itself), 16 bits threshold, 11 bits view, 5 bits shift:
        a row goes left when its view, shifted to the left, is at most the lower 32 bits; of a leaf the lowest 16 bits
        are its number in the tree, and no view is larger
    base : int64, the first node of each tree, and the end; the roots come first
    first : int64, the first leaf of each tree, and the end
    kind : uint32, for each leaf the row of values
    values : float64 (kinds, n), what leaves add to n scores one after another
    place : int64, the first of these scores of each tree
    """

    nodes: np.ndarray
    base: np.ndarray
    first: np.ndarray
    kind: np.ndarray
    values: np.ndarray
    place: np.ndarray


class Weights(NamedTuple):
    """A linear model.

    Attributes
    ----------
    table : float64 (codes, classes + 2), what a code adds to the scores, the magnitude of it, and the count of terms
    first : int64, the first operation of each feature among all of them, and the end
    operation, operand : int64 and float64, what is done to features
    coef : float64 (features, classes)
    intercept : float64 (classes,)
    """

    table: np.ndarray
    first: np.ndarray
    operation: np.ndarray
    operand: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray


class Masks(NamedTuple):
    """Small trees as bit masks, a bit for a leaf: what is left of all leaves after every test is the row's own.

    Attributes
    ----------
    column, low, span : uint32, the test of each inner node, as in `Walk`
    keep : uint32 or uint64, the leaves that are left where a row goes right
    first : the first test of each tree, and the end
    value : float64, of all leaves of all trees
    leaf : the first leaf of each tree
    place : the score that each tree adds to
    category : uint32, the column of each table
    sets : the first table of each tree, and the end
    table : for each code of a category the leaves that are left after all tests of it; the last one for missing ones
    """

    column: np.ndarray
    low: np.ndarray
    span: np.ndarray
    keep: np.ndarray
    first: np.ndarray
    value: np.ndarray
    leaf: np.ndarray
    place: np.ndarray
    category: np.ndarray
    sets: np.ndarray
    table: np.ndarray
