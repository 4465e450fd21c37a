"""Blocks whose numbers lie at thresholds and right beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.dictionary import CodedBranch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoreline.compiled.matrix import Block

EDGE_ROWS = 4096
"""Rows that are tried; of more thresholds an even choice."""


def at_edges(blocks: Sequence[Block], edges: Mapping[tuple[int, int], np.ndarray]) -> list[Block]:
    """Blocks of `EDGE_ROWS` rows: those given over and over, but numbers at `edges`, by branch and feature in there.

    Only blocks of floating point numbers are changed.
    """
    return [_repeated(block, number, edges) for number, block in enumerate(blocks)]


def _repeated(block: Block, number: int, edges: Mapping[tuple[int, int], np.ndarray]) -> Block:
    if isinstance(block, CodedBranch):
        count = len(block.columns[0].codes)
        return replace(block, columns=tuple(replace(each, codes=each.codes[_again(count)]) for each in block.columns))
    if not isinstance(block, np.ndarray):
        return block.iloc[_again(len(block))] if hasattr(block, "iloc") else block[_again(block.shape[0])]
    made = block[_again(len(block))]
    if made.dtype.kind == "f":
        for feature in range(made.shape[1]):
            if (number, feature) in edges:
                made[:, feature] = _around(edges[number, feature], made.dtype)
    return made


def _again(count: int) -> np.ndarray:
    return np.arange(EDGE_ROWS) % count


def _around(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """An even choice of `values` and their neighbours in both precisions, in a random order."""
    rng = np.random.default_rng(0)
    single = values.astype(np.float32)
    near: list[Any] = [values, single.astype(np.float64)]
    near += [np.nextafter(values, side) for side in (-np.inf, np.inf)]
    near += [np.nextafter(single, np.float32(side)).astype(np.float64) for side in (-np.inf, np.inf)]
    every = np.concatenate(near)
    # Infinity is a threshold too, where only NaN goes right; models that take no infinite numbers would refuse it.
    every = np.append(every[np.abs(every) < np.finfo(np.float32).max], 0.0)
    return rng.permutation(np.resize(every, max(len(every), EDGE_ROWS)))[:EDGE_ROWS].astype(dtype)
