"""Which rows hold a category that a fitted encoder refuses because it was not there when it was fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.frame import selected_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


def unknown_categories(estimator: Any, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """For each column with categories that an encoder of `estimator` would raise for: a mask of these rows.

    Looks inside pipelines and column transformers; steps before an encoder are applied. An encoder whose
    ``handle_unknown`` is not "error" raises for none. Encoders with a ``transform`` of their own are passed over.

    >>> import pandas as pd
    >>> from sklearn.preprocessing import OrdinalEncoder
    >>> encoder = OrdinalEncoder().fit(pd.DataFrame({"city": ["Natal", "Recife"]}))
    >>> unknown_categories(encoder, pd.DataFrame({"city": ["Recife", "Olinda"]}))
    {'city': array([False,  True])}
    """
    found: dict[str, np.ndarray] = {}
    for encoder, values in _strict_encoders(estimator, frame):
        for name, categories in zip(values.columns, encoder.categories_, strict=True):
            rows = ~_is_known(values[name], categories)
            if rows.any():
                found[name] = found.get(name, np.zeros(len(frame), dtype=bool)) | rows
    return found


def _strict_encoders(estimator: Any, values: pd.DataFrame) -> Iterator[tuple[Any, pd.DataFrame]]:
    """The encoders that refuse unknown categories, with what each of them is given."""
    if hasattr(estimator, "transformers_"):
        fitted = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
        # Of those that it drops some may not be there.
        known = fitted if set(values.columns).issubset(fitted) else list(values.columns)
        for _, inner, columns in estimator.transformers_:
            if not isinstance(inner, str):
                yield from _strict_encoders(inner, values[selected_columns(columns, known)])
    elif hasattr(estimator, "steps"):
        yield from _in_steps([step for _, step in estimator.steps if step not in (None, "passthrough")], values)
    elif _is_strict(estimator):
        yield estimator, values


def _in_steps(steps: list[Any], values: pd.DataFrame) -> Iterator[tuple[Any, pd.DataFrame]]:
    import pandas as pd

    for place, step in enumerate(steps):
        yield from _strict_encoders(step, values)
        if not any(_is_strict(later) for later in steps[place + 1 :]):
            return
        made = np.asarray(step.transform(values))
        if made.shape[1] != values.shape[1]:
            return
        values = pd.DataFrame(made, columns=values.columns, dtype=made.dtype)


def _is_strict(estimator: Any) -> bool:
    # What a transform of somebody's own takes, only that transform can tell.
    own = getattr(type(estimator), "transform", None)
    is_known = getattr(own, "__module__", "").partition(".")[0] == "sklearn"
    return is_known and getattr(estimator, "handle_unknown", None) == "error" and hasattr(estimator, "categories_")


def _is_known(column: pd.Series, categories: np.ndarray) -> np.ndarray:
    # The test by which the encoder itself decides to raise: None, NaN, numbers and text as it sees them.
    from sklearn.utils._encode import _check_unknown

    try:
        _, known = _check_unknown(column.to_numpy(), categories, return_mask=True)
    except TypeError:
        # Numbers cannot be compared with categories of text; what the encoder makes of them, it says itself.
        return np.ones(len(column), dtype=bool)
    return np.asarray(known)
