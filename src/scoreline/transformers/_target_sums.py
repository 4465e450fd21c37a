"""What a target does in each category of a column, mergeable over parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoreline.transformers._moments import Moments
from scoreline.transformers._moments import merged as merged_moments

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, eq=False)
class ClassCounts:
    """Rows of each category and class: int64 (categories, classes); both distinct, in no order, NaN a category too."""

    categories: np.ndarray
    classes: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class CategoryMoments:
    """Count, mean (anchor + offset) and sum of squares about it of the target in each category, as in `Moments`."""

    categories: np.ndarray
    count: np.ndarray
    anchor: np.ndarray
    offset: np.ndarray
    squares: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean of the target in each category."""
        return np.asarray(self.anchor + self.offset)

    @property
    def total(self) -> Moments:
        """The moments of the target over all rows."""
        rows = zip(self.count.tolist(), self.anchor.tolist(), self.offset.tolist(), self.squares.tolist(), strict=True)
        return merged_moments(Moments(*row) for row in rows)


def class_counts(column: np.ndarray, target: np.ndarray) -> ClassCounts:
    """Count the rows of each pair of values.

    >>> class_counts(np.array(["a", "b", "a"], dtype=object), np.array([1, 0, 0])).rows
    array([[1, 1],
           [0, 1]])
    """
    codes, categories = _coded(column)
    labels, classes = _coded(target)
    rows = np.zeros((len(categories), len(classes)), dtype=np.int64)
    np.add.at(rows, (codes, labels), 1)
    return ClassCounts(categories, classes, rows)


def merged_counts(parts: Sequence[ClassCounts]) -> ClassCounts:
    """The counts of all parts together. Parts without rows have no say in dtypes."""
    filled = [part for part in parts if part.rows.size] or list(parts[:1])
    codes, categories = _coded(np.concatenate([part.categories for part in filled]))
    labels, classes = _coded(np.concatenate([part.classes for part in filled]))
    rows = np.zeros((len(categories), len(classes)), dtype=np.int64)
    for part in filled:
        here, codes = codes[: len(part.categories)], codes[len(part.categories) :]
        seen, labels = labels[: len(part.classes)], labels[len(part.classes) :]
        rows[np.ix_(here, seen)] += part.rows
    return ClassCounts(categories, classes, rows)


def category_moments(column: np.ndarray, target: np.ndarray) -> CategoryMoments:
    """The moments of a float64 target in each category, by the corrected two-pass algorithm as in `moments`.

    >>> category_moments(np.array(["a", "b", "a"], dtype=object), np.array([1.0, 5.0, 2.0])).mean
    array([1.5, 5. ])
    """
    codes, categories = _coded(column)
    count = np.bincount(codes, minlength=len(categories))
    anchor = np.bincount(codes, target, len(categories)) / count
    rest = target - anchor[codes]
    offset = np.bincount(codes, rest, len(categories)) / count
    squares = np.bincount(codes, np.square(rest), len(categories)) - count * np.square(offset)
    return CategoryMoments(categories, count, anchor, offset, np.maximum(squares, 0.0))


def merged_category_moments(parts: Sequence[CategoryMoments]) -> CategoryMoments:
    """The moments of all parts together, as in `merged` for one column."""
    filled = [part for part in parts if part.count.size] or list(parts[:1])
    codes, categories = _coded(np.concatenate([part.categories for part in filled]))
    count = np.zeros(len(categories), dtype=np.int64)
    anchor, offset, squares = np.zeros((3, len(categories)))
    for part in filled:
        here, codes = codes[: len(part.categories)], codes[len(part.categories) :]
        before, count[here] = count[here], count[here] + part.count
        new = before == 0
        anchor[here] = np.where(new, part.anchor, anchor[here])
        offset[here] = np.where(new, part.offset, offset[here])
        delta = (part.anchor - anchor[here]) + (part.offset - offset[here])
        offset[here] += delta * (part.count / count[here])
        squares[here] += part.squares + np.square(delta) * (before * part.count / count[here])
    return CategoryMoments(categories, count, anchor, offset, squares)


def _coded(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The position of each value among the distinct ones, and these; NaN is one of them."""
    import pandas as pd

    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    return codes, np.asarray(distinct)
