"""The scores of a linear model of a dense matrix to the last bit, without the matrix: added up in the order of BLAS.

Which order that is depends on the processor. So the first parts are left to scikit-learn; then those that are known are
tried, on rows that are drawn from a part, and the one that gives all bits of all scores is used from then on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scoreline.compiled.blas_kernel import BlasKernel, Program, Term
from scoreline.compiled.blas_order import LANES, Order, orders
from scoreline.compiled.dictionary import CodedBranch, Declined, Dictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scoreline.compiled.dictionary import Coded
    from scoreline.compiled.matrix import Block, Layout

    Stack = Callable[[Sequence[Block], int], Any]
    """Makes the matrix of blocks and so many rows."""

ROWS = (4_096, 8_192, 12_288, 16_384)
"""BLAS treats small matrices in other ways: parts are answered from the least of these on for which an order holds."""

ENOUGH_ROWS = 2 * 16_384
"""The order is looked for once so many rows have come."""

_PAIR = 2
"""Of several scores the last row of an odd number is added up in another order by OpenBLAS's kernels for AVX2."""

_MOST_STEPS = 512
"""Vectors that are added for a row: with more, the code would be long, and BLAS is as fast."""

_MOST_CELLS = 4_000_000
"""Numbers in the table of a column."""

_NOT_FINITE = "features that are not finite"

_log = logging.getLogger(__name__)


class _Column(NamedTuple):
    """What the table of a column of codes holds for each value.

    Attributes
    ----------
    features : of the column
    looked_up : features of one sum, of which a value sets one at most: its coefficients stand there
    values : features whose own values stand behind
    """

    features: range
    looked_up: tuple[range, ...]
    values: tuple[int, ...]


@dataclass(frozen=True)
class _Plan:
    """A program, what its tables hold, and its weights."""

    program: Program
    columns: tuple[_Column, ...]
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class _Adding:
    """Adds up in one order; what is looked up for the values that columns had so far is kept."""

    plan: _Plan
    kernel: BlasKernel
    coef: np.ndarray
    tables: dict[int, tuple[Dictionary, np.ndarray]] = field(default_factory=dict)

    def scores(self, blocks: Sequence[Block], count: int) -> np.ndarray | None:
        """The scores of all rows; None where blocks are of another kind, or have too many values."""
        coded = [column for block in blocks if isinstance(block, CodedBranch) for column in block.columns]
        called = [block for block in blocks if not isinstance(block, CodedBranch)]
        tables = [self._table(number, column) for number, column in enumerate(coded)]
        if any(table is None for table in tables) or not all(map(_is_taken, called)):
            return None
        codes = [np.ascontiguousarray(column.codes, dtype=np.int32) for column in coded]
        numbers = [block[:, place] for block in called for place in range(block.shape[1])]
        return self.kernel.scores(codes, [table for table in tables if table is not None], numbers, count)

    def _table(self, number: int, column: Coded) -> np.ndarray | None:
        known, table = self.tables.get(number, (None, None))
        if table is None or known is not column.dictionary:
            if len(column.dictionary.values) * self.plan.program.widths[number] > _MOST_CELLS:
                return None
            table = _table(column.dictionary.rows, self.plan.columns[number], self.plan.program, self.coef)
            self.tables[number] = column.dictionary, table
        return table


