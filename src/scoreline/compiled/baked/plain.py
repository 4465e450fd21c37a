"""The kernels in numpy: as many times slower as numba takes to load, and so the faster way to the first answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoreline.compiled.baked.scale import Scale

if TYPE_CHECKING:
    from scoreline.compiled.flat import Walk, Weights


def walk_plainly(codes: np.ndarray, trees: Walk, scores: np.ndarray) -> None:
    """Add the leaves of all trees to the scores of few rows, in the order of trees; `codes` is uint16 (rows, slots)."""
    final = _final(codes.astype(np.uint64), trees)
    for tree in range(len(trees.roots)):
        leaf = trees.leaf[final[:, tree]]
        first, end = trees.first[leaf], trees.first[leaf + 1]
        # A tree adds to a score once at most, so that the order of its entries is all one.
        for step in range(int((end - first).max(initial=0))):
            rows = np.flatnonzero(first + step < end)
            entry = first[rows] + step
            scores[rows, trees.place[entry]] += trees.value[entry]


def _final(codes: np.ndarray, trees: Walk) -> np.ndarray:
    """The leaf of each row in each tree."""
    rows = np.arange(len(codes))[:, np.newaxis]
    at = np.broadcast_to(trees.roots, (len(codes), len(trees.roots)))
    while True:
        word = trees.nodes[at]
        code = codes[rows, (word >> np.uint64(32)) & np.uint64(0xFF)]
        turned = (code - ((word >> np.uint64(16)) & np.uint64(0xFFFF))) & np.uint64(0xFFFF)
        after = (word >> np.uint64(40)) + (turned > (word & np.uint64(0xFFFF)))
        if np.array_equal(after, at):
            return np.asarray(after)
        at = after


def weigh_plainly(codes: np.ndarray, numbers: np.ndarray, weights: Weights, labels: np.ndarray) -> None:
    """Find the label of each row, -1 where it is not certain; the arguments are those of the kernel."""
    classes = len(weights.intercept)
    with np.errstate(all="ignore"):
        values = _scaled(numbers, weights)
        looked_up = weights.table[codes].sum(axis=1)
        scores = weights.intercept + looked_up[:, :classes] + values @ weights.coef
        magnitude = abs(weights.intercept).max() + looked_up[:, classes]
        magnitude += abs(values) @ abs(weights.coef).max(axis=1, initial=0)
        small = (looked_up[:, classes + 1] + values.shape[1] + 3) * 2.0**-53
        bounds = 3 * small / (1 - small) * magnitude + 1e-300
        labels[:] = np.where(np.isfinite(bounds), _decided(scores, bounds), -1)


def probabilities(codes: np.ndarray, numbers: np.ndarray, weights: Weights) -> np.ndarray:
    """The probabilities of logistic regression up to rounding, float64 (rows, labels)."""
    classes = len(weights.intercept)
    with np.errstate(all="ignore"):
        looked_up = weights.table[codes].sum(axis=1)[:, :classes]
        scores = weights.intercept + looked_up + _scaled(numbers, weights) @ weights.coef
        if classes == 1:
            likely = 1 / (1 + np.exp(-scores))
            return np.hstack([1 - likely, likely])
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _scaled(numbers: np.ndarray, weights: Weights) -> np.ndarray:
    made = np.empty_like(numbers)
    for feature in range(numbers.shape[1]):
        steps = slice(weights.first[feature], weights.first[feature + 1])
        scale = Scale(tuple(zip(weights.operation[steps].tolist(), weights.operand[steps].tolist(), strict=True)))
        made[:, feature] = scale(numbers[:, feature])
    return made


def _decided(scores: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    if scores.shape[1] == 1:
        return np.where(abs(scores[:, 0]) > bounds, scores[:, 0] > 0, -1)
    near = (scores >= (scores.max(axis=1) - 2 * bounds)[:, np.newaxis]).sum(axis=1)
    return np.where(near == 1, scores.argmax(axis=1), -1)
