"""Reading fitted transformers of numbers that treat each column alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.baked.scale import ADD, AT_LEAST, AT_MOST, DIVIDE, FILL, MULTIPLY, SUBTRACT, Scale

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Operations = list[tuple[int, Any]]
    """An operation, and its operand or one for each column."""


def scales_of(steps: Sequence[Any], count: int) -> list[Scale] | None:
    """What the steps of a branch of `count` columns do to each; None when some step is not known, or turns order."""
    found = [_operations(step) for step in steps]
    if any(each is None for each in found):
        return None
    every = [(operation, operand) for each in found for operation, operand in each or ()]
    if any(np.ndim(operand) and len(operand) != count for _, operand in every):
        return None
    columns = [(operation, np.broadcast_to(np.asarray(operand, np.float64), count)) for operation, operand in every]
    if not all(_keeps_order(operation, operands) for operation, operands in columns):
        return None
    return [
        Scale(tuple((operation, float(operands[place])) for operation, operands in columns)) for place in range(count)
    ]


def _keeps_order(operation: int, operands: np.ndarray) -> bool:
    positive = operation not in (DIVIDE, MULTIPLY) or bool((operands > 0).all())
    return positive and bool(np.isfinite(operands).all())


def _operations(transformer: Any) -> Operations | None:
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    readers: dict[type, Callable[[Any], Operations | None]] = {
        SimpleImputer: _filled,
        StandardScaler: lambda scaler: _scaled(scaler.mean_ if scaler.with_mean else None, scaler.scale_),
        RobustScaler: lambda scaler: _scaled(scaler.center_, scaler.scale_),
        MaxAbsScaler: lambda scaler: None if scaler.clip else _scaled(None, scaler.scale_),
        MinMaxScaler: _spread,
        FunctionTransformer: lambda function: [] if function.func is None and not function.validate else None,
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
