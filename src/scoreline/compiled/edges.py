"""Blocks whose numbers lie at thresholds and right beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.dictionary import CodedBranch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoreline.compiled.matrix import Block

LEAST_ROWS, MOST_ROWS = 1024, 4096
"""Rows that are tried; of more thresholds an even choice."""


def at_edges(blocks: Sequence[Block], edges: Mapping[tuple[int, int], np.ndarray]) -> tuple[list[Block], int]:
    """Blocks and how many rows they have: those given over and over, but numbers at `edges`.

    `edges` are by branch and feature in there, and only blocks of floating point numbers are changed. There are as many
    rows as the feature with the most edges and their neighbours needs, and from `LEAST_ROWS` to `MOST_ROWS`.
    """
    near = {where: _near(values) for where, values in edges.items()}
    rows = min(MOST_ROWS, max(LEAST_ROWS, *map(len, near.values())))
    return [_repeated(block, number, near, rows) for number, block in enumerate(blocks)], rows


def _repeated(block: Block, number: int, near: Mapping[tuple[int, int], np.ndarray], rows: int) -> Block:
    if isinstance(block, CodedBranch):
        again = np.arange(rows) % len(block.columns[0].codes)
        return replace(block, columns=tuple(replace(each, codes=each.codes[again]) for each in block.columns))
    again = np.arange(rows) % block.shape[0]
    if not isinstance(block, np.ndarray):
        return block.iloc[again] if hasattr(block, "iloc") else block[again]
    made = block[again]
    if made.dtype.kind == "f":
        for feature in range(made.shape[1]):
            if (number, feature) in near:
                made[:, feature] = _spread(near[number, feature], rows)
    return made


def _spread(values: np.ndarray, rows: int) -> np.ndarray:
    """An even choice of so many values, in a random order."""
    return np.random.default_rng(0).permutation(np.resize(values, max(len(values), rows)))[:rows]


def _near(values: np.ndarray) -> np.ndarray:
    """Values and their neighbours in both precisions."""
    single = values.astype(np.float32)
    near: list[Any] = [values, single.astype(np.float64)]
    near += [np.nextafter(values, side) for side in (-np.inf, np.inf)]
    near += [np.nextafter(single, np.float32(side)).astype(np.float64) for side in (-np.inf, np.inf)]
    every = np.concatenate(near)
    # Infinity is a threshold too, where only NaN goes right; models that take no infinite numbers would refuse it.
    return np.append(every[np.abs(every) < np.finfo(np.float32).max], 0.0)
