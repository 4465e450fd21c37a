"""What a branch of numbers does to each of its columns, where that keeps their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.baked.scale import Scale
from scoreline.compiled.operations import DIVIDE, MULTIPLY, operations_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def scales_of(steps: Sequence[Any], count: int) -> list[Scale] | None:
    """What the steps of a branch of `count` columns do to each; None when some step is not known, or turns order."""
    found = [[] if _passes_on(step) else operations_of(step) for step in steps]
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


def _passes_on(transformer: Any) -> bool:
    """Whether it does nothing at all, and does not even look for numbers that are not finite, as scalers do."""
    from sklearn.preprocessing import FunctionTransformer

    return type(transformer) is FunctionTransformer and transformer.func is None and not transformer.validate
