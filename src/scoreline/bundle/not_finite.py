"""Rows that scikit-learn refuses for numbers that are missing or infinite: two of each kind are asked for all of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from scoreline.bundle.fitted import Fitted

_SAID = re.compile(r"Input X contains (NaN|infinity)")

_MOST_KINDS, _MOST_NUMBERS = 1_000, 4_000_000
"""Where there are more kinds, or more such numbers, nearly every row is a kind of its own, and halving is as good."""

_MISSING, _INFINITE, _LARGE = 1, 2, 3
_LARGEST = float(np.finfo(np.float32).max)


def refused_alike(
    fitted: Fitted, frame: pd.DataFrame, error: Exception, refusal: Callable[[int], Exception | None]
) -> Mapping[int, Exception]:
    """Rows of a frame that is refused with `error`, of which it is known with what each is refused; eager.

    A last step of scikit-learn's own, without another estimator inside, refuses missing and infinite numbers before it
    looks at anything else of a row, so that rows with such numbers in the same features fare alike. Of each such kind
    the first row and the last one are asked by `refusal`, which gives what a row raises alone. Other rows may be
    refused, too: those with numbers that are large, those without what `error` names, and all where a step before the
    last refuses one.
    """
    if not _is_about_values(error) or not fitted.ends_plainly:
        return {}
    try:
        features, _ = fitted.at_last_step(frame)
    except Exception:  # noqa: BLE001  a step before the last one refuses them, which may look at anything
        return {}
    kinds = _kinds(_numbers(features), len(frame), _named(error))
    if len(kinds) > _MOST_KINDS:
        return {}
    found: dict[int, Exception] = {}
    for rows in kinds.values():
        raised = refusal(rows[0])
        last = raised if len(rows) == 1 else refusal(rows[-1])
        if raised is not None and last is not None and _is_about_values(raised) and str(last) == str(raised):
            found |= dict.fromkeys(rows, raised)
    return found


def _is_about_values(error: Exception) -> bool:
    return isinstance(error, ValueError) and _SAID.match(str(error)) is not None


def _numbers(features: Any) -> Any:
    """Features as floats, dense or sparse; those of a frame as one array, where all its columns are numbers."""
    if hasattr(features, "dtypes") and all(getattr(dtype, "kind", "O") in "bif" for dtype in features.dtypes):
        return features.to_numpy(np.float64)
    return features if hasattr(features, "tocoo") else np.asarray(features)


def _named(error: Exception) -> int:
    """What an error names: the least of it for all that a model refuses, which need not be both."""
    said = _SAID.match(str(error))
    return _INFINITE if said is not None and said[1] == "infinity" else _MISSING


def _kinds(features: Any, count: int, named: int) -> dict[bytes, list[int]]:
    """Rows by where their missing and infinite numbers stand; without those that have large numbers.

    `named` leaves out rows with missing numbers alone where it is `_INFINITE`: a model may take these. There are none
    where the features are not floats of so many rows.

    >>> features = np.array([[1.0, np.nan], [np.inf, 1.0], [2.0, np.nan], [1e300, np.nan], [1.0, 2.0]])
    >>> _kinds(features, 5, _MISSING).values(), _kinds(features, 5, _INFINITE).values()
    (dict_values([[0, 2], [1]]), dict_values([[1]]))
    """
    if features.ndim != 2 or features.shape[0] != count or features.dtype.kind != "f":
        return {}
    rows, columns, what = _told(features)
    if len(rows) > _MOST_NUMBERS:
        return {}
    order = np.lexsort((columns, rows))
    every, begin = np.unique(rows[order], return_index=True)
    marks = np.stack([columns, what], axis=1)[order].astype(np.int64)
    kinds: dict[bytes, list[int]] = {}
    for row, mine in zip(every.tolist(), np.split(marks, begin[1:]), strict=False):
        if named <= mine[:, 1].max() < _LARGE:
            kinds.setdefault(mine.tobytes(), []).append(row)
    return kinds


def _told(features: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each number that is missing, infinite or large the row, the column, and which of these it is."""
    if hasattr(features, "tocoo"):
        entries = features.tocoo()
        told = np.flatnonzero(_is_told(entries.data))
        rows, columns, values = entries.row[told], entries.col[told], entries.data[told]
    else:
        rows, columns = np.nonzero(_is_told(features))
        values = features[rows, columns]
    what = np.where(np.isnan(values), _MISSING, np.where(np.isinf(values), _INFINITE, _LARGE))
    return rows, columns, what


def _is_told(values: np.ndarray) -> np.ndarray:
    # Compared like this NaN is told, too, and nothing but the answer takes memory of its own.
    if values.dtype.itemsize < np.dtype(np.float64).itemsize:
        return np.asarray(~np.isfinite(values))
    return np.asarray(~((values >= -_LARGEST) & (values <= _LARGEST)))
