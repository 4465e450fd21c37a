"""Numbers moved into a fixed range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from scoreline.transformers._columns import present, refuse_empty
from scoreline.transformers._fitted import specimen
from scoreline.transformers._seen import Seen, merged, seen
from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


class MinMaxScale(Transformer):
    """Move the smallest and the largest value to the ends of a range, as ``MinMaxScaler``; nulls stay null."""

    kind: Literal["min_max_scale"] = "min_max_scale"
    feature_range: tuple[float, float] = Field((0, 1), description="Where the smallest and the largest value go.")
    clip: bool = Field(False, description="Keep new values that lie beyond those of training inside the range.")

    accepts: ClassVar[Literal["number", "text", "any"]] = "number"

    @model_validator(mode="after")
    def _range_has_a_width(self) -> Self:
        if self.feature_range[0] >= self.feature_range[1]:
            raise ValueError("the first of feature_range must be less than the second")
        return self

    def partial(self, column: pd.Series, target: pd.Series | None, state: Any) -> Seen:
        """Counts and extremes of one part."""
        values = present(column)
        return seen(column, (float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))))

    def merge(self, partials: Sequence[Seen], state: Any) -> Seen:
        """Counts and extremes of several parts."""
        lows, highs = zip(*(part.detail for part in partials), strict=True)
        return merged(partials, (min(lows), max(highs)))

    def export(self, names: Sequence[str], states: Sequence[Seen]) -> Any:
        """A ``MinMaxScaler`` fitted to the extremes."""
        from sklearn.preprocessing import MinMaxScaler

        refuse_empty(self.kind, zip(names, (state.values for state in states), strict=True))
        ends = [np.array(state.detail, state.float_dtype) for state in states]
        scaler = MinMaxScaler(feature_range=self.feature_range, clip=self.clip).fit(specimen(names, ends))
        scaler.n_samples_seen_ = states[0].rows
        return scaler
