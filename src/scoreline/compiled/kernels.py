"""Loops that numba compiles: large trees in two forms, and linear models. Import it where it is used: it loads slowly.

The machine code is kept beside this file, or in the user's cache, where one of the two can be written to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numba
import numpy as np

from scoreline.compiled.flat import Walk, Weights

if TYPE_CHECKING:
    from collections.abc import Callable

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["Walk", "Weights", "walk", "walk_one_by_one", "weigh"]

LEFT, COLUMN, LOW = np.uint64(40), np.uint64(32), np.uint64(16)
WORD, BYTE = np.uint64(0xFFFF), np.uint64(0xFF)


def _compiled(function: F, **options: Any) -> F:
    # No fastmath: every addition is the one of scikit-learn.
    try:
        made: F = numba.njit(nogil=True, error_model="numpy", cache=True, **options)(function)
    except RuntimeError:
        # There is no folder to write to; the code is compiled again in each process.
        made = numba.njit(nogil=True, error_model="numpy", **options)(function)
    return made


def _step(nodes: np.ndarray, codes: np.ndarray, node: Any, row: Any) -> Any:
    word = nodes[node]
    code = np.uint64(codes[row + ((word >> COLUMN) & BYTE)])
    return (word >> LEFT) + np.uint64(((code - ((word >> LOW) & WORD)) & WORD) > (word & WORD))


def _eight_steps(nodes: np.ndarray, codes: np.ndarray, at: Any, rows: Any) -> Any:
    return (
        _step(nodes, codes, at[0], rows[0]),
        _step(nodes, codes, at[1], rows[1]),
        _step(nodes, codes, at[2], rows[2]),
        _step(nodes, codes, at[3], rows[3]),
        _step(nodes, codes, at[4], rows[4]),
        _step(nodes, codes, at[5], rows[5]),
        _step(nodes, codes, at[6], rows[6]),
        _step(nodes, codes, at[7], rows[7]),
    )


def _eight_rows(first: Any, width: Any, last: Any) -> Any:
    second = min(first + width, last)
    third = min(second + width, last)
    fourth = min(third + width, last)
    fifth = min(fourth + width, last)
    sixth = min(fifth + width, last)
    seventh = min(sixth + width, last)
    return first, second, third, fourth, fifth, sixth, seventh, min(seventh + width, last)


def _walk(codes: np.ndarray, trees: Walk, scores: np.ndarray, block: int) -> None:
    # A leaf is its own child: eight rows walk side by side, held in registers, until none of them moves. All rows of a
    # block take one tree after another, so that a tree stays in the cache and sums are added in the order of trees.
    width, flat, nodes = np.uint64(codes.shape[1]), codes.ravel(), trees.nodes
    last = np.uint64(len(codes) - 1) * width
    final = np.empty(block + 8, np.uint64)
    for start in range(0, len(codes), block):
        count = min(block, len(codes) - start)
        for root in trees.roots:
            for row in range(0, count, 8):
                rows = _eight_rows(np.uint64(start + row) * width, width, last)
                at = (root, root, root, root, root, root, root, root)
                moving = True
                while moving:
                    before = _eight_steps(nodes, flat, at, rows)
                    at = _eight_steps(nodes, flat, before, rows)
                    moving = at != before
                for lane in range(8):
                    final[row + lane] = at[lane]
            for row in range(count):
                leaf = trees.leaf[final[row]]
                for entry in range(trees.first[leaf], trees.first[leaf + 1]):
                    scores[start + row, trees.place[entry]] += trees.value[entry]


def _eight_roots(roots: np.ndarray, first: Any) -> Any:
    last = len(roots) - 1
    return (
        roots[min(first, last)],
        roots[min(first + 1, last)],
        roots[min(first + 2, last)],
        roots[min(first + 3, last)],
        roots[min(first + 4, last)],
        roots[min(first + 5, last)],
        roots[min(first + 6, last)],
        roots[min(first + 7, last)],
    )


def _walk_one_by_one(codes: np.ndarray, trees: Walk, scores: np.ndarray) -> None:
    # For few rows: one row walks trees side by side, since there are not enough rows to hide the waiting.
    width, flat, nodes, roots = np.uint64(codes.shape[1]), codes.ravel(), trees.nodes, trees.roots
    leaves = np.empty(len(roots) + 16, np.uint32)
    for row in range(len(codes)):
        start = np.uint64(row) * width
        rows = (start, start, start, start, start, start, start, start)
        for tree in range(0, len(roots), 16):
            at, more = _eight_roots(roots, tree), _eight_roots(roots, tree + 8)
            moving = True
            while moving:
                before, others = _eight_steps(nodes, flat, at, rows), _eight_steps(nodes, flat, more, rows)
                at, more = _eight_steps(nodes, flat, before, rows), _eight_steps(nodes, flat, others, rows)
                moving = at != before or more != others
            for lane in range(8):
                leaves[tree + lane], leaves[tree + 8 + lane] = trees.leaf[at[lane]], trees.leaf[more[lane]]
        for tree in range(len(roots)):
            leaf = leaves[tree]
            for entry in range(trees.first[leaf], trees.first[leaf + 1]):
                scores[row, trees.place[entry]] += trees.value[entry]


def _scaled(value: Any, operation: Any, operand: Any) -> Any:
    # As numbered in `baked.scale`.
    if operation == 0:
        return operand if np.isnan(value) else value
    if operation == 1:
        return value - operand
    if operation == 2:
        return value / operand
    if operation in (3, 4):
        return value * operand if operation == 3 else value + operand
    return max(value, operand) if operation == 5 else min(value, operand)


def _decided(scores: np.ndarray, bound: Any) -> int:
    if not np.isfinite(bound):
        return -1
    if len(scores) == 1:
        return int(scores[0] > 0) if abs(scores[0]) > bound else -1
    best = 0
    for label in range(1, len(scores)):
        if scores[label] > scores[best]:
            best = label
    near = 0
    for label in range(len(scores)):
        near += scores[label] >= scores[best] - 2 * bound
    return best if near == 1 else -1


def _weigh(codes: np.ndarray, numbers: np.ndarray, weights: Weights, labels: np.ndarray) -> None:
    # The bound is the one of `compiled.linear`: by how much two sums of the same terms may differ.
    classes = len(weights.intercept)
    scores = np.empty(classes)
    for row in range(len(labels)):
        scores[:] = weights.intercept
        magnitude, terms = np.abs(weights.intercept).max(), 1.0
        for column in range(codes.shape[1]):
            code = codes[row, column]
            for label in range(classes):
                scores[label] += weights.table[code, label]
            magnitude += weights.table[code, classes]
            terms += weights.table[code, classes + 1]
        for feature in range(numbers.shape[1]):
            value = numbers[row, feature]
            for step in range(weights.first[feature], weights.first[feature + 1]):
                value = _scaled(value, weights.operation[step], weights.operand[step])
            largest = 0.0
            for label in range(classes):
                scores[label] += value * weights.coef[feature, label]
                largest = max(largest, abs(weights.coef[feature, label]))
            magnitude += abs(value) * largest
            terms += 1.0
        small = (terms + 2.0) * 2.0**-53
        labels[row] = _decided(scores, 3.0 * small / (1.0 - small) * magnitude + 1e-300)


_step = _compiled(_step, inline="always")
_eight_steps, _eight_rows = _compiled(_eight_steps, inline="always"), _compiled(_eight_rows, inline="always")
_eight_roots, _scaled = _compiled(_eight_roots, inline="always"), _compiled(_scaled, inline="always")
_decided, walk = _compiled(_decided, inline="always"), _compiled(_walk)
walk_one_by_one, weigh = _compiled(_walk_one_by_one), _compiled(_weigh)
