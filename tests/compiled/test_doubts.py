"""Rows in doubt are told apart from those that a way can vouch for."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from tests.compiled.cases import SCHEMA, Case, fit, fitted, selector, some_rows, tables

from scoreline.compiled.doubts import suspects, taken, told_apart
from scoreline.compiled.linear import compile_linear
from scoreline.compiled.matrix import Encoding, layout_of
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.tree_model import compile_trees
from scoreline.compiled.trees import is_made_of_trees
from scoreline.compiled.way import Way, no_look_up

PLAIN = some_rows(200, seed=3, nulls=False)
CASES = {
    "linear": fitted("standard", "strict", LogisticRegression(max_iter=27)),
    "forest": fitted("passthrough", "strict", RandomForestClassifier(3, random_state=0)),
    "called": fitted("max_abs", "strict", ExtraTreesClassifier(3, random_state=0)),
    "matrix": fitted("standard", "strict", KNeighborsClassifier()),
    "missing": fit(selector(), KNeighborsClassifier(), nulls=False),
    "sparse": fitted("standard", "sparse", LogisticRegression(max_iter=28), "four", 1.0),
}


def way(case: Case) -> Way:
    encoding = Encoding(case.plan, case.schema, case.frame, no_look_up)
    blocks = encoding.blocks(PLAIN)
    layout = layout_of(blocks, encoding.stacked(blocks, PLAIN.num_rows))
    compiled: Any = compile_trees if is_made_of_trees(case.plan.model) else compile_linear
    model = compiled(case.plan, layout)
    if isinstance(model, NotCompilable):
        made = Way(encoding, case.plan.model)
    else:
        made = Way(Encoding(case.plan, case.schema, case.frame, model.derive), case.plan.model, model)
    made.encoding.settle(PLAIN)
    made.answers(PLAIN, proba=False)
    return made


WAYS = {name: way(case) for name, case in CASES.items()}


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(WAYS)), tables(most=12))
def test_rows_beside_those_in_doubt_are_answered_as_if_they_were_alone(name: str, some: pa.Table) -> None:
    plain = some.select(SCHEMA.names).cast(SCHEMA)
    table = pa.concat_tables([plain, PLAIN.slice(0, 30)])
    found = told_apart(WAYS[name], table, proba=True)
    if found is None:
        return
    left = np.delete(np.arange(table.num_rows), found.doubts)
    assert (left >= plain.num_rows).sum() == 30
    assert found.answers.agrees(CASES[name].reference(taken(table, left), True), 0)


@pytest.mark.parametrize("name", ["linear", "forest", "called", "matrix"])
def test_a_row_with_an_infinite_number_and_one_with_an_unknown_city_are_in_doubt(name: str) -> None:
    amounts, cities = PLAIN["amount"].to_pylist(), PLAIN["city"].to_pylist()
    amounts[7], cities[11] = float("inf"), "nowhere"
    table = PLAIN.set_column(2, "amount", pa.array(amounts)).set_column(0, "city", pa.array(cities))
    found = told_apart(WAYS[name], table, proba=False)
    assert found is not None
    assert found.doubts.tolist() == [7, 11]


def test_rows_with_missing_numbers_are_in_doubt_where_the_model_takes_none() -> None:
    ages = PLAIN["count"].to_pylist()
    table = PLAIN.set_column(2, "amount", pa.array([None, *PLAIN["amount"].to_pylist()[1:]], pa.float64()))
    table = table.set_column(3, "share", pa.array([0.5, float("nan"), *ages[2:]], pa.float32()))
    found = told_apart(WAYS["missing"], table, proba=False)
    assert found is None or found.doubts.tolist() in ([], [1])


@pytest.mark.parametrize("encoded", [False, True])
def test_rows_are_taken_of_every_type(encoded: bool) -> None:
    listed = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 1], pa.int8()), ["Natal", None])
    other = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int8()), ["Recife"])
    column = pa.chunked_array([listed, other]) if encoded else pa.array([*"abcdef"], pa.string_view())
    table = pa.table({"city": column})
    expected = [table["city"].to_pylist()[row] for row in (0, 2, 3, 5)]
    assert taken(table, np.array([0, 2, 3, 5]))["city"].to_pylist() == expected


def test_infinite_and_too_large_numbers_are_suspected_before_missing_ones() -> None:
    values = np.array([[1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0], [1.0, -1e39]])
    for given_ in (values, sparse.csr_array(values), pd.DataFrame(values)):
        found = suspects(given_)
        assert found is not None
        assert found.tolist() == [2, 3]
        missing = suspects(given_[:2])
        assert missing is not None
        assert missing.tolist() == [1]
        assert suspects(given_[:1]) is None
    assert suspects(np.array([["a", None]], dtype=object)) is None
