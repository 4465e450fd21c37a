"""The frames that a fitted object is given, made as cheaply as what it does to them allows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.bundle.as_pandas import as_pandas
from scoreline.frame import FLOATS, in_blocks, in_columns, markers_of, of_matrix, to_frame, to_read

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from scoreline.bundle.fitted import Fitted
    from scoreline.frame import Marker


@dataclass(frozen=True, eq=False)
class Frames:
    """How frames are made for one fitted object, settled once.

    Attributes
    ----------
    inputs : the columns, in order
    markers : the nulls with which it was fitted
    from_pandas : whether it was fitted on frames as pandas reads them
    in_one_block : whether numbers may lie side by side, since scikit-learn alone reads them
    """

    inputs: pa.Schema
    markers: Mapping[str, Marker]
    from_pandas: bool
    in_one_block: bool

    def of_table(self, table: pa.Table) -> pd.DataFrame:
        """The frame of a cleaned table; eager. Raises DataError as `to_frame` does."""
        if self._are_floats and table.schema.equals(self.inputs):
            # What `to_frame` would look at for each column is known of all of them.
            columns = [column.to_numpy() for column in table.itercolumns()]
            return (in_blocks if self.in_one_block else in_columns)(columns, self._names, table.num_rows)
        return self.of_columns(table, self.inputs)

    def of_columns(self, table: pa.Table, columns: pa.Schema) -> pd.DataFrame:
        """The frame of some of the columns; eager. Raises DataError as `to_frame` does."""
        make = to_read if self.in_one_block else to_frame
        if self.from_pandas:
            return as_pandas(table, columns, self.markers, make)
        return make(table, columns, self.markers)

    @cached_property
    def _are_floats(self) -> bool:
        return all(kind in FLOATS for kind in self.inputs.types) and None not in self.markers.values()

    @cached_property
    def _are_matrix(self) -> bool:
        return self.in_one_block and self._are_floats and set(self.inputs.types) == {pa.float64()}

    @cached_property
    def _names(self) -> list[str]:
        return list(self.inputs.names)

    def can_take(self, given: pd.DataFrame) -> bool:
        """Whether the columns of a DataFrame are float64, as they all are in a frame of a table."""
        import pandas as pd

        if not self._are_matrix or type(given) is not pd.DataFrame or not given.columns.is_unique:
            return False
        kinds = dict(zip(given.columns, given.dtypes, strict=True))
        return all(kinds[name] == np.float64 for name in self._names)

    def of_frame(self, given: pd.DataFrame) -> pd.DataFrame:
        """The frame for a DataFrame that it `can_take`, equal to that of a table; one copy at most."""
        matrix = (given if given.columns.tolist() == self._names else given[self._names]).to_numpy()
        # BLAS adds up in another order where rows lie one after another.
        return of_matrix(np.asfortranarray(matrix), self._names)


def frames_of(fitted: Fitted, inputs: pa.Schema, *, from_pandas: bool) -> Frames:
    """How frames are made for what was fitted; `inputs` and `from_pandas` are those of the bundle."""
    in_one_block = fitted.only_reads and not _looks_at_nothing(fitted.first)
    return Frames(inputs, markers_of(fitted.first, inputs.names), from_pandas, in_one_block)


def _looks_at_nothing(first: Any) -> bool:
    """Whether what is given the frame leaves its values alone; a block would then be made for nothing."""
    from sklearn.utils import get_tags

    step = next((step for _, step in getattr(first, "steps", ()) if step not in (None, "passthrough")), first)
    return bool(get_tags(step).no_validation)
