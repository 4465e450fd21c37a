"""A plan says which transformer makes which columns, or why nobody can tell."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from scoreline.compiled.plan import NotCompilable, Plan, read

SCHEMA = pa.schema([("city", pa.string()), ("sex", pa.string()), ("amount", pa.float64()), ("age", pa.int64())])
FRAME = pd.DataFrame(
    {"city": ["Natal", "Olinda", None], "sex": ["F", "M", "F"], "amount": [1.0, 2.0, 3.0], "age": [30.0, 40.0, 50.0]}
)
LABELS = np.array(["a", "b", "a"])


def plan_of(*steps: object, schema: pa.Schema = SCHEMA) -> Plan | NotCompilable:
    pipeline = make_pipeline(*steps, DummyClassifier()).fit(FRAME[schema.names], LABELS)
    return read(pipeline, None, schema, named=True)


def plan(*steps: object) -> Plan:
    found = plan_of(*steps)
    assert isinstance(found, Plan)
    return found


def reason(found: Plan | NotCompilable) -> str:
    assert isinstance(found, NotCompilable)
    return found.reason


def test_encoders_of_text_are_told_by_distinct_values() -> None:
    columns = ColumnTransformer([("t", OneHotEncoder(), ["city", "sex"]), ("n", StandardScaler(), ["amount"])])
    one_hot, scaled = plan(columns).branches
    assert (one_hot.columns, one_hot.widths) == (("city", "sex"), (3, 2))
    assert (scaled.columns, scaled.widths) == (("amount",), None)


def test_nested_pipelines_are_taken_apart() -> None:
    inner = make_pipeline(ColumnTransformer([("t", OrdinalEncoder(), ["sex"])]), "passthrough")
    found = plan(inner, make_pipeline(StandardScaler()))
    assert [type(step) for step in found.after] == [StandardScaler]
    assert [branch.widths for branch in found.branches] == [(1,)]


def test_an_encoder_of_whole_numbers_is_told_by_distinct_values_and_one_of_fractions_is_not() -> None:
    found = plan(ColumnTransformer([("a", OrdinalEncoder(), ["age"]), ("b", OrdinalEncoder(), ["amount"])]))
    assert [branch.widths for branch in found.branches] == [(1,), None]


def test_a_function_of_the_user_is_called_with_all_rows() -> None:
    functions = make_pipeline(FunctionTransformer(lambda frame: frame.fillna("?")), OneHotEncoder())
    assert plan(ColumnTransformer([("t", functions, ["city"])])).branches[0].widths is None


def test_a_column_by_itself_is_given_as_a_series() -> None:
    lengths = FunctionTransformer(lambda column: column.str.len().to_numpy().reshape(-1, 1))
    assert plan(ColumnTransformer([("t", lengths, "sex")])).branches[0].flat


def test_dropped_and_empty_selections_make_nothing() -> None:
    columns = ColumnTransformer([("x", "drop", ["city"]), ("y", StandardScaler(), []), ("z", OneHotEncoder(), ["sex"])])
    assert [branch.columns for branch in plan(columns).branches] == [("sex",)]


def test_a_search_stands_for_the_best_it_found() -> None:
    columns = ColumnTransformer([("t", OneHotEncoder(), ["sex"])])
    frame, answers = pd.concat([FRAME] * 4), np.tile(LABELS, 4)
    search = GridSearchCV(make_pipeline(columns, LogisticRegression()), {"logisticregression__C": [1.0]}, cv=2)
    found = read(search.fit(frame, answers), None, SCHEMA, named=True)
    assert isinstance(found, Plan)
    assert type(found.model) is LogisticRegression


def test_a_transformer_and_a_model_apart_are_one_plan() -> None:
    columns = ColumnTransformer([("t", OneHotEncoder(), ["sex"])]).fit(FRAME)
    model = DummyClassifier().fit(columns.transform(FRAME), LABELS)
    found = read(model, columns, SCHEMA, named=True)
    assert isinstance(found, Plan)
    assert found.model is model


def test_a_model_that_takes_features_by_name_is_left_alone() -> None:
    columns = ColumnTransformer([("t", OneHotEncoder(sparse_output=False), ["sex"])]).fit(FRAME)
    model = DummyClassifier().fit(pd.DataFrame(columns.transform(FRAME), columns=["f", "m"]), LABELS)
    model.feature_names_in_ = np.array(["f", "m"], dtype=object)
    assert "by name" in reason(read(model, columns, SCHEMA, named=True))


def test_frames_from_transformers_are_left_alone() -> None:
    columns = ColumnTransformer([("t", OneHotEncoder(sparse_output=False), ["sex"])])
    assert "does not give arrays" in reason(plan_of(columns.set_output(transform="pandas")))
    inside = plan(ColumnTransformer([("t", StandardScaler(), ["amount"])]))
    scaler = inside.branches[0].transformer.set_output(transform="pandas")
    assert "does not give arrays" in reason(read(make_pipeline(scaler, inside.model), None, SCHEMA, named=True))


def test_weights_are_left_alone() -> None:
    columns = ColumnTransformer([("t", OneHotEncoder(), ["sex"])], transformer_weights={"t": 2.0})
    assert "weighs" in reason(plan_of(columns))


@pytest.mark.parametrize("model", [PCA(), StandardScaler()])
def test_what_does_not_predict_is_left_alone(model: object) -> None:
    pipeline = Pipeline([("last", model)]).fit(FRAME[["amount", "age"]])
    assert "does not predict" in reason(read(pipeline, None, SCHEMA, named=True))


def test_arrays_are_numbers_only() -> None:
    numbers = pa.schema([SCHEMA.field("amount"), SCHEMA.field("age")])
    pipeline = make_pipeline(StandardScaler(), DummyClassifier()).fit(FRAME[["amount", "age"]].to_numpy(), LABELS)
    found = read(pipeline, None, numbers, named=False)
    assert isinstance(found, Plan)
    assert found.as_array
    assert "array of objects" in reason(read(pipeline, None, SCHEMA, named=False))


@pytest.mark.parametrize(("before", "widths"), [([], (2,)), ([SimpleImputer(strategy="most_frequent")], None)])
def test_categories_of_pandas_are_encoded_by_value_where_an_encoder_comes_first(before: list[Any], widths: Any) -> None:
    schema = pa.schema([pa.field("sex", pa.dictionary(pa.int32(), pa.string()))])
    frame = FRAME[["sex"]].astype("category")
    pipeline = make_pipeline(make_pipeline(*before, OneHotEncoder()), DummyClassifier()).fit(frame, LABELS)
    columns = make_pipeline(ColumnTransformer([("t", pipeline[0], ["sex"])]), DummyClassifier()).fit(frame, LABELS)
    found = read(columns, None, schema, named=True)
    assert isinstance(found, Plan)
    assert found.branches[0].widths == widths


def test_an_instance_with_a_method_of_its_own_is_left_alone() -> None:
    columns = ColumnTransformer([("n", make_pipeline(SimpleImputer(), StandardScaler()), ["amount"])])
    pipeline = make_pipeline(columns, LogisticRegression()).fit(FRAME, LABELS)
    assert isinstance(read(pipeline, None, SCHEMA, named=True), Plan)
    for step in (pipeline[-1], pipeline[0].named_transformers_["n"][-1]):
        step.transform = step.predict = lambda values: values
        assert reason(read(pipeline, None, SCHEMA, named=True)).endswith("has methods of its own")
        del step.transform, step.predict
