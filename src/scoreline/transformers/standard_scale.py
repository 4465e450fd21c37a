"""Zero mean and unit variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from scoreline.errors import DataError, Problem
from scoreline.transformers._columns import present, refuse_empty
from scoreline.transformers._fitted import fitted
from scoreline.transformers._moments import Moments, merged, moments
from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


class StandardScale(Transformer):
    """Subtract the mean and divide by the standard deviation, as ``StandardScaler``; nulls stay null."""

    kind: Literal["standard_scale"] = "standard_scale"
    with_mean: bool = Field(True, description="Subtract the mean.")
    with_std: bool = Field(True, description="Divide by the standard deviation.")

    accepts: ClassVar[Literal["number", "text", "any"]] = "number"

    def partial(self, column: pd.Series, target: pd.Series | None, state: Any) -> Moments:
        """Count, mean and squares of one part."""
        return moments(present(column))

    def merge(self, partials: Sequence[Moments], state: Any) -> Moments:
        """The moments of several parts."""
        return merged(partials)

    def export(self, names: Sequence[str], states: Sequence[Moments]) -> Any:
        """A fitted ``StandardScaler``."""
        from sklearn.preprocessing import StandardScaler

        refuse_empty(self.kind, zip(names, (state.count for state in states), strict=True))
        _refuse_overflow(names, states)
        # Float64 as StandardScaler has them, but for the case in which it computes no mean.
        counted = np.float64 if self.with_mean or self.with_std else np.int64
        counts = np.array([state.count for state in states], dtype=counted)
        seen = counts[0] if (counts == counts[0]).all() else counts
        mean, variance = (np.array([getattr(state, name) for state in states]) for name in ("mean", "variance"))
        scaler = StandardScaler(with_mean=self.with_mean, with_std=self.with_std)
        if not (self.with_mean or self.with_std):
            return fitted(scaler, names, mean_=None, var_=None, scale_=None, n_samples_seen_=seen)
        spread = {"var_": variance, "scale_": _scale(mean, variance, counts)} if self.with_std else _NO_SPREAD
        return fitted(scaler, names, mean_=mean, n_samples_seen_=seen, **spread)


_NO_SPREAD: dict[str, None] = {"var_": None, "scale_": None}


def _scale(mean: np.ndarray, variance: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Standard deviations, 1 for columns that are constant up to rounding by the bound that StandardScaler uses."""
    eps = np.finfo(np.float64).eps
    bound = counts * eps * variance + (counts * mean * eps) ** 2
    return np.where(variance <= bound, 1.0, np.sqrt(variance))


def _refuse_overflow(names: Sequence[str], states: Sequence[Moments]) -> None:
    wide = [name for name, state in zip(names, states, strict=True) if not np.isfinite(state.variance)]
    if wide:
        what = "standard_scale: the squares of column '{}' are beyond float64"
        advice = "clip the column while cleaning, or use robust_scale or quantile"
        raise DataError(*(Problem(what.format(name), f"column '{name}'", advice) for name in wide))
