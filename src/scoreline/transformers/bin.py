"""Numbers cut into bins."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from scoreline.errors import DataError, Problem
from scoreline.transformers import _counts
from scoreline.transformers._columns import present, refuse_empty
from scoreline.transformers._fitted import fitted
from scoreline.transformers._seen import Seen, detail_of, merged, seen
from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from scoreline.transformers._counts import Bounds

_METHOD: Literal["averaged_inverted_cdf"] = "averaged_inverted_cdf"
_NARROWEST = 1e-8


class Bin(Transformer):
    """Cut numbers into bins of equal width or equally many rows, as ``KBinsDiscretizer``; exact. Takes no nulls."""

    kind: Literal["bin"] = "bin"
    n_bins: int = Field(5, ge=2, description="How many bins.")
    strategy: Literal["quantile", "uniform"] = Field("quantile", description="Equally many rows, or equal width.")
    encode: Literal["one_hot", "ordinal"] = Field("one_hot", description="A column per bin, or the number of the bin.")

    accepts: ClassVar[Literal["number", "text", "any"]] = "number"

    @property
    def widens(self) -> bool:
        """With a column per bin."""
        return self.encode == "one_hot"

    def type_after(self, arrow_type: pa.DataType) -> pa.DataType:
        """Numbers of bins."""
        return pa.float64()

    def objection(self, field: pa.Field) -> str | None:
        """Booleans are two bins already."""
        return "of type bool" if pa.types.is_boolean(field.type) else super().objection(field)

    @property
    def _levels(self) -> np.ndarray:
        percent = np.linspace(0, 100, self.n_bins + 1) if self.strategy == "quantile" else np.array([0.0, 100.0])
        return percent / 100

    def partial(self, column: pd.Series, target: pd.Series | None, state: Seen | None) -> Seen:
        """Values of one part, in groups."""
        return seen(column, _counts.grouped(present(column), detail_of(state), _counts.limit_for(self._levels)))

    def merge(self, partials: Sequence[Seen], state: Seen | None) -> Seen:
        """Values of several parts, in groups."""
        groups = [part.detail for part in partials]
        return merged(partials, _counts.merged(groups, detail_of(state), _counts.limit_for(self._levels)))

    def combine(self, partial: Seen, state: Seen | None) -> Seen:
        """Bounds of the edges."""
        return replace(partial, detail=_counts.bounded(partial.detail, detail_of(state), self._levels, _METHOD))

    def finished(self, state: Seen) -> bool:
        """True once the edges are known."""
        return bool(state.detail.exact)

    def export(self, names: Sequence[str], states: Sequence[Seen]) -> Any:
        """A fitted ``KBinsDiscretizer``."""
        from sklearn.preprocessing import KBinsDiscretizer

        refuse_empty(self.kind, zip(names, (state.values for state in states), strict=True))
        edges = np.empty(len(states), dtype=object)
        edges[:] = [self._edges(state.detail) for state in states]
        counts = np.array([len(edge) - 1 for edge in edges])
        _refuse_nulls_and_crowds(names, states, counts)
        encode = "onehot-dense" if self.encode == "one_hot" else "ordinal"
        binner = KBinsDiscretizer(self.n_bins, encode=encode, strategy=self.strategy, subsample=None)
        codes = {"_encoder": _encoder(counts, states)} if self.widens else {}
        return fitted(binner, names, bin_edges_=edges, n_bins_=counts, **codes)

    def _edges(self, bounds: Bounds) -> np.ndarray:
        edges = _counts.quantiles(bounds, self._levels, _METHOD)
        if edges[0] == edges[-1]:
            return np.array([-np.inf, np.inf])
        if self.strategy == "uniform":
            return np.linspace(edges[0], edges[-1], self.n_bins + 1)
        return edges[np.ediff1d(edges, to_begin=np.inf) > _NARROWEST]


def _encoder(counts: np.ndarray, states: Sequence[Seen]) -> Any:
    """The encoder that ``KBinsDiscretizer.fit`` makes of the numbers of bins."""
    from sklearn.preprocessing import OneHotEncoder

    categories = [np.arange(count) for count in counts]
    dtype = np.result_type(*(state.dtype for state in states))
    return OneHotEncoder(categories=categories, sparse_output=False, dtype=dtype).fit(np.zeros((1, len(counts))))


def _refuse_nulls_and_crowds(names: Sequence[str], states: Sequence[Seen], counts: np.ndarray) -> None:
    problems = []
    for name, state, count in zip(names, states, counts, strict=True):
        where = f"column '{name}'"
        if state.nulls:
            problems.append(Problem(f"bin: {where} has {state.nulls} nulls", where, "put impute before bin"))
        if count == 0:
            what = f"bin: all values of {where} are within {_NARROWEST} of one another"
            problems.append(Problem(what, where, "put standard_scale before bin"))
    if problems:
        raise DataError(*problems)
