"""What every fit wants to know of a column besides its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A column of a part, or of all parts.

    Attributes
    ----------
    dtype : its dtype; that of an empty column means nothing
    rows, nulls : how many
    detail : statistics of its values, as the transformer needs them
    """

    dtype: Any
    rows: int
    nulls: int
    detail: Any

    @property
    def values(self) -> int:
        """How many values are not null."""
        return self.rows - self.nulls

    @property
    def float_dtype(self) -> type[np.floating[Any]]:
        """The dtype in which scikit-learn computes with this column of numbers."""
        return np.float32 if self.dtype == np.float32 else np.float64


def seen(column: pd.Series, detail: Any) -> Seen:
    """What is seen of one part's column."""
    return Seen(column.dtype, len(column), int(column.isna().sum()), detail)


def merged(parts: Sequence[Seen], detail: Any) -> Seen:
    """What is seen of several parts, with their merged detail."""
    dtype = next((part.dtype for part in parts if part.rows), parts[0].dtype)
    return Seen(dtype, sum(part.rows for part in parts), sum(part.nulls for part in parts), detail)


def detail_of(state: Seen | None) -> Any:
    """The detail of a state; None before the first round."""
    return state.detail if state else None
