"""Categories as whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from scoreline.errors import DataError, Problem
from scoreline.transformers import _tally
from scoreline.transformers._columns import refuse_empty
from scoreline.transformers._fitted import specimen
from scoreline.transformers.base import Transformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from scoreline.transformers._tally import Tally


class Ordinal(Transformer):
    """Number the categories in sorted order, from 0, as ``OrdinalEncoder``; nulls stay null."""

    kind: Literal["ordinal"] = "ordinal"
    unknown: int | Literal["null", "refuse"] = Field(
        -1, description="What categories not seen in training become: a number, null, or the row is refused."
    )

    def type_after(self, arrow_type: pa.DataType) -> pa.DataType:
        """Numbers."""
        return pa.float64()

    def partial(self, column: pd.Series, target: pd.Series | None, state: Any) -> Tally:
        """Distinct values of one part."""
        return _tally.tally(column)

    def merge(self, partials: Sequence[Tally], state: Any) -> Tally:
        """Distinct values of several parts."""
        return _tally.merged(partials)

    def export(self, names: Sequence[str], states: Sequence[Tally]) -> Any:
        """An ``OrdinalEncoder`` fitted to the distinct values."""
        refuse_empty(self.kind, zip(names, (len(state.values) for state in states), strict=True))
        self._refuse_clash(names, states)
        return self._encoder().fit(specimen(names, [state.with_null().values for state in states]))

    def _encoder(self) -> Any:
        from sklearn.preprocessing import OrdinalEncoder

        if self.unknown == "refuse":
            return OrdinalEncoder()
        unknown = np.nan if self.unknown == "null" else self.unknown
        return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=unknown)

    def _refuse_clash(self, names: Sequence[str], states: Sequence[Tally]) -> None:
        if not isinstance(self.unknown, int):
            return
        what = f"ordinal: unknown {self.unknown} is the number of a known category of column"
        problems = [
            Problem(f"{what} '{name}'", f"column '{name}'", "choose a negative number")
            for name, state in zip(names, states, strict=True)
            if 0 <= self.unknown < len(state.values)
        ]
        if problems:
            raise DataError(*problems)
