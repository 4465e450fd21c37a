"""Linear models of a sparse matrix: scores to the last bit, because there is one order in which they are added up.

scipy adds the terms of a row one after another, from left to right, whatever rows are beside it. BLAS, which is given
dense matrices, adds them in an order of its own, which depends on the processor and on the number of rows: no look-up
gives its last bits.

NumPy adds up at first, and for labels machine code once enough rows have come; see `scoreline.compiled.linear_kernel`.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.answers import Answers, Chosen, is_identical
from scoreline.compiled.dictionary import CodedBranch, Declined
from scoreline.compiled.linear_kernel import MOST_TERMS as MOST_VECTORS
from scoreline.compiled.linear_kernel import NOT_FINITE, Kernel, Shape, Trial, vectors
from scoreline.compiled.plan import NotCompilable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scoreline.compiled.matrix import Block, Layout
    from scoreline.compiled.plan import Plan

    _Column = tuple[np.ndarray, np.ndarray]
    """Codes with what each adds, or numbers with their coefficients."""

_CHUNK = 4096
"""Rows whose scores stay in the processor's cache while column after column is added."""

MOST_TERMS = 64
"""Terms that one value of a column may add, over all scores."""

MOST_PRODUCTS = 512
"""Products of a row's numbers, over all scores: with more, scikit-learn is as fast."""


@dataclass(frozen=True, eq=False)
class SparseLinear:
    """A fitted linear model whose matrix is sparse.

    Attributes
    ----------
    model : classifier or regressor
    scores_by : the name of the method by which it computes its scores
    coef : (features, scores), of the type in which products are computed
    intercept : what is added at last
    one_hot : for each branch, whether a value of its columns sets one feature at most
    layout : where its features come from
    trial : its machine code, if it has come to that
    """

    model: Any
    scores_by: str
    coef: np.ndarray
    intercept: Any
    one_hot: tuple[bool, ...]
    layout: Layout
    tolerance: float = 0.0
    trial: Trial = field(default_factory=Trial)

    @property
    def looks(self) -> bool:
        """Whether it refuses a sparse matrix with numbers that are not finite."""
        from sklearn.linear_model import ElasticNet

        return not isinstance(self.model, ElasticNet)

    @property
    def edges(self) -> Mapping[tuple[int, int], np.ndarray]:
        """None: scores have no thresholds."""
        return {}

    def derive(self, branch: int, place: int, rows: Any) -> np.ndarray:
        """What is looked up for encoded rows of a column: whether scikit-learn refuses it, then the terms it adds."""
        from scipy import sparse

        starts = self.layout.starts[branch]
        coef = self.coef[starts[place] : starts[place + 1]]
        given = sparse.csr_array(rows, dtype=self.coef.dtype)
        if self.one_hot[branch]:
            if (np.diff(given.indptr) > 1).any():
                raise Declined("a one-hot encoder that sets several columns")
            return np.hstack([np.zeros((given.shape[0], 1)), given @ coef])
        dense = given.toarray()
        terms = (dense[:, :, np.newaxis] * coef).reshape(len(dense), -1)
        return np.hstack([~np.isfinite(dense).all(axis=1, keepdims=True), terms])

    def answers(self, blocks: Sequence[Block], count: int, *, proba: bool) -> Answers:
        """Predictions and probabilities, equal to the last bit. Raises Declined where scikit-learn refuses a row."""
        self.layout.check(blocks)
        columns = [column for number, block in enumerate(blocks) for column in self._columns(number, block)]
        if proba or not self._chooses:
            return self._finished(self._summed(columns, count), proba=proba)
        if self.trial.kernel is not None:
            found = self.by_kernel(self.trial.kernel, columns, count)
            if (found != NOT_FINITE).all():
                return Answers(Chosen(self.model.classes_, found))
        answers = self._finished(self._summed(columns, count), proba=False)

        def holds(kernel: Kernel) -> bool:
            chosen = Chosen(self.model.classes_, self.by_kernel(kernel, columns, count))
            return is_identical(np.asarray(chosen), answers.predictions)

        self.trial.learn(count, lambda: self.kernel(columns), holds)
        return answers

    @property
    def _chooses(self) -> bool:
        """Whether it answers with the class of the largest score, which machine code can tell."""
        return self.scores_by == "decision_function" and self.coef.dtype == np.float64

    def _summed(self, columns: Sequence[_Column], count: int) -> np.ndarray:
        scores = np.zeros((count, self.coef.shape[1]), self.coef.dtype)
        for start in range(0, count, _CHUNK):
            rows = slice(start, min(start + _CHUNK, count))
            for values, terms in columns:
                scores[rows] += terms[values[rows]] if values.dtype.kind == "i" else values[rows, np.newaxis] * terms
        return np.asarray(scores + self.intercept)

    def kernel(self, columns: Sequence[_Column]) -> Kernel | None:
        """Machine code for columns like these; None where it would be no faster. Raises what LLVM raises."""
        order = "".join("c" if values.dtype.kind == "i" else "n" for values, _ in columns)
        shape = Shape(order, max(2, self.coef.shape[1]), exact=True)
        if shape.terms > MOST_VECTORS:
            return None
        intercept = np.broadcast_to(np.asarray(self.intercept, np.float64), self.coef.shape[1])
        weights = [terms for values, terms in columns if values.dtype.kind != "i"]
        filled = vectors(np.vstack([intercept, *weights]), shape.width)
        # No filler is the best score.
        filled[0, shape.scores :] = -np.inf
        return Kernel(shape, filled.ravel())

    def by_kernel(self, kernel: Kernel, columns: Sequence[_Column], count: int) -> np.ndarray:
        """The number of each row's class, or NOT_FINITE."""
        pairs = [pair for pair in columns if pair[0].dtype.kind == "i"]
        codes = [np.ascontiguousarray(values, dtype=np.int32) for values, _ in pairs]
        tables = [vectors(terms, kernel.shape.width) for _, terms in pairs]
        return kernel.labels(codes, tables, [values for values, _ in columns if values.dtype.kind != "i"], count)

    def _columns(self, number: int, block: Block) -> Iterator[_Column]:
        """The columns of a block from left to right: codes with what each adds, or numbers with their coefficients."""
        from scipy import sparse

        if isinstance(block, CodedBranch):
            for column in block.columns:
                refused, table = column.dictionary.derived[:, 0], column.dictionary.derived[:, 1:]
                if refused.any() and refused[column.codes].any():
                    raise Declined("features that scikit-learn refuses", self._rows(refused[column.codes]))
                for first in range(0, table.shape[1], self.coef.shape[1]):
                    terms = table[:, first : first + self.coef.shape[1]].astype(self.coef.dtype)
                    yield column.codes, np.ascontiguousarray(terms)
            return
        if sparse.issparse(block):
            raise Declined("a transformer that makes a sparse block of all rows")
        values = np.asarray(block, dtype=self.coef.dtype)
        if not np.isfinite(values).all():
            raise Declined("features that scikit-learn refuses", self._rows(~np.isfinite(values).all(axis=1)))
        for place, start in enumerate(range(self.layout.starts[number][0], self.layout.starts[number][-1])):
            yield np.ascontiguousarray(values[:, place]), self.coef[start]

    def _rows(self, refused: np.ndarray) -> np.ndarray | None:
        # Lasso and its like look at no sparse matrix, and answer for any number.
        return np.flatnonzero(refused) if self.looks else None

    def _finished(self, scores: np.ndarray, *, proba: bool) -> Answers:
        scored = with_scores(self.model, self.scores_by, scores)
        return Answers(np.asarray(scored.predict(scores)), scored.predict_proba(scores) if proba else None)


