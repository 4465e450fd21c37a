"""Reading fitted transformers of numbers that treat each column alone: what they do, as a list of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Operations = list[tuple[int, Any]]
    """An operation, and its operand or one for each column."""

FILL, SUBTRACT, DIVIDE, MULTIPLY, ADD, AT_LEAST, AT_MOST = range(7)
"""The operations, which files hold by number; the first one puts a number in place of NaN."""


def operations_of(transformer: Any) -> Operations | None:
    """What a fitted transformer does to numbers, in the order of scikit-learn; None when it is not known.

    Operands are as the transformer holds them: an imputer's are not finite for columns that it leaves out.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    readers: dict[type, Callable[[Any], Operations | None]] = {
        SimpleImputer: _filled,
        StandardScaler: lambda scaler: _scaled(scaler.mean_ if scaler.with_mean else None, scaler.scale_),
        RobustScaler: lambda scaler: _scaled(scaler.center_, scaler.scale_),
        MaxAbsScaler: lambda scaler: None if scaler.clip else _scaled(None, scaler.scale_),
        MinMaxScaler: _spread,
    }
    reader = readers.get(type(transformer))
    return None if reader is None else reader(transformer)


def _filled(imputer: Any) -> Operations | None:
    marks_nan = isinstance(imputer.missing_values, float) and np.isnan(imputer.missing_values)
    if imputer.add_indicator or not marks_nan:
        return None
    try:
        return [(FILL, imputer.statistics_.astype(np.float64))]
    except ValueError:
        return None


def _scaled(center: np.ndarray | None, scale: np.ndarray | None) -> Operations:
    steps = [(SUBTRACT, center), (DIVIDE, scale)]
    return [(operation, operand) for operation, operand in steps if operand is not None]


def _spread(scaler: Any) -> Operations:
    limits = [(AT_LEAST, scaler.feature_range[0]), (AT_MOST, scaler.feature_range[1])] if scaler.clip else []
    return [(MULTIPLY, scaler.scale_), (ADD, scaler.min_), *limits]