@dataclass(eq=False)
class BlasScores:
    """The scores of a fitted model. Safe for threads.

    Attributes
    ----------
    compute : scikit-learn's own way from a matrix to scores
    coef : (features, scores), float64
    intercept : (scores,), float64
    layout : where its features come from
    one_hot : for each branch, whether a value of its columns sets one feature at most
    """

    compute: Callable[[Any], np.ndarray]
    coef: np.ndarray
    intercept: np.ndarray
    layout: Layout
    one_hot: tuple[bool, ...]
    _rows: int = field(default=0, init=False)
    _is_over: bool = field(default=False, init=False)
    _found: tuple[_Adding, int] | None = field(default=None, init=False)
    _lock: Any = field(default_factory=Lock, init=False)

    def scores(self, blocks: Sequence[Block], count: int) -> np.ndarray | None:
        """The scores, float64 (rows, scores), with the bits of scikit-learn; None where it must be asked.

        Raises Declined where features are not finite, which it refuses.
        """
        if self._found is None:
            return None
        adding, least = self._found
        # BLAS takes some rows at a time, and those that are left over in another order.
        together = LANES if adding.plan.program.lanes > 1 else _PAIR
        if not least <= count <= ROWS[-1] or count % together:
            return None
        made = adding.scores(blocks, count)
        if made is not None and not np.isfinite(made).all():
            raise Declined(_NOT_FINITE, np.flatnonzero(~np.isfinite(made).all(axis=1)))
        return made

    def learn(self, blocks: Sequence[Block], count: int, stack: Stack) -> None:
        """Take notice of a part that was left to scikit-learn; once enough have come, look for the order."""
        if count < ROWS[0] or not all(_is_finite(block) for block in blocks if not isinstance(block, CodedBranch)):
            return
        with self._lock:
            self._rows += count
            if self._is_over or self._rows < ENOUGH_ROWS:
                return
            self._is_over = True
        try:
            tried = (self._tried(order, blocks, stack) for order in orders(*self.coef.shape))
            self._found = next(filter(None, tried), None)
        except Exception as error:  # noqa: BLE001  LLVM is not there, or blocks are of another kind
            _log.info("a linear model goes on without the order of BLAS: %s: %s", type(error).__name__, error)

    def _tried(self, order: Order, blocks: Sequence[Block], stack: Stack) -> tuple[_Adding, int] | None:
        """What adds up in this order and from how many rows on it holds, if BLAS does so."""
        plan = _plan(order, self, blocks)
        if plan.program.steps > _MOST_STEPS:
            return None
        adding = _Adding(plan, BlasKernel(plan.program, plan.weights), self.coef)

        def holds(rows: int) -> bool:
            drawn = _drawn(blocks, rows)
            made = adding.scores(drawn, rows)
            expected = np.ascontiguousarray(self.compute(stack(drawn, rows)), dtype=np.float64)
            return made is not None and made.tobytes() == expected.tobytes()

        return (adding, next(filter(holds, ROWS))) if holds(ROWS[-1]) else None


def _is_taken(block: Any) -> bool:
    return isinstance(block, np.ndarray) and block.dtype == np.float64


def _is_finite(block: Any) -> bool:
    return not _is_taken(block) or bool(np.isfinite(block).all())


def _drawn(blocks: Sequence[Block], rows: int) -> list[Block]:
    """Blocks of so many rows, drawn by column from what these hold; numbers are changed at random."""
    rng = np.random.default_rng(0)

    def drawn(block: Block) -> Block:
        if isinstance(block, CodedBranch):
            sizes = (len(column.dictionary.values) for column in block.columns)
            codes = [rng.integers(size, size=rows) for size in sizes]
            columns = tuple(replace(column, codes=each) for column, each in zip(block.columns, codes, strict=True))
            return replace(block, columns=columns)
        some = np.stack([column[rng.integers(len(block), size=rows)] for column in block.T], axis=1)
        made = some * rng.uniform(0.5, 1.5, some.shape) + rng.normal(0, 0.1, some.shape)
        return np.asarray(made, order="C" if block.flags.c_contiguous else "F")

    return [drawn(block) for block in blocks]


