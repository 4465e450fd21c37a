"""Trees and their ensembles, compiled: the answers of scikit-learn to the last bit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.descent import Going
from scoreline.compiled.kept_trees import kept_trees
from scoreline.compiled.mask_kernel import MaskKernel
from scoreline.compiled.packing import are_large, pack
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.ranks import ranks_of
from scoreline.compiled.trees import read_trees
from scoreline.compiled.voting import voting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoreline.compiled.answers import Answers
    from scoreline.compiled.flat import Walk
    from scoreline.compiled.matrix import Block, Layout
    from scoreline.compiled.plan import Plan
    from scoreline.compiled.ranks import Ranks
    from scoreline.compiled.trees import Ensemble
    from scoreline.compiled.voting import Voting

_ROWS_OF_WALKS = 8192
"""Rows that take a tree one after another: the codes of that many stay in the cache."""


@dataclass(frozen=True, eq=False)
class TreeModel:
    """An ensemble of trees, the codes of its features, and its nodes as flat arrays.

    `voting` finds labels with fewer trees, where there is such a way.
    """

    ensemble: Ensemble
    ranks: Ranks
    packed: Going | Walk | MaskKernel
    voting: Voting | None = None

    @property
    def tolerance(self) -> float:
        """By how much a probability may differ with the rows beside it."""
        return self.ensemble.tolerance

    def derive(self, branch: int, place: int, rows: Any) -> np.ndarray:
        """What is looked up for encoded rows of a column: whether scikit-learn refuses it, and codes."""
        return self.ranks.derive(branch, place, rows)

    def answers(self, blocks: Sequence[Block], count: int, *, proba: bool) -> Answers:
        """Predictions and probabilities, equal to the last bit. Raises Declined where scikit-learn refuses a row."""
        self.ranks.layout.check(blocks)
        codes = self.ranks.codes(blocks, count)
        return self.ensemble.finish(self._sums(codes, count, proba=proba), proba)

    def _sums(self, codes: np.ndarray, count: int, *, proba: bool) -> np.ndarray:
        if self.voting is not None and not proba:
            return self.voting.sums(codes, self.ensemble.start)
        if isinstance(self.packed, MaskKernel):
            return self.packed.sums(codes, self.ensemble.start)
        sums = np.tile(self.ensemble.start, (count, 1))
        if isinstance(self.packed, Going):
            self.packed.add(codes, sums)
        else:
            from scoreline.compiled.kernels import walk

            walk(np.ascontiguousarray(codes.T), self.packed, sums, _ROWS_OF_WALKS)
        return sums

    @property
    def layout(self) -> Layout:
        """Where its features come from."""
        return self.ranks.layout

    @property
    def edges(self) -> Mapping[tuple[int, int], np.ndarray]:
        """The thresholds of features that are made of numbers, by branch and place among its features."""
        called = [column for column in self.ranks.columns if column.place is None and column.feature is not None]
        found: dict[tuple[int, int], np.ndarray] = {}
        for column in called:
            if not column.category:
                key = column.branch, column.feature or 0
                found[key] = np.append(found[key], column.cuts) if key in found else column.cuts
        return found


def compile_trees(plan: Plan, layout: Layout, stated: Mapping[str, Any] | None = None) -> TreeModel | NotCompilable:
    """The model of a plan, whose blocks have the widths and types of `layout`, as flat arrays.

    Where it is `stated` what was fitted, JSON values, large trees are kept for other processes, or are theirs.
    """
    ensemble = read_trees(plan.model)
    if isinstance(ensemble, NotCompilable):
        return ensemble
    if layout.sparse:
        if ensemble.takes_infinity:
            return NotCompilable("a sparse matrix for a model that takes none")
        ensemble = replace(ensemble, takes_nan=False)
    ranks = ranks_of(ensemble, plan, layout)
    if isinstance(ranks, NotCompilable):
        return ranks
    packed = _packed(ensemble, ranks, None if stated is None else {**stated, **plan.described, **layout.described})
    if isinstance(packed, NotCompilable):
        return packed
    found = voting(packed) if ensemble.is_vote and isinstance(packed, Going) else None
    return TreeModel(ensemble, ranks, packed, found)


def _packed(
    ensemble: Ensemble, ranks: Ranks, stated: Mapping[str, Any] | None
) -> Going | Walk | MaskKernel | NotCompilable:
    if stated is None or not are_large(ensemble):
        return pack(ensemble, ranks)
    kept = kept_trees(stated)
    known = kept.load()
    packed = pack(ensemble, ranks) if known is None else known
    return kept.keep(packed) if known is None and isinstance(packed, Going) else packed
