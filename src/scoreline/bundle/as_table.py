"""A DataFrame that somebody hands over, as the Arrow table that a bundle works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd


def as_table(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """The columns of `schema`, NaN as null; eager. Columns of floats without NaN are not copied.

    Raises what `pyarrow.Table.from_pandas` raises for values of other types.

    >>> import pandas as pd
    >>> as_table(pd.DataFrame({"x": [0.5, None]}), pa.schema([("x", pa.float64())]))["x"].to_pylist()
    [0.5, None]
    """
    whole = {field.name: column for field in schema if (column := _whole(frame, field)) is not None}
    others = pa.schema([field for field in schema if field.name not in whole])
    if not whole:
        return pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
    made = pa.Table.from_pandas(frame[others.names], schema=others, preserve_index=False) if others.names else None
    columns = [whole[name] if name in whole or made is None else made[name] for name in schema.names]
    return pa.table(columns, schema=schema)


def _whole(frame: pd.DataFrame, field: pa.Field) -> pa.Array | None:
    """A column of floats without NaN, which Arrow takes as it is; it looks at others value by value."""
    given = frame[field.name]
    if field.type != pa.float64() or getattr(given, "dtype", None) != np.float64:
        return None
    values = given.to_numpy()
    return None if np.isnan(values).any() else pa.array(values)