def _plan(order: Order, of: BlasScores, blocks: Sequence[Block]) -> _Plan:
    """The program for blocks like these."""
    columns, numbers = [], []
    for block, starts, one_hot in zip(blocks, of.layout.starts, of.one_hot, strict=True):
        pairs = [range(*pair) for pair in pairwise(starts)]
        if isinstance(block, CodedBranch):
            columns += [_column(features, order, one_hot=one_hot) for features in pairs]
        else:
            numbers += [feature for features in pairs for feature in features]
    scores = of.coef.shape[1]
    width = Program(scores, order.lanes, (), (), ()).width
    sums = tuple(_terms(features, columns, numbers, width) for features in order.sums)
    left_over = _terms(order.left_over, columns, numbers, width)
    widths = tuple(len(column.looked_up) * width + len(column.values) for column in columns)
    program = Program(scores, order.lanes, _apart(sums), tuple(term for _, term in left_over), widths)
    return _Plan(program, tuple(columns), _weights(program, sums, left_over, of))


def _column(features: range, order: Order, *, one_hot: bool) -> _Column:
    if not one_hot:
        return _Column(features, (), tuple(features))
    parts = (_shared(features, each) for each in order.sums)
    return _Column(features, tuple(part for part in parts if part), tuple(_shared(features, order.left_over)))


def _shared(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _terms(features: range, columns: Sequence[_Column], numbers: Sequence[int], width: int) -> list[tuple[int, Term]]:
    """The terms of some features, each with its first feature, in their order."""

    def found() -> Iterator[tuple[int, Term]]:
        for number, column in enumerate(columns):
            for place, part in enumerate(column.looked_up):
                if _shared(part, features):
                    yield part.start, Term("looked up", number, place * width)
            for place, feature in enumerate(column.values):
                if feature in features:
                    yield feature, Term("value", number, len(column.looked_up) * width + place)
        yield from ((feature, Term("number", place)) for place, feature in enumerate(numbers) if feature in features)

    return sorted(found())


def _apart(sums: Sequence[list[tuple[int, Term]]]) -> tuple[tuple[Term, ...], ...]:
    return tuple(tuple(term for _, term in terms) for terms in sums)


def _weights(
    program: Program, sums: Sequence[list[tuple[int, Term]]], left_over: list[tuple[int, Term]], of: BlasScores
) -> np.ndarray:
    multiplied = [feature for terms in sums for feature, term in terms if term.kind != "looked up"]
    vectors = [_vector(of.coef[feature], feature, program) for feature in multiplied]
    rest = [of.coef[feature, :1] for feature, _ in left_over]
    return np.concatenate([*vectors, *rest, np.pad(of.intercept, (0, program.width - len(of.intercept)))])


def _vector(coef: np.ndarray, feature: int, program: Program) -> np.ndarray:
    """The coefficients of a feature: for all scores, or in its lane."""
    made = np.zeros(program.width)
    if program.lanes > 1:
        made[feature % program.lanes] = coef[0]
    else:
        made[: len(coef)] = coef
    return made


def _table(rows: Any, column: _Column, program: Program, coef: np.ndarray) -> np.ndarray:
    """What is looked up for each of the encoded rows of a column. Raises Declined for values that set several."""
    from scipy import sparse

    if not column.looked_up:
        dense = rows.toarray() if sparse.issparse(rows) else rows
        return np.ascontiguousarray(dense, dtype=np.float64)
    given = sparse.csr_array(rows, dtype=np.float64)
    given.eliminate_zeros()
    if (np.diff(given.indptr) > 1).any() or (given.data != 1).any():
        raise Declined("a one-hot encoder that sets several columns")
    feature = np.full(given.shape[0], -1)
    feature[np.diff(given.indptr) > 0] = given.indices + column.features.start
    made = np.zeros((len(feature), len(column.looked_up) * program.width + len(column.values)))
    for place, part in enumerate(column.looked_up):
        inside = np.flatnonzero((feature >= part.start) & (feature < part.stop))
        first = place * program.width
        if program.lanes > 1:
            made[inside, first + feature[inside] % program.lanes] = coef[feature[inside], 0]
        else:
            made[inside, first : first + coef.shape[1]] = coef[feature[inside]]
    for place, value in enumerate(column.values, len(column.looked_up) * program.width):
        made[:, place] = feature == value
    return made
