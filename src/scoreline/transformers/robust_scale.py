"""Numbers centred on their median and scaled by a range between quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from scoreline.transformers import _counts
from scoreline.transformers._columns import present, refuse_empty
from scoreline.transformers._fitted import fitted
from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from scoreline.transformers._counts import Bounds, Groups


class RobustScale(Transformer):
    """Subtract the median and divide by a range between quantiles, as ``RobustScaler``; exact, nulls stay null."""

    kind: Literal["robust_scale"] = "robust_scale"
    with_centering: bool = Field(True, description="Subtract the median.")
    with_scaling: bool = Field(True, description="Divide by the range between the quantiles.")
    quantile_range: tuple[float, float] = Field((25.0, 75.0), description="The two quantiles, in percent.")
    unit_variance: bool = Field(False, description="Scale so that normally distributed values have variance 1.")

    accepts: ClassVar[Literal["number", "text", "any"]] = "number"

    @model_validator(mode="after")
    def _quantiles_are_in_order(self) -> Self:
        low, high = self.quantile_range
        if not 0 <= low <= high <= 100:
            raise ValueError("quantile_range must be two percentages in order")
        if self.unit_variance and not 0 < low < high < 100:
            raise ValueError("unit_variance needs a quantile_range between 0 and 100, ends left out")
        return self

    @property
    def _levels(self) -> np.ndarray:
        return np.array([50.0, *self.quantile_range]) / 100

    def partial(self, column: pd.Series, target: pd.Series | None, state: Bounds | None) -> Groups:
        """Values of one part, in groups."""
        return _counts.grouped(present(column), state, _counts.limit_for(self._levels))

    def merge(self, partials: Sequence[Groups], state: Bounds | None) -> Groups:
        """Values of several parts, in groups."""
        return _counts.merged(partials, state, _counts.limit_for(self._levels))

    def combine(self, partial: Groups, state: Bounds | None) -> Bounds:
        """Bounds of the quantiles."""
        return _counts.bounded(partial, state, self._levels, "linear")

    def finished(self, state: Bounds) -> bool:
        """True once the quantiles are known."""
        return state.exact

    def export(self, names: Sequence[str], states: Sequence[Bounds]) -> Any:
        """A fitted ``RobustScaler``."""
        from sklearn.preprocessing import RobustScaler

        refuse_empty(self.kind, zip(names, (state.total for state in states), strict=True))
        center, low, high = np.array([_counts.quantiles(state, self._levels, "linear") for state in states]).T
        return fitted(
            RobustScaler(**self.model_dump(exclude={"kind", "columns"})),
            names,
            center_=center if self.with_centering else None,
            scale_=self._scale(high - low) if self.with_scaling else None,
        )

    def _scale(self, width: np.ndarray) -> np.ndarray:
        """The range, 1 where it is nothing but rounding by the bound that RobustScaler uses."""
        scale = np.where(width < 10 * np.finfo(np.float64).eps, 1.0, width)
        if not self.unit_variance:
            return scale
        from scipy.stats import norm

        low, high = norm.ppf(np.array(self.quantile_range) / 100)
        return np.asarray(scale / (high - low))
