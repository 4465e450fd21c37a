import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OneHotEncoder

from scoreline.transformers._tally import merged, tally

COLUMNS = {
    "text": pd.Series(["b", None, "a", "b", "É", None], dtype="str"),
    "object": pd.Series(["b", np.nan, "a", "b", "É", np.nan], dtype=object),
    "float": pd.Series([2.5, np.nan, -1.0, 2.5, 0.0, -0.0]),
    "single": pd.Series([2.5, np.nan, -1.0, 2.5, 0.1], dtype="float32"),
    "whole": pd.Series([3, 1, 1, 2]),
    "bool": pd.Series([True, False, True]),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=list(COLUMNS))
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_values_and_counts_are_those_of_scikit_learn(column: pd.Series, cut: int) -> None:
    found = merged([tally(column[:cut]), tally(column[cut:])]).with_null()
    (expected,) = OneHotEncoder().fit(column.to_frame()).categories_
    assert found.values.dtype == expected.dtype
    assert found.values.astype(object).tolist()[:-1] == expected.astype(object).tolist()[:-1]
    assert found.rows == len(column)
    np.testing.assert_array_equal(pd.isna(found.values), pd.isna(expected))


def test_counts_add_up() -> None:
    found = merged([tally(COLUMNS["text"]), tally(COLUMNS["text"][:3])])
    assert dict(zip(found.values, found.counts.tolist(), strict=True)) == {"a": 2, "b": 3, "É": 1}
    assert found.nulls == 3


def test_an_empty_part_has_no_say_in_the_dtype() -> None:
    found = merged([tally(pd.Series([], dtype=object)), tally(COLUMNS["whole"]), tally(pd.Series([], dtype="float64"))])
    assert found.values.dtype == np.int64


def test_nothing_merges_to_nothing() -> None:
    assert merged([tally(pd.Series([], dtype="str"))] * 2).rows == 0
