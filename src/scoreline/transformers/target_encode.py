"""Categories as the mean of the target among their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from scoreline.errors import DataError, Problem
from scoreline.transformers import _target_sums as sums
from scoreline.transformers._columns import finite, refuse_empty
from scoreline.transformers._fitted import fitted
from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from scoreline.transformers._target_sums import CategoryMoments, ClassCounts

MOST_CLASSES = 1000
"""A target of more different values than this is no set of classes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """What the target does in each category of a column.

    Attributes
    ----------
    rows, values : rows, and those in which the column is not null
    fractions : whether the target has numbers that are not whole
    classes, moments : None where the target cannot be a set of classes, or not a number
    """

    rows: int
    values: int
    fractions: bool
    classes: ClassCounts | None
    moments: CategoryMoments | None


class TargetEncode(Transformer):
    """Replace categories by the shrunken mean of the target among their rows, as ``TargetEncoder``; null is a category.

    Encodings are those of ``TargetEncoder.fit`` on all training rows. The training rows themselves are encoded with
    them, not by cross-fitting: with rare categories a model may trust the column too much, so choose a larger `smooth`.
    """

    kind: Literal["target_encode"] = "target_encode"
    smooth: Literal["auto"] | Annotated[float, Field(ge=0)] = Field(
        "auto", description="Rows that the mean over all rows counts for in each category; auto: by the variances."
    )
    target_type: Literal["auto", "continuous", "binary", "multiclass"] = Field(
        "auto", description="What the target is. auto: whole numbers and text are classes; say continuous for amounts."
    )

    needs_target: ClassVar[bool] = True

    @property
    def widens(self) -> bool:
        """Unless the target is said to be one number or two classes: three classes and more have a column each."""
        return self.target_type in ("auto", "multiclass")

    def type_after(self, arrow_type: pa.DataType) -> pa.DataType:
        """Numbers."""
        return pa.float64()

    def partial(self, column: pd.Series, target: pd.Series | None, state: Any) -> _Sums:
        """Counts and moments of the target in each category of one part."""
        values = _plain(finite(column))
        answers = np.array([]) if target is None else _plain(target)
        present = len(column) - int(column.isna().sum())
        fractions = answers.dtype.kind == "f" and bool((answers % 1 != 0).any())
        classes = None if self._is_amount(fractions) else _class_counts(values, answers)
        return _Sums(len(column), present, fractions, classes, self._moments(values, answers))

    def _is_amount(self, fractions: bool) -> bool:  # noqa: FBT001  a fact about the target, not a switch
        return self.target_type == "continuous" or (self.target_type == "auto" and fractions)

    def _moments(self, values: np.ndarray, answers: np.ndarray) -> CategoryMoments | None:
        kinds = {"continuous": "fiub", "auto": "f"}.get(self.target_type, "")
        if answers.dtype.kind not in kinds:
            return None
        return sums.category_moments(values, answers.astype(np.float64))

    def merge(self, partials: Sequence[_Sums], state: Any) -> _Sums:
        """Counts and moments of several parts, where all parts have them."""
        filled = [part for part in partials if part.rows] or list(partials[:1])
        classes = [part.classes for part in filled if part.classes is not None]
        moments = [part.moments for part in filled if part.moments is not None]
        return _Sums(
            sum(part.rows for part in filled),
            sum(part.values for part in filled),
            any(part.fractions for part in filled),
            sums.merged_counts(classes) if len(classes) == len(filled) else None,
            sums.merged_category_moments(moments) if len(moments) == len(filled) else None,
        )

    def export(self, names: Sequence[str], states: Sequence[_Sums]) -> Any:
        """A fitted ``TargetEncoder``."""
        refuse_empty(self.kind, zip(names, (state.values for state in states), strict=True))
        if self._is_amount(states[0].fractions):
            return self._of_numbers(names, [state.moments for state in states if state.moments is not None])
        return self._of_classes(names, [state.classes for state in states if state.classes is not None])

    def _of_numbers(self, names: Sequence[str], found: Sequence[CategoryMoments]) -> Any:
        if not found:
            raise DataError(Problem("target_encode: the target is text", "target", 'leave "target_type" out'))
        total = found[0].total
        encodings = [
            self._shrunk(each.count, each.mean, each.squares, (total.mean, total.variance))[_ranking(each.categories)]
            for each in found
        ]
        return self._encoder(
            names,
            [each.categories for each in found],
            target_type_="continuous",
            classes_=None,
            target_mean_=np.float64(total.mean),
            encodings_=encodings,
        )

    def _of_classes(self, names: Sequence[str], found: Sequence[ClassCounts]) -> Any:
        if not found or len(found[0].classes) > MOST_CLASSES:
            what = f"target_encode: the target has more than {MOST_CLASSES} classes"
            raise DataError(Problem(what, "target", 'set "target_type": "continuous" if it is an amount'))
        kind, classes = self._labels(found[0].classes)
        encodings: list[np.ndarray] = []
        for each in found:
            rows, hits = each.rows.sum(axis=1, keepdims=True), _hits(each, classes)
            share = hits.sum(axis=0) / rows.sum()
            squares = hits * (rows - hits) / rows
            shrunk = self._shrunk(rows, hits / rows, squares, (share, share * (1 - share)))
            encodings.extend(np.ascontiguousarray(shrunk[_ranking(each.categories)].T))
        return self._encoder(
            names,
            [each.categories for each in found],
            target_type_=kind,
            classes_=classes,
            target_mean_=share if kind == "multiclass" else share[0],
            encodings_=encodings,
        )

    def _labels(self, classes: np.ndarray) -> tuple[str, np.ndarray]:
        """Whether there are two classes or more, and the classes as TargetEncoder would hold them."""
        from sklearn.preprocessing import LabelBinarizer, LabelEncoder

        few = len(classes) <= 2
        if self.target_type == ("multiclass" if few else "binary"):
            what = f"target_encode: {len(classes)} classes of the target in the training rows, but it is said to be"
            raise DataError(Problem(f"{what} {self.target_type}", "target", 'leave "target_type" out'))
        if few:
            return "binary", LabelEncoder().fit(classes).classes_
        # Twice, or scikit-learn warns that every row has a class of its own.
        return "multiclass", LabelBinarizer().fit(np.repeat(classes, 2)).classes_

    def _shrunk(self, rows: Any, mean: Any, squares: Any, overall: tuple[Any, Any]) -> np.ndarray:
        """The encodings from each category's rows, mean and sum of squares, and the mean and variance over all rows.

        Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes", SIGKDD Explorations 3.1
        (2001), equations 5 to 7.
        """
        center, variance = overall
        if self.smooth != "auto":
            return np.asarray((self.smooth * center + rows * mean) / (self.smooth + rows))
        certain = (variance == 0) & (squares == 0)
        between = variance * rows
        weight = between / np.where(certain, 1.0, between + squares / rows)
        return np.asarray(np.where(certain, center, weight * mean + (1 - weight) * center))

    def _encoder(self, names: Sequence[str], categories: Sequence[np.ndarray], **learnt: Any) -> Any:
        from sklearn.preprocessing import TargetEncoder

        ranked = [values[_ranking(values)] for values in categories]
        encoder = TargetEncoder(target_type=self.target_type, smooth=self.smooth)
        return fitted(encoder, names, categories_=ranked, _infrequent_enabled=False, **learnt)


def _plain(series: pd.Series) -> np.ndarray:
    """The values as numbers or Python objects, whatever the dtype."""
    values = np.asarray(series)
    return values if values.dtype.kind in "fiub" else values.astype(object)


def _class_counts(values: np.ndarray, answers: np.ndarray) -> ClassCounts | None:
    return None if len(set(answers.tolist())) > MOST_CLASSES else sums.class_counts(values, answers)


def _hits(found: ClassCounts, classes: np.ndarray) -> np.ndarray:
    """Rows of each category in each class; of two classes only the second counts, which may not occur."""
    labels = classes.tolist()
    places = {label: place for place, label in enumerate(found.classes.tolist())}
    counted = [places[label] for label in (labels if len(labels) > 2 else labels[1:])]
    return found.rows[:, counted] if counted else np.zeros_like(found.rows)


def _ranking(categories: np.ndarray) -> np.ndarray:
    """The order in which scikit-learn sorts categories: null last."""
    null = categories != categories  # noqa: PLR0124  NaN alone differs from itself
    known = np.flatnonzero(~null)
    return np.concatenate([known[np.argsort(categories[known], kind="stable")], np.flatnonzero(null)])
