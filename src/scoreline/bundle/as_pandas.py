"""The frame that an object from elsewhere takes: what pandas makes of the whole input, made of one part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.frame import family, to_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from scoreline.frame import Marker

    MakeFrame = Callable[[pa.Table, pa.Schema, Mapping[str, Marker]], pd.DataFrame]


def as_read(field: pa.Field, stored: pa.DataType | None) -> pa.Field:
    """A feature column as `as_pandas` gives it: `stored` is its type in the files, None for files without types.

    Text that files store as a dictionary is a category. Only dates that files store as dates are objects in pandas.
    Numbers and booleans that pandas wrote in a dtype of its own have an opaque type, which names it.

    >>> as_read(pa.field("day", pa.date32()), None).type
    TimestampType(timestamp[us])
    """
    if isinstance(stored, pa.OpaqueType) and field.type == stored.storage_type:
        return field.with_type(stored)
    if stored is not None and pa.types.is_dictionary(stored) and family(field.type) == "text":
        return field.with_type(pa.dictionary(pa.int32(), pa.string()))
    if pa.types.is_date(field.type) and stored != field.type:
        return field.with_type(pa.timestamp("us"))
    return field


def as_pandas(
    table: pa.Table, schema: pa.Schema, markers: Mapping[str, Marker], make: MakeFrame = to_frame
) -> pd.DataFrame:
    """The columns of `schema` as `pandas.read_parquet` gives them for all files together; eager, one copy.

    Dtypes depend on `schema` and `markers` alone. They are those of `to_frame`, with three differences: booleans that
    allow nulls, dates and decimals are objects, dictionaries are categories, and narrow numbers and timestamps keep
    their precision; columns of a dtype of pandas' own have it. `make` makes the columns without a difference. Raises
    DataError as `to_frame` does.

    >>> as_pandas(pa.table({"b": [True, None]}), pa.schema([("b", pa.bool_())]), {})["b"].tolist()
    [True, None]
    """
    import pandas as pd

    # A marker tells that there were nulls when the object was fitted.
    fields = [field.with_nullable(field.nullable or field.name in markers) for field in schema]
    frame = make(table, pa.schema([field for field in fields if _is_alike(field, markers)]), markers)
    others = {field.name: _column(table[field.name], field) for field in fields if field.name not in frame}
    if not others:
        return frame
    columns = {name: others[name] if name in others else frame[name] for name in schema.names}
    return pd.DataFrame(columns, index=frame.index, copy=False)


def _is_alike(field: pa.Field, markers: Mapping[str, Marker]) -> bool:
    """Whether the column is as `to_frame` makes it."""
    kind, wants_none = field.type, markers.get(field.name, np.nan) is None
    if family(kind) == "text":
        return wants_none or not pa.types.is_dictionary(kind)
    if pa.types.is_boolean(kind):
        return not field.nullable or (field.name in markers and not wants_none)
    if pa.types.is_integer(kind):
        return bool(field.nullable or pa.types.is_int64(kind))
    return bool(pa.types.is_float32(kind) or pa.types.is_float64(kind))


def _column(values: pa.ChunkedArray, field: pa.Field) -> Any:
    import pandas as pd

    encoded, wanted = pa.types.is_dictionary(values.type), pa.types.is_dictionary(field.type)
    if wanted:
        return (values if encoded else values.dictionary_encode()).to_pandas()
    plain = values.cast(values.type.value_type) if encoded else values
    if isinstance(field.type, pa.OpaqueType):
        dtype: Any = pd.api.types.pandas_dtype(field.type.type_name)
        return pd.Series(dtype.__from_arrow__(plain.cast(field.type.storage_type)))
    column = plain.cast(field.type).to_pandas()
    return column.astype(object) if pa.types.is_boolean(field.type) else column
