"""Every feature that trees ask for as whole numbers, so that each test of a node is one comparison of 16 bits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.dictionary import CodedBranch, Declined
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.rank_kernel import NAN, ranks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoreline.compiled.matrix import Block, Layout
    from scoreline.compiled.plan import Plan
    from scoreline.compiled.trees import Ensemble

MOST_COLUMNS, MOST_CUTS = 256, 65_000
"""What a node has room for; the columns of a one-hot encoder are cuts, too. Numbers with more cuts have several columns
of codes, each for a range of so many of them."""

NEVER, ALWAYS = 0xFFFE, 0xFFFF
"""A code that no row has; a span that takes in every code."""


@dataclass(frozen=True, eq=False)
class Numbered:
    """One column of codes.

    Attributes
    ----------
    branch, place : the branch, and the column in there; None for a branch that is called
    feature : the feature, counted from the first one of the branch or column; None for the columns of a one-hot
        encoder, which are one column: the place of the one, or their number where there is none
    cuts : the sorted thresholds, or the values of a category
    category : whether codes are the places of known values, and that of all others is the one of NaN
    goes_on : whether its thresholds follow those of the column before, of the same feature
    """

    branch: int
    place: int | None
    feature: int | None
    cuts: np.ndarray
    category: bool = False
    goes_on: bool = False


@dataclass(frozen=True, eq=False)
class Ranks:
    """Codes of features.

    Attributes
    ----------
    columns : the columns of codes
    column, offset : for each feature, the first of its columns, and among those of a one-hot encoder its place, else -1
    ensemble, layout : whose features they are, and where they come from
    """

    columns: tuple[Numbered, ...]
    column: np.ndarray
    offset: np.ndarray
    ensemble: Ensemble
    layout: Layout

    @property
    def most_code(self) -> int:
        """What no code of a row is above, but for that of NaN: fewer bits than 16 may do for all of them."""
        return max(_most_code(column, self.layout) for column in self.columns)

    def derive(self, branch: int, place: int, rows: Any) -> np.ndarray:
        """What is looked up for encoded rows of a column: whether scikit-learn refuses it, then its codes; uint16."""
        mine = [column for column in self.columns if (column.branch, column.place) == (branch, place)]
        if not isinstance(rows, np.ndarray):
            # Only one-hot encoders leave zeros out.
            made = [np.zeros(rows.shape[0]), *(_place_of_one(rows) for _ in mine)]
        else:
            values = self.cast(rows)
            made = [np.asarray(self._refused(values).any(axis=1)), *(_code(column, values) for column in mine)]
        return np.stack(made, axis=1).astype(np.uint16)

    def cast(self, values: np.ndarray) -> np.ndarray:
        """Numbers as the model compares them: first as in the whole matrix, then as the model turns them."""
        common = np.dtype(np.float64) if self.layout.dtype == object else self.layout.dtype
        with np.errstate(over="ignore"):
            compared: np.ndarray = np.asarray(values).astype(common, copy=False).astype(self.ensemble.dtype, copy=False)
        return compared.astype(np.float64, copy=False)

    def _refused(self, values: np.ndarray) -> np.ndarray:
        refused = np.zeros(values.shape, dtype=bool)
        if not self.ensemble.takes_infinity:
            refused |= np.isinf(values)
        if not self.ensemble.takes_nan:
            refused |= np.isnan(values)
        return refused

    def codes(self, blocks: Sequence[Block], count: int) -> np.ndarray:
        """The codes of all rows, uint16 (rows, columns). Raises Declined where scikit-learn would refuse a row."""
        made = np.zeros((len(self.columns), count), np.uint16)
        for number, block in enumerate(blocks):
            mine = [place for place, column in enumerate(self.columns) if column.branch == number]
            if isinstance(block, CodedBranch):
                self._look_up(block, mine, made)
            else:
                self._rank(block, mine, made)
        return made

    def _look_up(self, block: CodedBranch, mine: Sequence[int], made: np.ndarray) -> None:
        for place, coded in enumerate(block.columns):
            tables = np.ascontiguousarray(coded.dictionary.derived.T)
            if tables[0].any() and tables[0][coded.codes].any():
                raise Declined("features that scikit-learn refuses", np.flatnonzero(tables[0][coded.codes]))
            here = [number for number in mine if self.columns[number].place == place]
            for table, number in zip(tables[1:], here, strict=True):
                made[number] = table[coded.codes]

    def _rank(self, block: Any, mine: Sequence[int], made: np.ndarray) -> None:
        features = [self.columns[number].feature or 0 for number in mine]
        values = self._asked(block, features)
        for number, feature in zip(mine, values, strict=True):
            column = self.columns[number]
            made[number] = ranks(feature, column.cuts)
            if column.category:
                _forget_strangers(column, feature, made[number])

    def _asked(self, block: Any, features: Sequence[int]) -> np.ndarray:
        """Some features of a block, (features, rows). Raises Declined where scikit-learn refuses any of the others."""
        from scipy import sparse

        # Text makes sparse blocks of very many features: only those that are asked for fit into memory as they are.
        values = np.asarray(block.data if sparse.issparse(block) else block)
        if values.dtype.kind == "f" and self.layout.dtype.kind in "iu":
            # Numbers with nulls, as pandas gives those of a dtype of its own, where there were none before.
            raise Declined("floats in a matrix of whole numbers")
        given = self.cast(values)
        refused = self._refused(given)
        if refused.any():
            rows = block.tocoo().row[refused] if sparse.issparse(block) else np.flatnonzero(refused.any(axis=1))
            raise Declined("features that scikit-learn refuses", np.unique(rows))
        if sparse.issparse(block):
            given = self.cast(block.tocsc()[:, features].toarray())
            return np.ascontiguousarray(given.T)
        return np.ascontiguousarray(given.T[features])

    def tests(self, feature: np.ndarray, threshold: np.ndarray, nan_left: np.ndarray) -> np.ndarray:
        """The tests of nodes as (3, nodes): column, low, span. A row goes left if (code - low) mod 2**16 <= span."""
        column = self.column[feature]
        for number, numbered in enumerate(self.columns):
            if numbered.goes_on:
                column[(column == number - 1) & (threshold >= numbered.cuts[0])] = number
        made = np.zeros((3, len(feature)), np.int64)
        made[0] = column
        for number, numbered in enumerate(self.columns):
            nodes = np.flatnonzero(column == number)
            if numbered.feature is None:
                made[1:, nodes] = _tests_of_places(self.offset[feature[nodes]], threshold[nodes])
            else:
                made[1:, nodes] = _tests_of_ranks(np.searchsorted(numbered.cuts, threshold[nodes]), nan_left[nodes])
        return made


def _place_of_one(rows: Any) -> np.ndarray:
    """The place of the one in each row of a sparse matrix; the number of its columns where there is none."""
    counts = np.diff(rows.indptr)
    if (counts > 1).any() or (rows.data != 1).any():
        raise Declined("a one-hot encoder that sets other than one column to one")
    places = np.full(rows.shape[0], rows.shape[1])
    places[counts == 1] = rows.indices
    return places


def _code(column: Numbered, values: np.ndarray) -> np.ndarray:
    if column.feature is not None:
        mine = values[:, column.feature]
        codes = ranks(mine, column.cuts)
        if column.category:
            _forget_strangers(column, mine, codes)
        return codes
    from scipy import sparse

    return _place_of_one(sparse.csr_array(values))


def _forget_strangers(column: Numbered, values: np.ndarray, codes: np.ndarray) -> None:
    """Write the code of NaN where a value is none of the known ones. Raises Declined for infinite ones."""
    if np.isinf(values).any():
        raise Declined("an infinite number for a category", np.flatnonzero(np.isinf(values)))
    known = column.cuts
    codes[known[np.minimum(codes, len(known) - 1)] != values] = NAN


def _tests_of_ranks(rank: np.ndarray, nan_left: np.ndarray) -> np.ndarray:
    """Left up to a rank; NaN, the largest code, is beside 0 when one counts in a circle."""
    return np.stack([np.where(nan_left, NAN, 0), np.where(nan_left, rank + 1, rank)])


def _tests_of_places(place: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Right for the rows whose one is at the place, where the threshold is between 0 and 1; else the same for all."""
    low = np.where(threshold < 0, NEVER, np.where(threshold < 1, place + 1, 0))
    span = np.where(threshold < 0, 0, np.where(threshold < 1, NAN - 1, ALWAYS))
    return np.stack([low, span])


