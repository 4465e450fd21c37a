"""Weighted sums by group of rows, for all bootstrap replicates at once."""

from __future__ import annotations

import numpy as np


def grouped(codes: np.ndarray, weights: np.ndarray, groups: int) -> np.ndarray:
    """Sum of the weights of the rows of each group, float64 (replicates, groups).

    `codes` are int64 in [0, groups), one for each row of `weights` (rows, replicates). Sorts once, whatever the
    replicates: a product with an indicator matrix is slower from two threads on.

    >>> grouped(np.array([1, 0, 1]), np.array([[1.0], [2.0], [3.0]]), 2)
    array([[2., 4.]])
    """
    total = np.zeros((groups, weights.shape[1]))
    if len(codes):
        order = np.argsort(codes, kind="stable")
        present, starts = np.unique(codes[order], return_index=True)
        total[present] = np.add.reduceat(weights[order], starts, axis=0)
    return total.T
