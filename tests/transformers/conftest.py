from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scoreline.transformers.base import Transformer

Fit = Callable[..., Any]


@pytest.fixture
def fit() -> Fit:
    """Fit a transformer to a frame in equal parts and an empty one, and export it."""
    return fitted_in_parts


def fitted_in_parts(
    transformer: Transformer, frame: pd.DataFrame, target: pd.Series | None = None, parts: int = 3
) -> Any:
    edges = np.linspace(0, len(frame), parts + 1).astype(int).tolist()
    slices = [slice(0, 0), *(slice(a, b) for a, b in pairwise(edges))]
    return transformer.export(
        transformer.columns, [_state(transformer, frame[name], target, slices) for name in transformer.columns]
    )


def _state(transformer: Transformer, column: pd.Series, target: pd.Series | None, slices: list[slice]) -> Any:
    state = None
    while state is None or not transformer.finished(state):
        partials = [
            transformer.partial(column[part], None if target is None else target[part], state) for part in slices
        ]
        state = transformer.combine(transformer.merge(partials, state), state)
    return state