def ranks_of(ensemble: Ensemble, plan: Plan, layout: Layout) -> Ranks | NotCompilable:
    """The columns of codes that the nodes of an ensemble need."""
    if sum(map(sum, layout.widths)) != ensemble.features:
        return NotCompilable(f"{sum(map(sum, layout.widths))} features for a model of {ensemble.features}")
    if not any(tree.inner.any() for tree in ensemble.trees):
        return NotCompilable("trees that ask for no feature")
    columns: dict[tuple[int, int | None, int | None], Numbered] = {}
    column, offset = np.zeros(ensemble.features, np.int64), np.full(ensemble.features, -1)
    for feature, cuts in _cuts(ensemble).items():
        branch, place, inside = _where(plan, layout, feature)
        if place is not None and plan.branches[branch].one_hot:
            if feature in ensemble.categories:
                return NotCompilable("categories made by a one-hot encoder")
            key: tuple[int, int | None, int | None] = (branch, place, None)
            offset[feature] = inside
        else:
            key = (branch, place, inside)
        columns.setdefault(key, Numbered(*key, cuts, feature in ensemble.categories))
        column[feature] = list(columns).index(key)
    ranged = [_ranges(each) for each in columns.values()]
    every = tuple(each for ranges in ranged for each in ranges)
    if len(every) > MOST_COLUMNS or any(_codes_of(each, layout) > MOST_CUTS for each in every):
        return NotCompilable("more columns or thresholds than a node has room for")
    first = np.cumsum([0, *map(len, ranged)])
    return Ranks(every, first[column], offset, ensemble, layout)


