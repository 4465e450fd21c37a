"""Blocks whose numbers lie at thresholds and right beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.dictionary import CodedBranch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoreline.compiled.matrix import Block

LEAST_ROWS, MOST_ROWS = 2048, 4096
"""Rows that are tried: as many as a feature has thresholds and neighbours of them; of more an even choice."""


def at_edges(blocks: Sequence[Block], edges: Mapping[tuple[int, int], np.ndarray]) -> tuple[list[Block], int]:
    """Blocks whose rows are those given over and over, but numbers at `edges`, by branch and feature in there.

    Only blocks of floating point numbers are changed. Also gives the number of rows.
    """
    rows = min(MOST_ROWS, max([LEAST_ROWS, *(len(_beside(values)) for values in edges.values())]))
    return [_repeated(block, rows, number, edges) for number, block in enumerate(blocks)], rows


def _repeated(block: Block, rows: int, number: int, edges: Mapping[tuple[int, int], np.ndarray]) -> Block:
    if isinstance(block, CodedBranch):
        again = np.arange(rows) % len(block.columns[0].codes)
        return replace(block, columns=tuple(replace(each, codes=each.codes[again]) for each in block.columns))
    again = np.arange(rows) % block.shape[0]
    if not isinstance(block, np.ndarray):
        return block.iloc[again] if hasattr(block, "iloc") else block[again]
    made = block[again]
    if made.dtype.kind == "f":
        for feature in range(made.shape[1]):
            if (number, feature) in edges:
                made[:, feature] = _around(edges[number, feature], made.dtype, rows)
    return made


def _around(values: np.ndarray, dtype: np.dtype, rows: int) -> np.ndarray:
    """So many of `values` and their neighbours in a random order: all of them, again and again, or an even choice."""
    every = _beside(values)
    return np.random.default_rng(0).permutation(np.resize(every, max(len(every), rows)))[:rows].astype(dtype)


def _beside(values: np.ndarray) -> np.ndarray:
    """Values and their neighbours in both precisions, and zero."""
    single = values.astype(np.float32)
    near: list[Any] = [values, single.astype(np.float64)]
    near += [np.nextafter(values, side) for side in (-np.inf, np.inf)]
    near += [np.nextafter(single, np.float32(side)).astype(np.float64) for side in (-np.inf, np.inf)]
    every = np.concatenate(near)
    # Infinity is a threshold too, where only NaN goes right; models that take no infinite numbers would refuse it.
    return np.append(every[np.abs(every) < np.finfo(np.float32).max], 0.0)
