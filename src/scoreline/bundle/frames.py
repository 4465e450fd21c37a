"""The frames that a fitted object is given, made as cheaply as what it does to them allows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.bundle.as_pandas import as_pandas
from scoreline.frame import markers_of, of_matrix, to_frame, to_read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    make : makes a frame of a table, as `to_frame` does
    takes_matrices : whether columns of float64 alone may be given as they lie in the memory of somebody's DataFrame
    """

    inputs: pa.Schema
    markers: Mapping[str, Marker]
    make: Callable[[pa.Table, pa.Schema, Mapping[str, Marker]], pd.DataFrame]
    takes_matrices: bool

    def of_table(self, table: pa.Table) -> pd.DataFrame:
        """The frame of a cleaned table; eager. Raises DataError as `to_frame` does."""
        return self.make(table, self.inputs, self.markers)

    def can_take(self, given: pd.DataFrame) -> bool:
        """Whether the columns of a DataFrame have the very types that they have in a frame of a table."""
        import pandas as pd

        if not self.takes_matrices or type(given) is not pd.DataFrame or not given.columns.is_unique:
            return False
        kinds = given.dtypes
        return all(kinds[name] == np.float64 for name in self.inputs.names)

    def of_frame(self, given: pd.DataFrame) -> pd.DataFrame:
        """The frame for a DataFrame that it `can_take`, equal to that of a table; one copy at most."""
        names = self.inputs.names
        matrix = (given if given.columns.tolist() == names else given[names]).to_numpy()
        # BLAS adds up in another order where rows lie one after another.
        return of_matrix(np.asfortranarray(matrix), names)


def frames_of(fitted: Fitted, inputs: pa.Schema, *, from_pandas: bool) -> Frames:
    """How frames are made for what was fitted; `inputs` and `from_pandas` are those of the bundle."""
    markers = markers_of(fitted.first, inputs.names)
    make: Any = to_read if fitted.only_reads and not _looks_at_nothing(fitted.first) else to_frame
    are_numbers = all(kind == pa.float64() for kind in inputs.types) and None not in markers.values()
    return Frames(
        inputs, markers, partial(as_pandas, make=make) if from_pandas else make, fitted.only_reads and are_numbers
    )


def _looks_at_nothing(first: Any) -> bool:
    """Whether what is given the frame leaves its values alone; a block would then be made for nothing."""
    from sklearn.utils import get_tags

    step = next((step for _, step in getattr(first, "steps", ()) if step not in (None, "passthrough")), first)
    return bool(get_tags(step).no_validation)