def with_scores(model: Any, scores_by: str, scores: np.ndarray) -> Any:
    """A model that goes scikit-learn's own way from these scores (rows, scores) to answers; it may write into them."""
    scored = copy(model)
    flat = scores.ravel() if scores.shape[1] == 1 else scores
    setattr(scored, scores_by, lambda *_: flat.copy())
    return scored


def compile_sparse_linear(plan: Plan, layout: Layout) -> SparseLinear | NotCompilable:
    """The model of a plan, whose blocks have the widths and types of `layout`, as look-up tables."""
    model, scores_by = plan.model, scoring_method(plan.model)
    if scores_by is None:
        return NotCompilable(f"{type(model).__name__} is not a linear model")
    dtype = np.result_type(layout.dtype, model.coef_.dtype)
    coef = np.ascontiguousarray(np.atleast_2d(model.coef_).T, dtype=dtype)
    if dtype.kind != "f" or not np.isfinite(coef).all():
        return NotCompilable(f"coefficients of type {dtype}, or some that are not finite")
    one_hot = tuple(branch.one_hot for branch in plan.branches)
    if sum(map(sum, layout.widths)) != len(coef) or _is_too_much(plan, layout, coef.shape[1]):
        return NotCompilable("more features than coefficients, or more than a look-up is good for")
    return SparseLinear(model, scores_by, coef, model.intercept_, one_hot, layout)


def _is_too_much(plan: Plan, layout: Layout, scores: int) -> bool:
    pairs = list(zip(plan.branches, layout.widths, strict=True))
    looked_up = [max(widths) for branch, widths in pairs if branch.widths is not None and not branch.one_hot]
    numbers = sum(sum(widths) for branch, widths in pairs if branch.widths is None)
    return max(looked_up, default=0) * scores > MOST_TERMS or numbers * scores > MOST_PRODUCTS


def scoring_method(model: Any) -> str | None:
    """The method by which a linear model of one target computes its scores; None for other models."""
    from sklearn import linear_model, svm

    by_name = {
        "decision_function": ("LogisticRegression", "Perceptron", "RidgeClassifier", "SGDClassifier"),
        "_decision_function": ("LinearRegression", "Ridge", "Lasso", "ElasticNet", "SGDRegressor", "HuberRegressor"),
        "_linear_predictor": ("PoissonRegressor", "GammaRegressor", "TweedieRegressor"),
    }
    kinds = {getattr(linear_model, name): method for method, names in by_name.items() for name in names}
    kinds |= {svm.LinearSVC: "decision_function", svm.LinearSVR: "_decision_function"}
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list) or (classes is not None and classes.ndim != 1):
        return None
    several = classes is None and getattr(model, "coef_", np.empty(0)).ndim != 1
    # Ridge classifiers number the flags that they learned as if those were classes.
    flags = getattr(getattr(model, "_label_binarizer", None), "y_type_", "").startswith("multilabel")
    return None if several or flags else kinds.get(type(model))
