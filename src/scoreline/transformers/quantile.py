"""Numbers replaced by their rank, spread evenly or like a normal distribution."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from scoreline.transformers import _counts
from scoreline.transformers._columns import present, refuse_empty
from scoreline.transformers._fitted import fitted
from scoreline.transformers._seen import Seen, detail_of, merged, seen
from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


class Quantile(Transformer):
    """Replace numbers by their rank, as ``QuantileTransformer`` without a subsample; exact, nulls stay null."""

    kind: Literal["quantile"] = "quantile"
    n_quantiles: int = Field(1000, ge=1, description="Quantiles to learn; ranks between them are interpolated.")
    output_distribution: Literal["uniform", "normal"] = Field("uniform", description="How the results are spread.")

    accepts: ClassVar[Literal["number", "text", "any"]] = "number"

    @property
    def _limit(self) -> int:
        return _counts.limit_for(_references(self.n_quantiles))

    def partial(self, column: pd.Series, target: pd.Series | None, state: Seen | None) -> Seen:
        """Rows and values of one part, in groups."""
        return seen(column, _counts.grouped(present(column), detail_of(state), self._limit))

    def merge(self, partials: Sequence[Seen], state: Seen | None) -> Seen:
        """Rows and values of several parts, in groups."""
        groups = _counts.merged([part.detail for part in partials], detail_of(state), self._limit)
        return merged(partials, groups)

    def combine(self, partial: Seen, state: Seen | None) -> Seen:
        """Bounds of the quantiles."""
        levels = self._levels(partial.rows)
        return replace(partial, detail=_counts.bounded(partial.detail, detail_of(state), levels, "linear"))

    def finished(self, state: Seen) -> bool:
        """True once the quantiles are known."""
        return bool(state.detail.exact)

    def export(self, names: Sequence[str], states: Sequence[Seen]) -> Any:
        """A fitted ``QuantileTransformer``."""
        from sklearn.preprocessing import QuantileTransformer

        refuse_empty(self.kind, zip(names, (state.values for state in states), strict=True))
        levels = self._levels(states[0].rows)
        return fitted(
            QuantileTransformer(
                n_quantiles=self.n_quantiles, output_distribution=self.output_distribution, subsample=None
            ),
            names,
            n_quantiles_=len(levels),
            references_=_references(len(levels)),
            quantiles_=np.array([_counts.quantiles(state.detail, levels, "linear") for state in states]).T,
        )

    def _levels(self, rows: int) -> np.ndarray:
        # Through percent and back, as the quantiles are computed there: the rounding is part of the answer.
        return _references(max(1, min(self.n_quantiles, rows))) * 100 / 100


def _references(count: int) -> np.ndarray:
    return np.linspace(0, 1, count)