def _ranges(column: Numbered) -> list[Numbered]:
    """Columns for as many thresholds each as a node has room for: below a range codes are 0, above it all of them."""
    if column.feature is None or column.category:
        return [column]
    starts = range(0, max(1, len(column.cuts)), MOST_CUTS)
    return [replace(column, cuts=column.cuts[at : at + MOST_CUTS], goes_on=at > 0) for at in starts]


def _codes_of(column: Numbered, layout: Layout) -> int:
    """How many codes a column has, but for one: thresholds, or the columns of a one-hot encoder."""
    if column.feature is None and column.place is not None:
        return layout.widths[column.branch][column.place]
    return len(column.cuts)


def _most_code(column: Numbered, layout: Layout) -> int:
    """The largest code; of places one more, since `NEVER`, below that of NaN, must be none of them."""
    codes = _codes_of(column, layout)
    if column.feature is None:
        return codes + 1
    # No number is above infinity.
    return codes - int(codes > 0 and bool(np.isinf(column.cuts[-1])) and column.cuts[-1] > 0)


def _cuts(ensemble: Ensemble) -> Mapping[int, np.ndarray]:
    """The sorted thresholds of every feature that some node asks for."""
    trees = ensemble.trees
    inner = np.concatenate([tree.left for tree in trees]) != -1
    features = np.concatenate([tree.feature for tree in trees])[inner]
    thresholds = np.concatenate([tree.threshold for tree in trees])[inner]
    order = np.lexsort((thresholds, features))
    features, thresholds = features[order], thresholds[order]
    found, first = np.unique(features, return_index=True)
    pieces = np.split(thresholds, first[1:]) if len(found) else []
    cuts = {int(feature): np.unique(piece) for feature, piece in zip(found, pieces, strict=True)}
    asked = {feature: np.unique(values).astype(np.float64) for feature, values in ensemble.categories.items()}
    return {feature: asked.get(feature, piece) for feature, piece in cuts.items()}


def _where(plan: Plan, layout: Layout, feature: int) -> tuple[int, int | None, int]:
    """The branch of a feature, its column in there (None if the branch is called), and how many are before it."""
    for branch, starts in enumerate(layout.starts):
        for place, (start, end) in enumerate(pairwise(starts)):
            if start <= feature < end:
                return branch, None if plan.branches[branch].widths is None else place, feature - start
    raise Declined(f"no column makes feature {feature}")
