"""A program answers as scikit-learn does, to the last bit, or leaves rows to it; for tables, records, and none."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier
from tests.compiled.cases import SCHEMA, Case, columns, fit, fitted, selector, some_rows, tables

from scoreline.compiled.baked import program as program_module
from scoreline.compiled.baked.files import PROGRAM, as_files, from_files
from scoreline.compiled.baked.program import Program
from scoreline.compiled.baked.proving import proven
from scoreline.compiled.plan import NotCompilable
from scoreline.frame import to_frame

MODELS: dict[str, tuple[Any, str]] = {
    "logistic": (LogisticRegression(max_iter=30), "four"),
    "logistic_two": (LogisticRegression(max_iter=30), "two"),
    "sgd": (SGDClassifier(max_iter=10, random_state=0), "four"),
    "tree": (DecisionTreeClassifier(max_depth=6, random_state=0), "four"),
    "forest": (RandomForestClassifier(11, random_state=0), "four"),
    "extra": (ExtraTreesRegressor(5, random_state=0), "number"),
    "boosting": (GradientBoostingClassifier(n_estimators=4, random_state=0), "four"),
    "boosting_two": (GradientBoostingClassifier(n_estimators=4, loss="exponential", random_state=0), "two"),
    "hist": (HistGradientBoostingClassifier(max_iter=4, random_state=0), "four"),
    "hist_two": (HistGradientBoostingClassifier(max_iter=4, random_state=0), "two"),
    "hist_number": (HistGradientBoostingRegressor(max_iter=4, random_state=0), "number"),
}
FEATURES = [("standard", "one_hot"), ("min_max", "infrequent"), ("robust", "ordinal"), ("standard", "target")]
WITH_NAN = [("unfilled", "sparse"), ("passthrough", "ordinal")]
PAIRS = [(name, *kinds) for name in MODELS for kinds in FEATURES]
PAIRS += [(name, *kinds) for name in ("forest", "hist", "hist_number") for kinds in WITH_NAN]
PAIRS += [("forest", "standard", "strict"), ("logistic", "standard", "filled"), ("boosting", "standard", "dropped")]


@cache
def made(name: str, numbers: str, texts: str) -> tuple[Case, Program]:
    case = fitted(numbers, texts, *MODELS[name], sparse_threshold=0)
    found = program_of(case)
    assert not isinstance(found, NotCompilable), found
    described = as_files(found)
    arrays = {key.removesuffix(".npy"): npy(body) for key, body in described.items() if key != PROGRAM}
    return case, from_files(described[PROGRAM], arrays)


def npy(body: bytes) -> np.ndarray:
    import io

    array = np.load(io.BytesIO(body), allow_pickle=False)
    array.flags.writeable = False
    return array


def program_of(case: Case) -> Program | NotCompilable:
    found = proven(case.plan, case.schema, case.frame, case.reference, some_rows(200, 7))
    return found if isinstance(found, NotCompilable) else found.program


def hold_to_scikit_learn(case: Case, program: Program, table: pa.Table) -> int:
    """Check the rows that a program answers for; how many they are."""
    proba = program.model.gives_proba
    found = program.partly(table, proba=proba)
    assert found is not None
    answered = set(found.rows.tolist())
    if answered:
        expected = case.expected(table.take(pa.array(found.rows)), proba)
        assert expected is not None, "it answers for rows that scikit-learn refuses"
        assert found.answers.agrees(expected, 0)
    for row, record in enumerate(table.to_pylist()):
        alone = program.answer(record, proba=proba)
        assert (alone is not None) == (row in answered)
        if alone is not None:
            assert alone.predictions[0] == found.answers.predictions[found.rows.tolist().index(row)]
    return len(answered)


@pytest.mark.parametrize(("name", "numbers", "texts"), PAIRS, ids=str)
@settings(max_examples=6, deadline=None)
@given(table=tables())
def test_any_rows_are_answered_as_by_scikit_learn_or_left_to_it(
    name: str, numbers: str, texts: str, table: pa.Table
) -> None:
    hold_to_scikit_learn(*made(name, numbers, texts), table)


def test_whole_numbers_alone_are_a_matrix_of_whole_numbers() -> None:
    numbers = ColumnTransformer([("numbers", "passthrough", ["count"])])
    case = fit(numbers, RandomForestClassifier(11, random_state=0))
    program = program_of(case)
    assert isinstance(program, Program), program
    assert hold_to_scikit_learn(case, program, some_rows(60, 3)) == 60


@pytest.mark.parametrize("calls", [0, 10**9], ids=["kernels", "numpy"])
@pytest.mark.parametrize("name", MODELS)
def test_ordinary_rows_are_answered_by_kernels_and_by_numpy(
    name: str, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_module, "PLAIN_CALLS", calls)
    case, program = made(name, "standard", "one_hot")
    for count in (1, 2, 300):
        assert hold_to_scikit_learn(case, program, some_rows(count, count)) == count


@pytest.mark.parametrize("name", ["logistic", "forest", "hist"])
def test_no_rows_are_no_answers(name: str) -> None:
    program = made(name, "standard", "one_hot")[1]
    for table in (some_rows(5).slice(0, 0), SCHEMA.empty_table()):
        found = program.answers(table)
        assert found is not None
        assert found.predictions.shape == (0,)


@pytest.mark.parametrize("arrow_type", [pa.string_view(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_text_of_any_type_is_answered_or_left_to_scikit_learn(arrow_type: pa.DataType) -> None:
    program = made("forest", "standard", "one_hot")[1]
    table = some_rows(20, 2)
    expected = program.answers(table)
    found = program.answers(table.set_column(0, "city", table["city"].cast(arrow_type)))
    assert expected is not None
    assert found is None or found.agrees(expected, 0)
    assert found is not None or arrow_type == pa.string_view()


def test_columns_of_other_types_are_left_to_scikit_learn() -> None:
    program, table = made("forest", "standard", "one_hot")[1], some_rows(20, 2, nulls=False)
    assert program.answers(table.set_column(4, "age", table["age"].cast(pa.float64()))) is None
    assert program.answers(table.set_column(5, "count", pa.array([2**63] * 20, pa.uint64()))) is None


@pytest.mark.parametrize("name", ["logistic", "forest", "hist"])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", float("inf")),
        ("amount", float("-inf")),
        ("amount", "1"),
        ("amount", True),
        ("amount", 2**53 + 1),
        ("age", 2**53 + 1),
        ("age", 2**64),
        ("age", 1.0),
        ("age", True),
        ("count", None),
        ("vip", 1),
        ("vip", None),
        ("share", 1e39),
        ("city", b"Natal"),
        ("city", np.str_("Natal")),
        ("city", "Natal\0"),
        ("city", "\ud800"),
        ("city", ["Natal"]),
    ],
)
def test_values_of_other_types_and_those_that_may_be_refused_are_left_to_scikit_learn(
    name: str, column: str, value: Any
) -> None:
    program = made(name, "standard", "one_hot")[1]
    record = some_rows(1, 4, nulls=False).to_pylist()[0]
    assert program.answer(record) is not None
    assert program.answer({**record, column: value}) is None


def test_whole_numbers_in_a_column_of_floats_are_what_arrow_makes_of_them() -> None:
    case, program = made("forest", "standard", "one_hot")
    record = {**some_rows(1, 4, nulls=False).to_pylist()[0], "amount": 120}
    expected = case.expected(pa.Table.from_pylist([record], schema=SCHEMA), True)
    found = program.answer(record, proba=True)
    assert found is not None
    assert expected is not None
    assert found.agrees(expected, 0)


@settings(max_examples=60, deadline=None)
@given(value=st.floats(width=64), column=st.sampled_from(["amount", "share"]))
def test_any_float_is_ranked_as_scikit_learn_scales_it(value: float, column: str) -> None:
    case, program = made("forest", "standard", "one_hot")
    record = {**some_rows(1, 4, nulls=False).to_pylist()[0], column: value}
    found = program.answer(record, proba=True)
    expected = case.expected(pa.Table.from_pylist([record], schema=SCHEMA), True)
    assert found is None or (expected is not None and found.agrees(expected, 0))


@pytest.mark.parametrize("model", [MODELS["hist"][0], MODELS["boosting"][0]], ids=["hist", "boosting"])
def test_many_classes_have_the_bits_that_a_row_alone_has(model: Any) -> None:
    # Among many rows numpy adds up the classes of each in another order.
    table = some_rows(480)
    pipeline = Pipeline([("features", columns("standard", "one_hot")), ("model", clone(model))])
    case = Case(pipeline.fit(to_frame(table, SCHEMA), np.arange(480) * 7 % 24), SCHEMA)
    program = program_of(case)
    assert isinstance(program, Program), program
    for row in range(20):
        one = table.slice(row, 1)
        found, expected = program.answer(one.to_pylist()[0], proba=True), case.expected(one, True)
        assert found is not None
        assert expected is not None
        assert found.agrees(expected, 0)
    assert hold_to_scikit_learn(case, program, table.slice(0, 100)) == 100


def test_a_missing_column_is_an_error() -> None:
    with pytest.raises(KeyError):
        made("forest", "standard", "one_hot")[1].answer({"city": "Natal"})


def test_columns_chosen_in_other_ways_have_a_program_too() -> None:
    case = fit(selector(), RandomForestClassifier(5, random_state=0), nulls=False)
    program = program_of(case)
    assert isinstance(program, Program)
    assert hold_to_scikit_learn(case, program, some_rows(100, 5, nulls=False)) == 100


@pytest.mark.parametrize(
    ("numbers", "model", "said"),
    [
        ("quantile", RandomForestClassifier(3), "QuantileTransformer"),
        ("max_abs", LogisticRegression(), "MaxAbsScaler"),
        ("standard", KNeighborsClassifier(3), "KNeighborsClassifier"),
    ],
)
def test_what_has_no_program_says_why(numbers: str, model: Any, said: str) -> None:
    found = program_of(fit(columns(numbers, "one_hot"), model))
    assert isinstance(found, NotCompilable)
    assert said in found.reason


def test_a_program_that_answers_otherwise_is_not_proven() -> None:
    case = fitted("standard", "one_hot", RandomForestClassifier(5, random_state=0))
    other = fitted("standard", "one_hot", RandomForestClassifier(5, random_state=1))
    found = proven(case.plan, case.schema, case.frame, other.reference, some_rows(200, 7))
    assert isinstance(found, NotCompilable)
    assert "others than scikit-learn's" in found.reason
