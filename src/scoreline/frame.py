"""The border to scikit-learn: every frame that it ever sees is made here, in fit, evaluation and prediction."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoreline.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

Marker = float | None

_NO_MARKERS: Mapping[str, Marker] = {}
FLOATS = (pa.float64(), pa.float32())
"""Types of columns that are given as they are, null as NaN."""


def to_frame(table: pa.Table, schema: pa.Schema, markers: Mapping[str, Marker] = _NO_MARKERS) -> pd.DataFrame:
    """The columns of `schema` as scikit-learn sees them; eager, one copy.

    Column order and dtypes depend on `schema` and `markers` alone, never on the values of this part:

    =============================================  ==================================
    type in `schema`                               dtype, null
    =============================================  ==================================
    integer, boolean that allow no null            int64, bool
    integer, boolean that allow nulls; decimal     float64, NaN
    float32; other floats; a column of nulls only  float32, NaN; float64, NaN
    string, plain or dictionary                    str, NaN
    date, timestamp                                datetime64[us] (with time zone), NaT
    any of these where the marker is None          object, None
    =============================================  ==================================

    Raises DataError naming every column of another type, every column that allows nulls and holds an integer beyond
    2**53 (float64 would change it), and every column that allows no null and has one.

    >>> schema = pa.schema([pa.field("n", pa.int64()), pa.field("t", pa.string())])
    >>> to_frame(pa.table({"t": ["a", None], "n": [1, 2]}), schema)
         n    t
    0  1.0    a
    1  2.0  NaN
    """
    return in_columns(columns_of(table, schema, markers), schema.names, table.num_rows)


def to_read(table: pa.Table, schema: pa.Schema, markers: Mapping[str, Marker] = _NO_MARKERS) -> pd.DataFrame:
    """The frame of `to_frame` as `in_blocks` makes it, for who only reads it; eager, one copy."""
    return in_blocks(columns_of(table, schema, markers), schema.names, table.num_rows)


def in_columns(columns: Sequence[Any], names: Sequence[str], rows: int) -> pd.DataFrame:
    """A frame of arrays as they are, one a column; no copy."""
    places = np.arange(len(columns))
    return _assembled([(column, places[at : at + 1]) for at, column in enumerate(columns)], names, rows)


def in_blocks(columns: Sequence[Any], names: Sequence[str], rows: int) -> pd.DataFrame:
    """A frame in which numbers of one type lie side by side, so that pandas makes an array of them without a copy.

    Such an array cannot be written to.

    >>> in_blocks([np.array([0.5]), np.array([1.5])], ["x", "y"], 1).to_numpy().flags.writeable
    False
    """
    alike: dict[Any, list[int]] = {}
    for place, column in enumerate(columns):
        is_number = isinstance(column, np.ndarray) and column.dtype.kind in "bif"
        alike.setdefault(column.dtype if is_number else place, []).append(place)
    blocks = [
        (columns[places[0]] if len(places) == 1 else np.stack([columns[place] for place in places]), np.array(places))
        for places in alike.values()
    ]
    return _assembled(blocks, names, rows)


def of_matrix(matrix: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """A frame for who only reads it, of a matrix whose columns lie in memory one after another; no copy.

    >>> of_matrix(np.asfortranarray([[0.5, 1.5]]), ["x", "y"])
         x    y
    0  0.5  1.5
    """
    return _assembled([(matrix.T, np.arange(len(names)))], names, len(matrix))


def columns_of(table: pa.Table, schema: pa.Schema, markers: Mapping[str, Marker]) -> list[Any]:
    """The arrays of the columns of a frame; eager. Raises DataError as `to_frame` does."""
    columns: list[Any] = []
    problems: list[Problem] = []
    for field in schema:
        try:
            columns.append(_column(table[field.name], field, markers.get(field.name, np.nan)))
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)
    return columns


def _assembled(blocks: Sequence[tuple[Any, np.ndarray]], names: Sequence[str], rows: int) -> pd.DataFrame:
    """A frame of blocks and the places of their columns; `DataFrame` itself would look at every column once more."""
    import pandas as pd

    # The stubs do not know it.
    from pandas.api.internals import create_dataframe_from_blocks  # type: ignore[import-not-found]

    if not names:
        return pd.DataFrame(index=pd.RangeIndex(rows))
    made = [
        (values.reshape(len(places), rows) if isinstance(values, np.ndarray) else values, places)
        for values, places in blocks
    ]
    # A view, since who has the frame may name its columns.
    frame: pd.DataFrame = create_dataframe_from_blocks(
        made, index=pd.RangeIndex(rows), columns=_index(tuple(names)).view()
    )
    return frame


@lru_cache(maxsize=16)
def _index(names: tuple[str, ...]) -> Any:
    import pandas as pd

    return pd.Index(names)


def _column(values: pa.ChunkedArray, field: pa.Field, marker: Marker) -> Any:
    if values.type == field.type and marker is not None and field.type in FLOATS:
        return values.to_numpy()
    declared = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if marker is None:
        return _objects(values, declared, field.name)
    if _is_text(declared):
        return _text(values)
    if pa.types.is_date(declared) or pa.types.is_timestamp(declared):
        return _times(_plain(values), declared)
    return _numbers(_plain(values), declared, field)


def _objects(values: pa.ChunkedArray, declared: pa.DataType, name: str) -> np.ndarray:
    """Python objects with None for null; each distinct value of a dictionary is made once."""
    if _is_text(declared):
        encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        merged = encoded.unify_dictionaries().combine_chunks()
        merged = merged.chunk(0) if isinstance(merged, pa.ChunkedArray) else merged
        distinct = np.array([*merged.dictionary.to_pylist(), None], dtype=object)
        return np.asarray(distinct[pc.fill_null(merged.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)])
    plain = _plain(values)
    numbers: np.ndarray = _numbers(plain, declared, pa.field(name, declared)).astype(object)
    numbers[pc.is_null(plain).to_numpy(zero_copy_only=False)] = None
    return numbers


def _text(values: pa.ChunkedArray) -> Any:
    import pandas as pd

    return pd.array(_plain(values).cast(pa.large_string()), dtype=pd.StringDtype(na_value=np.nan))


def _times(values: pa.ChunkedArray, declared: pa.DataType) -> Any:
    zone = declared.tz if pa.types.is_timestamp(declared) else None
    # Fractions finer than a microsecond are cut.
    instants = values.cast(pa.timestamp("us", zone), safe=False).cast(pa.timestamp("us"))
    times = instants.to_numpy().astype("datetime64[us]")
    if zone is None:
        return times
    import pandas as pd

    return pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone).array


def _numbers(values: pa.ChunkedArray, declared: pa.DataType, field: pa.Field) -> np.ndarray:
    if not _is_number(declared):
        advice = "leave the column out of the features, or turn it into numbers or text while cleaning"
        raise DataError(Problem(f"a column of type {declared} cannot be a feature", f"column '{field.name}'", advice))
    if not field.nullable and (pa.types.is_integer(declared) or pa.types.is_boolean(declared)):
        return _without_nulls(values, declared, field.name)
    target = pa.float32() if pa.types.is_float32(declared) else pa.float64()
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    try:
        numbers: np.ndarray = exact(values).cast(target).to_numpy()
    except pa.ArrowInvalid as error:
        advice = "declare it without nulls in the contract, or as text"
        what = "integers beyond 2**53 in a column that allows nulls would lose digits"
        raise DataError(Problem(what, f"column '{field.name}'", advice)) from error
    return numbers


def exact(values: Any) -> Any:
    """Values in a form that Arrow casts to the nearest float: decimals as text, others as they are; eager.

    Arrow divides the digits of a decimal, and is off by the last bit for about one in eight.

    >>> from decimal import Decimal
    >>> exact(pa.array([Decimal("0.07")])).cast(pa.float64())[0].as_py() == float(Decimal("0.07"))
    True
    """
    return pc.cast(values, pa.string()) if pa.types.is_decimal(values.type) else values


def _without_nulls(values: pa.ChunkedArray, declared: pa.DataType, name: str) -> np.ndarray:
    if values.null_count:
        advice = "let the contract allow nulls here, or quarantine these rows"
        raise DataError(Problem("null in a column that allows none", f"column '{name}'", advice))
    numbers: np.ndarray = values.cast(pa.bool_() if pa.types.is_boolean(declared) else pa.int64()).to_numpy()
    return numbers


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def _is_text(arrow_type: pa.DataType) -> bool:
    return any(kind(arrow_type) for kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _is_number(arrow_type: pa.DataType) -> bool:
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_null)
    return any(kind(arrow_type) for kind in kinds)


def family(arrow_type: pa.DataType) -> str:
    """What a type is to transformers: "number" (booleans and decimals too), "text", or "other".

    Dictionaries count as their values.

    >>> family(pa.bool_()), family(pa.dictionary(pa.int32(), pa.string())), family(pa.date32())
    ('number', 'text', 'other')
    """
    plain = arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type
    if _is_text(plain):
        return "text"
    return "number" if _is_number(plain) and not pa.types.is_null(plain) else "other"


def markers_of(estimator: Any, names: Sequence[str]) -> dict[str, Marker]:
    """The null marker with which each input column of a fitted estimator was fitted, for the columns that tell.

    Looks at the first step that each column meets, inside pipelines, column transformers and unions: an encoder with
    None in its ``categories_`` wants None, and so does an imputer of None; one that was fitted on booleans alone cannot
    take objects. `names` are the input columns in order.

    >>> from sklearn.preprocessing import OneHotEncoder
    >>> markers_of(OneHotEncoder().fit(np.array([["a"], [None]], dtype=object)), ["sexo"])
    {'sexo': None}
    """
    return dict(_markers(estimator, list(names)))


def _markers(estimator: Any, names: list[str]) -> Iterator[tuple[str, Marker]]:
    for inner, columns in _first_steps(estimator, names):
        yield from _markers(inner, columns)
    if getattr(estimator, "missing_values", np.nan) is None:
        yield from ((name, None) for name in names)
    for name, categories in zip(names, getattr(estimator, "categories_", ()), strict=False):
        nulls = [value for value in categories if value is None or (isinstance(value, float) and np.isnan(value))]
        if nulls or np.asarray(categories).dtype == bool:
            # With both, pandas reads NaN.
            yield name, None if nulls and all(value is None for value in nulls) else np.nan


def _first_steps(estimator: Any, names: list[str]) -> Iterator[tuple[Any, list[str]]]:
    """The estimators that meet input columns directly, with those columns."""
    if hasattr(estimator, "transformers_"):
        known = [str(name) for name in getattr(estimator, "feature_names_in_", names)]
        for _, inner, columns in estimator.transformers_:
            if not isinstance(inner, str):
                yield inner, selected_columns(columns, known)
    elif hasattr(estimator, "steps"):
        learners = [step for _, step in estimator.steps if step is not None and step != "passthrough"]
        yield from ((learner, names) for learner in learners[:1])
    elif hasattr(estimator, "transformer_list"):
        yield from ((inner, names) for _, inner in estimator.transformer_list if not isinstance(inner, str))
    elif hasattr(estimator, "named_estimators_"):
        yield from ((inner, names) for inner in estimator.estimators_)
    else:
        held = (getattr(estimator, name, None) for name in ("best_estimator_", "estimator_", "estimator"))
        yield from ((inner, names) for inner in [inner for inner in held if inner is not None][:1])


def selected_columns(columns: Any, names: list[str]) -> list[str]:
    """The names that a ColumnTransformer's selection means: a name, a position, a slice, a mask, or a list of these.

    >>> selected_columns([True, False, True], ["a", "b", "c"]), selected_columns(slice("b", None), ["a", "b", "c"])
    (['a', 'c'], ['b', 'c'])
    """
    if isinstance(columns, str):
        return [columns]
    if isinstance(columns, slice):
        stated = (columns.start, columns.stop)
        if any(isinstance(bound, str) for bound in stated):
            first, last = (None if bound is None else names.index(bound) for bound in stated)
            return names[first : None if last is None else last + 1]
        return names[columns]
    if isinstance(columns, int | np.integer):
        return [names[columns]]
    if all(isinstance(column, str) for column in columns):
        return list(columns)
    return [str(name) for name in np.asarray(names, dtype=object)[np.asarray(columns)]]
