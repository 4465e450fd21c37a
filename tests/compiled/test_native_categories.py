"""Histogram boosting with categories of its own: every way to tell it, and values that training never saw."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder
from tests.compiled.cases import Case

from scoreline.bundle.as_pandas import as_pandas
from scoreline.compiled.answers import Answers
from scoreline.compiled.matrix import Encoding, layout_of
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.tree_model import TreeModel, compile_trees
from scoreline.compiled.way import Way, no_look_up

CATEGORY = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema([("amount", pa.float64()), ("city", CATEGORY), ("level", pa.int64())])
CITIES = [f"city {number:03}" for number in range(40)]
PARAMETERS: dict[str, Any] = {"max_iter": 4, "min_samples_leaf": 3, "random_state": 0}


class Categories(Case):
    """Frames as pandas reads them."""

    def frame(self, table: pa.Table, schema: pa.Schema) -> pd.DataFrame:
        return as_pandas(table, schema, {})


def rows(count: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        [
            pa.array(rng.normal(0, 1, count), mask=rng.random(count) < 0.1),
            pa.array(rng.choice(CITIES, count), mask=rng.random(count) < 0.1).dictionary_encode(),
            pa.array(rng.integers(0, 5, count), mask=rng.random(count) < 0.2),
        ],
        schema=pa.schema([SCHEMA.field("amount"), SCHEMA.field("city"), SCHEMA.field("level")]),
    )


def by_type(model: Any) -> Any:
    return model.set_params(categorical_features="from_dtype")


def by_name(model: Any) -> Any:
    return model.set_params(categorical_features=["level", "city"])


def by_place(model: Any) -> Any:
    # Codes of an encoder, and whole numbers as they are: 0 and 1 of the matrix.
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    features = make_column_transformer((encoder, ["city"]), ("passthrough", ["level", "amount"]))
    return make_pipeline(features, model.set_params(categorical_features=[0, 1]))


def by_mask(model: Any) -> Any:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=99)
    features = make_column_transformer((SimpleImputer(), ["amount"]), (encoder, ["city"]))
    return make_pipeline(features, model.set_params(categorical_features=[False, True]))


TOLD = {"by_type": by_type, "by_name": by_name, "by_place": by_place, "by_mask": by_mask}


@cache
def fitted(told: str, target: str, **others: Any) -> Case:
    table = rows(500, 1)
    regressor = target == "number"
    model = (HistGradientBoostingRegressor if regressor else HistGradientBoostingClassifier)(**{**PARAMETERS, **others})
    city = np.array([int((value or "city 007")[5:]) for value in table["city"].to_pylist()])
    score = np.sin(city) + np.nan_to_num(table["level"].to_numpy()) % 3
    y = score if regressor else np.digitize(score, [0.6] if target == "two" else [0.3, 1.0])
    return Categories(TOLD[told](model).fit(as_pandas(table, SCHEMA, {}), y), SCHEMA)


def compiled(case: Case) -> tuple[Way, TreeModel | NotCompilable]:
    encoding = Encoding(case.plan, case.schema, case.frame, no_look_up)
    blocks = encoding.blocks(rows(50, 2))
    model = compile_trees(case.plan, layout_of(blocks, encoding.stacked(blocks, 50)))
    derive = model.derive if isinstance(model, TreeModel) else no_look_up
    return Way(Encoding(case.plan, case.schema, case.frame, derive), case.plan.model), model


def of_kernels(case: Case, table: pa.Table) -> Answers:
    way, model = compiled(case)
    assert isinstance(model, TreeModel), model
    assert any(tree.members for tree in model.ensemble.trees)
    return model.answers(way.encoding.blocks(table), table.num_rows, proba=case.proba)


@pytest.mark.parametrize("target", ["two", "three", "number"])
@pytest.mark.parametrize("told", TOLD)
def test_many_rows_are_answered_to_the_last_bit(told: str, target: str) -> None:
    case, table = fitted(told, target), rows(3_000, 3)
    assert of_kernels(case, table).agrees(case.reference(table, case.proba), 0)


VALUES = st.tuples(
    st.one_of(st.none(), st.floats(-3, 3)),
    st.one_of(st.none(), st.sampled_from([*CITIES[:5], "", "nowhere", "city 99"])),
    st.one_of(st.none(), st.integers(-2, 300), st.sampled_from([255, 256, 257, 2**40])),
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(TOLD)), st.sampled_from(["two", "number"]), st.lists(VALUES, min_size=2, max_size=30))
def test_missing_and_unknown_categories_go_where_scikit_learn_sends_them(
    told: str, target: str, values: list[tuple[Any, Any, Any]]
) -> None:
    columns = [pa.array(column, field.type) for column, field in zip(zip(*values, strict=True), SCHEMA, strict=True)]
    case, table = fitted(told, target), pa.table(columns, schema=SCHEMA)
    assert of_kernels(case, table).agrees(case.reference(table, case.proba), 0)


@pytest.mark.parametrize("told", ["by_type", "by_place"])
def test_the_model_without_its_preprocessor_answers_alike(told: str) -> None:
    case, table = fitted(told, "three"), rows(300, 4)
    way, _ = compiled(case)
    assert way.answers(table, proba=True).agrees(case.reference(table, True), 0)


def test_deep_trees_with_categories_are_not_compiled() -> None:
    _, model = compiled(fitted("by_type", "number", max_leaf_nodes=None, min_samples_leaf=1))
    assert isinstance(model, NotCompilable)
    assert "categories" in model.reason


def test_categories_made_by_a_one_hot_encoder_are_not_compiled() -> None:
    table = rows(500, 1)
    features = make_column_transformer((OneHotEncoder(sparse_output=False), ["level"]), ("passthrough", ["amount"]))
    mask = [True] * 6 + [False]
    model = HistGradientBoostingRegressor(**PARAMETERS, categorical_features=mask)
    level = np.nan_to_num(table["level"].to_numpy())
    case = Categories(make_pipeline(features, model).fit(as_pandas(table, SCHEMA, {}), level), SCHEMA)
    assert isinstance(compiled(case)[1], NotCompilable)


def test_infinite_categories_are_left_to_scikit_learn() -> None:
    table = rows(500, 1)
    features = make_column_transformer((FunctionTransformer(np.round), ["amount"]), ("passthrough", ["level"]))
    model = HistGradientBoostingRegressor(**PARAMETERS, categorical_features=[0])
    amount = np.round(np.nan_to_num(table["amount"].to_numpy()))
    case = Categories(make_pipeline(features, model).fit(as_pandas(table, SCHEMA, {}), amount), SCHEMA)
    wrong = table.slice(0, 2).set_column(0, "amount", pa.array([1.0, np.inf]))
    assert case.expected(wrong, False) is None
    assert of_kernels(case, table).agrees(case.reference(table, False), 0)
    with pytest.raises(Exception, match="infinite"):
        of_kernels(case, wrong)
