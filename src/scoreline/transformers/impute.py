"""Nulls filled with a statistic of their column."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, StrictFloat, StrictInt, StrictStr, model_validator

from scoreline.frame import family
from scoreline.transformers import _counts, _moments, _tally
from scoreline.transformers._columns import finite, present, refuse_empty
from scoreline.transformers._fitted import specimen
from scoreline.transformers._seen import Seen, detail_of, merged, seen
from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_MIDDLE = np.array([0.5])


class Impute(Transformer):
    """Fill nulls, as ``SimpleImputer``. Without nulls in training a column still gets its statistic for later ones."""

    kind: Literal["impute"] = "impute"
    strategy: Literal["mean", "median", "most_frequent", "constant"] = Field(
        "mean",
        description="What fills the nulls; mean and median are for numbers, most_frequent takes memory per value.",
    )
    fill_value: StrictStr | StrictInt | StrictFloat | None = Field(
        None, description='The value of strategy "constant"; without it 0, or "missing_value" for text.'
    )
    indicator: bool = Field(False, description="Add a column per column with nulls: 1 where the value was null.")

    mixes: ClassVar[bool] = False

    @property
    def widens(self) -> bool:
        """With the indicator."""
        return self.indicator

    @model_validator(mode="after")
    def _fill_value_is_used(self) -> Self:
        if self.fill_value is not None and self.strategy != "constant":
            raise ValueError('fill_value needs "strategy": "constant"')
        return self

    def objection(self, field: pa.Field) -> str | None:
        """Text has no mean, a constant must fit its column, and a boolean without nulls needs no filling."""
        if self.strategy in ("mean", "median"):
            text = family(field.type) == "text"
            return f"of type {field.type} with strategy {self.strategy}" if text else super().objection(field)
        if pa.types.is_boolean(field.type) and not field.nullable:
            return "of type bool that allows no null"
        return super().objection(field) or self._objection_to_constant(field)

    def _objection_to_constant(self, field: pa.Field) -> str | None:
        if self.fill_value is None:
            return None
        text = isinstance(self.fill_value, str)
        whole = pa.types.is_integer(field.type) and not field.nullable
        if text == (family(field.type) == "text") and not (whole and isinstance(self.fill_value, float)):
            return None
        return f"of type {field.type} with the fill_value {self.fill_value!r}"

    def partial(self, column: pd.Series, target: pd.Series | None, state: Seen | None) -> Seen:
        """Counts of one part, and its moments, groups of values or distinct values, by strategy."""
        return seen(finite(column), self._detail(column, state))

    def _detail(self, column: pd.Series, state: Seen | None) -> Any:
        if self.strategy == "mean":
            return _moments.moments(present(column))
        if self.strategy == "median":
            return _counts.grouped(present(column), detail_of(state), _counts.LIMIT)
        return _tally.tally(column) if self.strategy == "most_frequent" else None

    def merge(self, partials: Sequence[Seen], state: Seen | None) -> Seen:
        """The same of several parts."""
        details = [part.detail for part in partials]
        if self.strategy == "mean":
            return merged(partials, _moments.merged(details))
        if self.strategy == "median":
            return merged(partials, _counts.merged(details, detail_of(state), _counts.LIMIT))
        return merged(partials, _tally.merged(details) if self.strategy == "most_frequent" else None)

    def combine(self, partial: Seen, state: Seen | None) -> Seen:
        """The same of all parts; for the median, bounds of the middle values."""
        if self.strategy != "median":
            return partial
        return replace(partial, detail=_counts.bounded(partial.detail, detail_of(state), _MIDDLE, "linear"))

    def finished(self, state: Seen) -> bool:
        """True once the middle values are known; other strategies need one round."""
        return self.strategy != "median" or bool(state.detail.exact)

    def export(self, names: Sequence[str], states: Sequence[Seen]) -> Any:
        """A fitted ``SimpleImputer``: fitted to two rows that have the same statistic and nulls as all of them."""
        from sklearn.impute import SimpleImputer

        refuse_empty(self.kind, zip(names, (state.values for state in states), strict=True))
        imputer = SimpleImputer(strategy=self.strategy, fill_value=self.fill_value, add_indicator=self.indicator)
        return imputer.fit(specimen(names, [self._two_rows(state) for state in states]))

    def _two_rows(self, state: Seen) -> np.ndarray:
        dtype: Any = state.dtype if state.dtype.kind in "fi" else object
        if self.strategy in ("mean", "median"):
            dtype = state.float_dtype
        value = self._statistic(state, dtype)
        return np.array([value, np.nan if state.nulls else value], dtype=dtype)

    def _statistic(self, state: Seen, dtype: Any) -> Any:
        if self.strategy == "mean":
            return state.detail.mean
        if self.strategy == "median":
            return _counts.quantiles(state.detail, _MIDDLE, "linear")[0]
        if self.strategy == "most_frequent":
            return state.detail.values[np.argmax(state.detail.counts)]
        return self.fill_value if self.fill_value is not None else ("missing_value" if dtype is object else 0)
