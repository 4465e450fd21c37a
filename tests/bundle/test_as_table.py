"""A DataFrame becomes the table that Arrow makes of it."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreline.bundle.as_table import as_table

SCHEMA = pa.schema([("a", pa.float64()), ("b", pa.float64()), ("n", pa.int64()), ("t", pa.string())])
FLOATS = st.floats(allow_nan=False) | st.sampled_from([np.nan, -0.0, np.inf])


def expected(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)


@given(st.lists(st.tuples(FLOATS, FLOATS, st.integers(-9, 9), st.sampled_from(["x", "", None])), max_size=8))
def test_every_column_is_as_arrow_makes_it(rows: list[tuple[float, float, int, str | None]]) -> None:
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    kinds = ["float64", "float64", "int64", "str"]
    pairs = zip(SCHEMA.names, columns, kinds, strict=True)
    frame = pd.DataFrame({name: pd.Series(values, dtype=kind) for name, values, kind in pairs})
    for given_frame in (frame, frame[["n", "b", "t", "a"]], frame.set_axis(range(5, 5 + len(frame)))):
        found = as_table(given_frame, SCHEMA)
        found.validate(full=True)
        assert found.schema == SCHEMA
        assert found.equals(expected(given_frame, SCHEMA))


def test_columns_of_one_block_and_extension_types_are_taken_too() -> None:
    schema = pa.schema([("a", pa.float64()), ("b", pa.float64())])
    block = pd.DataFrame(np.arange(8.0).reshape(4, 2), columns=["a", "b"])
    for frame in (block, block.iloc[::-2], block.astype("Float64"), block.astype("float32"), block.astype("int64")):
        assert as_table(frame, schema).equals(expected(frame, schema))


def test_null_where_none_is_allowed_and_text_among_numbers_are_refused_as_before() -> None:
    strict = pa.schema([pa.field("a", pa.float64(), nullable=False), ("b", pa.float64())])
    frame = pd.DataFrame({"a": [1.0, np.nan], "b": [1.0, 2.0]})
    with pytest.raises(ValueError, match="non-nullable"):
        as_table(frame, strict)
    with pytest.raises(pa.ArrowInvalid):
        as_table(frame.assign(a=["x", "y"]), strict)
