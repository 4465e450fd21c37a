"""Fitted scikit-learn objects made from statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def fitted(estimator: Any, names: Sequence[str], **learnt: Any) -> Any:
    """The estimator with the attributes that its own ``fit`` would have set on a frame of the columns `names`."""
    vars(estimator).update(feature_names_in_=np.array(names, dtype=object), n_features_in_=len(names), **learnt)
    return estimator


def specimen(names: Sequence[str], columns: Sequence[np.ndarray]) -> pd.DataFrame:
    """A small frame with exactly the values of each column, from which an estimator learns the same as from all rows.

    Shorter columns repeat their first value.

    >>> specimen(["a", "b"], [np.array([1, 2]), np.array(["x"], dtype=object)])
       a  b
    0  1  x
    1  2  x
    """
    import pandas as pd

    rows = max(len(column) for column in columns)
    padded = (np.append(column, np.repeat(column[:1], rows - len(column))) for column in columns)
    return pd.DataFrame(
        {name: pd.Series(values, dtype=values.dtype) for name, values in zip(names, padded, strict=True)}
    )
