"""Linear models of a dense matrix: a look-up and an addition per column, labels certified by a bound on rounding.

NumPy adds up at first, and machine code once enough rows have come and it has chosen the same labels for a part; see
`scoreline.compiled.linear_kernel`.

The last bits of probabilities, and of what regressors predict, depend on the order in which BLAS adds up. They are
scikit-learn's own until that order is found; see `scoreline.compiled.blas_scores`. For models of a sparse matrix see
`scoreline.compiled.sparse_linear`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.answers import ROUNDING, Answers, Chosen
from scoreline.compiled.blas_scores import BlasScores
from scoreline.compiled.dictionary import CodedBranch, Declined, NotYet
from scoreline.compiled.linear_kernel import DOUBT, MOST_TERMS, NOT_FINITE, Kernel, Shape, Trial, vectors
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.sparse_linear import SparseLinear, compile_sparse_linear, scoring_method, with_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scoreline.compiled.dictionary import Coded
    from scoreline.compiled.matrix import Block, Layout
    from scoreline.compiled.plan import Plan

    _Term = Callable[[slice], np.ndarray]

_CHUNK = 4096
"""Rows whose scores stay in the processor's cache while column after column is added."""

_TOO_CLOSE, _NOT_FINITE = "scores too close to one another to tell the label", "features that are not finite"


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A fitted linear classifier.

    Attributes
    ----------
    model : the classifier
    coef : (features, classes), or (features, 1) for two classes; float64
    intercept : (classes,)
    layout : where its features come from
    blas : its scores to the last bit
    trial : its machine code for labels, if it has come to that
    """

    model: Any
    coef: np.ndarray
    intercept: np.ndarray
    layout: Layout
    blas: BlasScores
    tolerance: float = ROUNDING
    trial: Trial = field(default_factory=Trial)

    @property
    def starts(self) -> tuple[tuple[int, ...], ...]:
        """For each branch, the first feature of each of its columns, and the end of the last one."""
        return self.layout.starts

    def added(self, branch: int, place: int, rows: Any) -> np.ndarray:
        """What encoded rows of a column add: float64 (rows, scores + 2), last the magnitude and the count of terms."""
        from scipy import sparse

        coef = self.coef[self.starts[branch][place] : self.starts[branch][place + 1]]
        # Unlike BLAS a sparse product gives a row the same bits whatever rows are beside it.
        terms = sparse.csr_array(rows, dtype=np.float64)
        magnitude = (abs(terms) @ abs(coef)).max(axis=1, keepdims=True)
        return np.hstack([terms @ coef, magnitude, np.diff(terms.indptr)[:, np.newaxis]])

    def derive(self, branch: int, place: int, rows: Any) -> np.ndarray:
        """What is looked up for encoded rows of a column: what they add, the scores as `vectors` makes them."""
        added = self.added(branch, place, rows)
        return np.hstack([vectors(added[:, :-2], self.shape(0, 0).width), added[:, -2:]])

    def shape(self, columns: int, numbers: int) -> Shape:
        """The shape of machine code for so many columns in codes and numbers."""
        return Shape("c" * columns + "n" * numbers, max(2, self.coef.shape[1]))

    @property
    def _scores(self) -> slice:
        """The scores of the model among those of `vectors`."""
        return slice(1, 2) if self.coef.shape[1] == 1 else slice(0, self.coef.shape[1])

    def answers(self, blocks: Sequence[Block], count: int, *, proba: bool) -> Answers:
        """Labels and probabilities, the very ones of scikit-learn.

        Raises Declined where a label is not certain, where scikit-learn would raise, and for probabilities where the
        order in which BLAS adds up is not known: a file must not depend on which tier a process has come to.
        """
        self.layout.check(blocks)
        if proba:
            scores = _scores(self.blas, blocks, count)
            places = scores.argmax(axis=1) if scores.shape[1] > 1 else (scores[:, 0] > 0).astype(np.intp)
            found = with_scores(self.model, "decision_function", scores).predict_proba(scores)
            return Answers(Chosen(self.model.classes_, places), found)
        if self.trial.kernel is not None:
            return Answers(Chosen(self.model.classes_, self.by_kernel(self.trial.kernel, blocks, count)))
        places = self.by_tables(blocks, count)
        self.trial.learn(
            count,
            lambda: self.kernel(blocks),
            lambda kernel: np.array_equal(self.by_kernel(kernel, blocks, count), places),
        )
        return Answers(Chosen(self.model.classes_, places))

    def kernel(self, blocks: Sequence[Block]) -> Kernel | None:
        """Machine code for blocks like these; None where it would be no faster. Raises what LLVM raises."""
        coef = np.concatenate([coef for _, coef in self._called(blocks)] or [self.coef[:0]])
        shape = self.shape(len(_coded(blocks)), len(coef))
        if shape.terms > MOST_TERMS:
            return None
        intercept = vectors(self.intercept[np.newaxis], shape.width)[0]
        # No filler is the best score.
        intercept[shape.scores :] = -np.inf
        sizes = [abs(self.intercept).max(), *abs(coef).max(axis=1)]
        return Kernel(shape, np.concatenate([intercept, vectors(coef, shape.width).ravel(), sizes]))

    def by_kernel(self, kernel: Kernel, blocks: Sequence[Block], count: int) -> np.ndarray:
        """The number of each row's class. Raises Declined unless every one is beyond doubt."""
        coded = _coded(blocks)
        codes = [np.ascontiguousarray(column.codes, dtype=np.int32) for column in coded]
        numbers = [column for values, _ in self._called(blocks) for column in values.T]
        found = kernel.labels(codes, [column.dictionary.derived for column in coded], numbers, count)
        if (found == NOT_FINITE).any():
            raise Declined(_NOT_FINITE, np.flatnonzero(found == NOT_FINITE))
        if (found == DOUBT).any():
            raise Declined(_TOO_CLOSE)
        return found

    def by_tables(self, blocks: Sequence[Block], count: int) -> np.ndarray:
        """The number of each row's class. Raises Declined unless every one is beyond doubt."""
        with np.errstate(all="ignore"):
            bounds = self._bounds(blocks, count)
        if not np.isfinite(bounds).all():
            raise Declined(_NOT_FINITE, np.flatnonzero(~np.isfinite(bounds)))
        terms = self._terms(blocks)
        chunks = [slice(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
        return np.concatenate([self._places(terms, rows, bounds[rows]) for rows in chunks])

    def _places(self, terms: Sequence[_Term], rows: slice, bounds: np.ndarray) -> np.ndarray:
        scores = np.empty((rows.stop - rows.start, self.coef.shape[1]))
        scores[:] = self.intercept
        for term in terms:
            scores += term(rows)
        return _decided(scores, bounds)

    @property
    def edges(self) -> Mapping[tuple[int, int], np.ndarray]:
        """None: the bound tells where a label may change."""
        return {}

    def _terms(self, blocks: Sequence[Block]) -> list[_Term]:
        """What each block, or each of its columns in codes, adds to the scores of some rows."""
        tables = [(column.codes, column.dictionary.derived[:, self._scores].copy()) for column in _coded(blocks)]
        return [
            *(lambda rows, values=values, coef=coef: values[rows] @ coef for values, coef in self._called(blocks)),
            *(lambda rows, codes=codes, table=table: table[codes[rows]] for codes, table in tables),
        ]

    def _called(self, blocks: Sequence[Block]) -> list[tuple[np.ndarray, np.ndarray]]:
        """The blocks of numbers, each with its coefficients."""
        return [
            (np.asarray(block, dtype=np.float64), self.coef[starts[0] : starts[-1]])
            for block, starts in zip(blocks, self.starts, strict=True)
            if not isinstance(block, CodedBranch)
        ]

    def _bounds(self, blocks: Sequence[Block], count: int) -> np.ndarray:
        """For each row, the largest difference of two scores of it that are summed in different orders.

        Adding n products in any order errs by at most (n + 1) u / (1 - (n + 1) u) times the sum of their magnitudes,
        where products with zero do not count.
        """
        magnitudes, terms = np.full(count, abs(self.intercept).max()), np.ones(count)
        for column in _coded(blocks):
            magnitude, number = np.ascontiguousarray(column.dictionary.derived[:, -2:].T)
            magnitudes += magnitude[column.codes]
            terms += number[column.codes]
        for values, coef in self._called(blocks):
            magnitudes += abs(values) @ abs(coef).max(axis=1)
            terms += len(coef)
        small = (terms + 2) * 2.0**-53
        # Either sum may err, which is twice; the third pays for the rounding of this bound. Underflow adds a trifle.
        return np.asarray(3 * small / (1 - small) * magnitudes + 1e-300)


@dataclass(frozen=True, eq=False)
class LinearRegressor:
    """A fitted linear model whose predictions are its scores, or follow from them.

    Attributes
    ----------
    model : the regressor
    scores_by : the name of the method by which it computes its scores
    layout : where its features come from
    blas : its scores to the last bit
    """

    model: Any
    scores_by: str
    layout: Layout
    blas: BlasScores
    tolerance: float = ROUNDING

    @property
    def edges(self) -> Mapping[tuple[int, int], np.ndarray]:
        """None: scores have no thresholds."""
        return {}

    def derive(self, _branch: int, _place: int, rows: Any) -> np.ndarray:
        """Nothing: what is looked up depends on the order."""
        return np.empty((rows.shape[0], 0))

    def answers(self, blocks: Sequence[Block], count: int, *, proba: bool) -> Answers:
        """Predictions. Raises Declined where scikit-learn refuses a row or the order of BLAS is not known."""
        self.layout.check(blocks)
        scores = _scores(self.blas, blocks, count)
        return Answers(np.asarray(with_scores(self.model, self.scores_by, scores).predict(scores)))


def _scores(blas: BlasScores, blocks: Sequence[Block], count: int) -> np.ndarray:
    made = blas.scores(blocks, count)
    if made is None:
        raise NotYet("the order in which BLAS adds up is not known", blas.learn)
    return made


def _coded(blocks: Sequence[Block]) -> list[Coded]:
    return [column for block in blocks if isinstance(block, CodedBranch) for column in block.columns]


def _decided(scores: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """The number of each row's class. Raises Declined unless every one is beyond doubt."""
    if scores.shape[1] == 1:
        if not (abs(scores[:, 0]) > bounds).all():
            raise Declined("a score too close to zero to tell the label")
        return (scores[:, 0] > 0).astype(np.intp)
    near = np.flatnonzero(scores >= (scores.max(axis=1) - 2 * bounds)[:, np.newaxis])
    # Each row has its best class in there.
    if len(near) != len(scores):
        raise Declined(_TOO_CLOSE)
    return np.asarray(near % scores.shape[1])


def compile_linear(plan: Plan, layout: Layout) -> LinearModel | LinearRegressor | SparseLinear | NotCompilable:
    """The model of a plan, whose blocks have the widths and types of `layout`, as look-up tables."""
    model = plan.model
    if layout.sparse:
        return compile_sparse_linear(plan, layout)
    scores_by = _deciding(model) or _regressing(plan)
    if scores_by is None:
        return NotCompilable(f"{type(model).__name__} is no linear model that is known for a dense matrix")
    if layout.dtype != np.float64 or model.coef_.dtype != np.float64:
        return NotCompilable(f"features of type {layout.dtype}")
    widths = [width for block in layout.widths for width in block]
    coef = np.ascontiguousarray(np.atleast_2d(model.coef_).T)
    if sum(widths) != len(coef):
        return NotCompilable(f"{sum(widths)} features for {len(coef)} coefficients")
    intercept = np.broadcast_to(np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64)), coef.shape[1])
    one_hot = tuple(branch.one_hot for branch in plan.branches)
    blas = BlasScores(getattr(model, scores_by), coef, intercept, layout, one_hot)
    if scores_by == "decision_function":
        return LinearModel(model, coef, intercept, layout, blas)
    return LinearRegressor(model, scores_by, layout, blas)


def _regressing(plan: Plan) -> str | None:
    """The method by which a regressor computes its scores, where it is worth a look-up."""
    found = None if hasattr(plan.model, "classes_") else scoring_method(plan.model)
    return found if any(branch.widths for branch in plan.branches) else None


def _deciding(model: Any) -> str | None:
    """The method by which a classifier computes its scores; None for other models."""
    found = scoring_method(model)
    return found if found == "decision_function" else None
