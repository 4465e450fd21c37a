"""Hard rows are real rows with one value made hard."""

import numpy as np
import pyarrow as pa
from tests.compiled.cases import SCHEMA, some_rows

from scoreline.compiled.trials import REAL_ROWS, trials


def test_real_rows_come_first_as_they_are() -> None:
    table = some_rows(REAL_ROWS + 5)
    assert next(trials(table, SCHEMA)).equals(table.slice(0, REAL_ROWS))


def test_every_column_is_tried_with_null_and_what_its_type_allows() -> None:
    _, *hard = trials(some_rows(30), SCHEMA)
    assert all(table.schema.names == SCHEMA.names for table in hard)
    values = pa.concat_tables(hard)
    assert {"", "a text that was never there"} <= set(values["city"].to_pylist())
    amounts = values["amount"].to_numpy()
    assert np.isposinf(amounts).any()
    assert np.isneginf(amounts).any()
    assert 2**53 in values["age"].to_pylist()
    assert all(values[name].null_count for name in SCHEMA.names)


def test_few_rows_and_dictionaries_are_enough() -> None:
    table = some_rows(3)
    encoded = table.set_column(0, "city", table["city"].dictionary_encode())
    assert sum(hard.num_rows for hard in trials(encoded, SCHEMA)) > 50
