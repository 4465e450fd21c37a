"""Linear classifiers: a look-up and an addition per column, labels certified by a bound on the rounding errors."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.answers import Answers
from scoreline.compiled.dictionary import CodedBranch, Declined
from scoreline.compiled.plan import NotCompilable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scoreline.compiled.dictionary import Coded
    from scoreline.compiled.matrix import Block, Layout
    from scoreline.compiled.plan import Plan

    _Term = Callable[[slice], np.ndarray]

PRECISION = 1e-12
"""Largest difference of a probability from scikit-learn's."""

_CHUNK = 4096
"""Rows whose scores stay in the processor's cache while column after column is added."""


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A fitted linear classifier.

    Attributes
    ----------
    model : the classifier
    coef : (features, classes), or (features, 1) for two classes; float64
    intercept : (classes,)
    starts : for each branch, the first feature of each of its columns, and the end of the last one
    """

    model: Any
    coef: np.ndarray
    intercept: np.ndarray
    starts: tuple[tuple[int, ...], ...]
    tolerance: float = PRECISION

    def derive(self, branch: int, place: int, rows: Any) -> np.ndarray:
        """What is looked up for encoded rows of a column: scores, the magnitudes of their terms, the count of terms."""
        from scipy import sparse

        coef = self.coef[self.starts[branch][place] : self.starts[branch][place + 1]]
        # Unlike BLAS a sparse product gives a row the same bits whatever rows are beside it.
        terms = sparse.csr_array(rows, dtype=np.float64)
        return np.hstack([terms @ coef, abs(terms) @ abs(coef), np.diff(terms.indptr)[:, np.newaxis]])

    def answers(self, blocks: Sequence[Block], count: int, *, proba: bool) -> Answers:
        """Labels, the very ones of scikit-learn, and probabilities within `PRECISION` of its own.

        Raises Declined where that is not certain, and where scikit-learn would raise.
        """
        with np.errstate(all="ignore"):
            bound = self._bound(blocks)
        if proba:
            self._check_precision(bound)
        terms = self._terms(blocks)
        chunks = [slice(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
        scored = [self._scored(terms, rows, bound, proba=proba) for rows in chunks]
        return Answers(
            np.concatenate([each.predictions for each in scored]),
            np.concatenate([each.proba for each in scored if each.proba is not None]) if proba else None,
        )

    def _check_precision(self, bound: float) -> None:
        loss = getattr(self.model, "loss", "")
        if loss == "modified_huber":
            raise Declined("probabilities that jump where all scores are low")
        # Scores that differ by d change a softmax or sigmoid by d / 2 at most, and a normalised sigmoid by 2 d.
        if not (2 if loss else 0.5) * bound < 0.9 * PRECISION:
            raise Declined("scores too large for exact probabilities")

    def _scored(self, terms: Sequence[_Term], rows: slice, bound: float, *, proba: bool) -> Answers:
        scores = np.empty((rows.stop - rows.start, self.coef.shape[1]))
        scores[:] = self.intercept
        for term in terms:
            scores += term(rows)
        labels = self.model.classes_.take(_decided(scores, bound), axis=0)
        return Answers(labels, self._probabilities(scores) if proba else None)

    @property
    def edges(self) -> Mapping[tuple[int, int], np.ndarray]:
        """None: the bound tells where a label may change."""
        return {}

    def _terms(self, blocks: Sequence[Block]) -> list[_Term]:
        """What each block, or each of its columns in codes, adds to the scores of some rows."""
        tables = [
            (column.codes, column.dictionary.derived[:, : self.coef.shape[1]].copy()) for column in _coded(blocks)
        ]
        return [
            *(lambda rows, values=values, coef=coef: values[rows] @ coef for values, coef in self._called(blocks)),
            *(lambda rows, codes=codes, table=table: table[codes[rows]] for codes, table in tables),
        ]

    def _probabilities(self, scores: np.ndarray) -> np.ndarray:
        """What scikit-learn itself makes of the scores."""
        model = copy(self.model)
        model.decision_function = lambda _: scores[:, 0] if scores.shape[1] == 1 else scores
        return np.asarray(model.predict_proba(scores), dtype=np.float64)

    def _called(self, blocks: Sequence[Block]) -> list[tuple[np.ndarray, np.ndarray]]:
        """The blocks of numbers, each with its coefficients."""
        return [
            (np.asarray(block, dtype=np.float64), self.coef[starts[0] : starts[-1]])
            for block, starts in zip(blocks, self.starts, strict=True)
            if not isinstance(block, CodedBranch)
        ]

    def _bound(self, blocks: Sequence[Block]) -> float:
        """Largest difference of two scores of one row that are summed in different orders; for any row of this part.

        Adding n products in any order errs by at most (n + 1) u / (1 - (n + 1) u) times the sum of their magnitudes,
        where products with zero do not count.
        """
        classes = self.coef.shape[1]
        magnitude, terms = abs(self.intercept), 1.0
        for column in _coded(blocks):
            used = column.dictionary.derived[np.bincount(column.codes, minlength=len(column.dictionary.derived)) > 0]
            magnitude = magnitude + used[:, classes : 2 * classes].max(axis=0)
            terms += used[:, -1].max()
        for values, coef in self._called(blocks):
            magnitude = magnitude + abs(values).max(axis=0) @ abs(coef)
            terms += len(coef)
        small = (terms + 2) * 2.0**-53
        # Either sum may err, which is twice; the third pays for the rounding of this bound. Underflow adds a trifle.
        return float(3 * small / (1 - small) * magnitude.max()) + 1e-300


def _coded(blocks: Sequence[Block]) -> list[Coded]:
    return [column for block in blocks if isinstance(block, CodedBranch) for column in block.columns]


def _decided(scores: np.ndarray, bound: float) -> np.ndarray:
    """The number of each row's class. Raises Declined unless every one is beyond doubt."""
    if not np.isfinite(bound):
        raise Declined("features that are not finite")
    if scores.shape[1] == 1:
        if not (abs(scores) > bound).all():
            raise Declined("a score too close to zero to tell the label")
        return (scores[:, 0] > 0).astype(np.intp)
    near = np.flatnonzero(scores >= scores.max(axis=1, keepdims=True) - 2 * bound)
    # Each row has its best class in there.
    if len(near) != len(scores):
        raise Declined("scores too close to one another to tell the label")
    return np.asarray(near % scores.shape[1])


def compile_linear(plan: Plan, layout: Layout) -> LinearModel | NotCompilable:
    """The model of a plan, whose blocks have the widths and types of `layout`, as look-up tables."""
    model = plan.model
    if not _is_known(model):
        return NotCompilable(f"{type(model).__name__} is not a linear classifier")
    if layout.dtype != np.float64 or model.coef_.dtype != np.float64:
        return NotCompilable(f"features of type {layout.dtype}")
    widths = [width for block in layout.widths for width in block]
    coef = np.ascontiguousarray(np.atleast_2d(model.coef_).T)
    if sum(widths) != len(coef):
        return NotCompilable(f"{sum(widths)} features for {len(coef)} coefficients")
    intercept = np.broadcast_to(np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64)), coef.shape[1])
    return LinearModel(model, coef, intercept, layout.starts)


def _is_known(model: Any) -> bool:
    from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
    from sklearn.svm import LinearSVC

    known = (LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier, LinearSVC)
    # Several targets have two-dimensional classes.
    return type(model) in known and isinstance(model.classes_, np.ndarray) and model.classes_.ndim == 1
