import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier

from scoreline.errors import DataError
from scoreline.frame import family, markers_of, selected_columns, to_frame, to_read

SCHEMA = pa.schema(
    [
        pa.field("code", pa.int32()),
        pa.field("sure", pa.int16(), nullable=False),
        pa.field("flag", pa.bool_()),
        pa.field("yes", pa.bool_(), nullable=False),
        pa.field("price", pa.decimal128(9, 2)),
        pa.field("x", pa.float64()),
        pa.field("small", pa.float32()),
        pa.field("city", pa.string()),
        pa.field("sex", pa.dictionary(pa.int8(), pa.string())),
        pa.field("day", pa.date32()),
        pa.field("at", pa.timestamp("ns", "America/Sao_Paulo")),
        pa.field("nothing", pa.null()),
    ]
)
FIRST = dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)
ROWS = [
    (1, 5, True, False, Decimal("1.50"), 0.5, 0.1, "Recife", "F", FIRST.date(), FIRST, None),
    (None, 6, None, True, None, None, None, None, None, None, None, None),
    (3, 7, False, True, Decimal("-2.25"), float("nan"), 2.0, "São Paulo", "M", FIRST.date(), FIRST, None),
]
DTYPES = ["float64", "int64", "float64", "bool", "float64", "float64", "float32", "str", "str", "datetime64[us]"]


def table_of(rows: list[tuple]) -> pa.Table:
    columns = [pa.array([row[i] for row in rows], field.type) for i, field in enumerate(SCHEMA)]
    return pa.table(columns, schema=SCHEMA)


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[1:2], ROWS[:0]], ids=["all", "no nulls", "nulls", "no rows"])
def test_a_frame_in_blocks_is_the_same_frame(rows: list[tuple]) -> None:
    for markers in ({}, {"city": None, "x": None, "code": None}):
        expected = to_frame(table_of(rows), SCHEMA, markers)
        pd.testing.assert_frame_equal(to_read(table_of(rows), SCHEMA, markers), expected)


def test_frames_of_the_same_columns_have_names_of_their_own() -> None:
    one, other = to_frame(table_of(ROWS), SCHEMA), to_frame(table_of(ROWS), SCHEMA)
    one.columns.name = "features"
    assert other.columns.name is None
    assert to_frame(table_of(ROWS), SCHEMA).columns.name is None


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[1:2], ROWS[:0]], ids=["all", "no nulls", "nulls", "no rows"])
def test_dtypes_depend_on_the_schema_alone(rows: list[tuple]) -> None:
    frame = to_frame(table_of(rows), SCHEMA)
    assert [str(dtype) for dtype in frame.dtypes] == [*DTYPES, "datetime64[us, America/Sao_Paulo]", "float64"]


def test_parts_make_the_frame_of_the_whole() -> None:
    table = table_of(ROWS * 3)
    parts = [to_frame(part, SCHEMA) for part in (table[:4], table[4:4], table[4:])]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), to_frame(table, SCHEMA))


def test_values_and_nulls_arrive() -> None:
    frame = to_frame(table_of(ROWS), SCHEMA)
    assert frame.loc[0, ["code", "flag", "price", "city", "sex"]].tolist() == [1.0, 1.0, 1.5, "Recife", "F"]
    assert frame["at"][0] == pd.Timestamp(FIRST)
    assert frame["day"].tolist()[0] == pd.Timestamp("2024-02-29")
    assert frame.isna().sum().tolist() == [1, 0, 1, 0, 1, 2, 1, 1, 1, 1, 1, 3]


def test_columns_come_in_the_order_of_the_schema_whatever_their_encoding() -> None:
    table = pa.table({"b": pa.array(["x", "y"]).dictionary_encode(), "extra": [1, 2], "a": ["u", None]})
    schema = pa.schema([pa.field("a", pa.dictionary(pa.int32(), pa.string())), pa.field("b", pa.string())])
    assert to_frame(table, schema).equals(pd.DataFrame({"a": ["u", np.nan], "b": ["x", "y"]}, dtype="str"))


def test_several_chunks_with_dictionaries_of_their_own_are_decoded() -> None:
    chunks = [pa.array(["a", None]).dictionary_encode(), pa.array(["b", "a"]).dictionary_encode()]
    table, schema = pa.table({"t": pa.chunked_array(chunks)}), pa.schema([pa.field("t", pa.string())])
    assert to_frame(table, schema)["t"].tolist()[2:] == ["b", "a"]
    assert to_frame(table, schema, {"t": None})["t"].tolist() == ["a", None, "b", "a"]


@pytest.mark.parametrize("values", [["a", None], [], ["b", "b"]])
def test_a_marker_of_none_gives_objects_with_none(values: list[str | None]) -> None:
    frame = to_frame(pa.table({"t": pa.array(values, pa.string())}), pa.schema([("t", pa.string())]), {"t": None})
    assert frame["t"].dtype == object
    assert frame["t"].tolist() == values


def test_numbers_with_the_marker_none_keep_their_values() -> None:
    frame = to_frame(pa.table({"n": [1, None, 3]}), pa.schema([("n", pa.int64())]), {"n": None})
    assert frame["n"].tolist() == [1, None, 3]


@pytest.mark.parametrize("columns", [1, np.int64(1), np.uint8(1), [np.int64(1)], np.array([1])])
def test_a_column_may_be_selected_by_any_whole_number(columns: Any) -> None:
    assert selected_columns(columns, ["a", "b", "c"]) == ["b"]


@pytest.mark.parametrize(
    ("categories", "marker"),
    [(["a", None], None), (["a", np.nan], np.nan), (["a", None, np.nan], np.nan)],
)
def test_a_null_is_given_as_pandas_reads_it_where_an_encoder_knows_both(categories: list[Any], marker: Any) -> None:
    encoder = OneHotEncoder(categories=[np.array(categories, dtype=object)]).fit(np.array([["a"]], dtype=object))
    assert str(markers_of(encoder, ["t"])["t"]) == str(marker)


def test_an_integer_that_float64_would_change_is_refused() -> None:
    table = pa.table({"id": [2**53 + 1, 1], "n": [1, 2]})
    with pytest.raises(DataError, match="column 'id'"):
        to_frame(table, pa.schema([("id", pa.int64()), ("n", pa.int64())]))
    kept = to_frame(table, pa.schema([pa.field("id", pa.int64(), nullable=False)]))
    assert kept["id"].tolist() == [2**53 + 1, 1]


def test_every_column_that_cannot_be_a_feature_is_named() -> None:
    table = pa.table({"tags": [["a"]], "n": [1], "place": [{"lat": 1.0}]})
    with pytest.raises(DataError) as caught:
        to_frame(table, table.schema)
    assert [problem.where for problem in caught.value.problems] == ["column 'tags'", "column 'place'"]


def test_a_null_where_none_is_allowed_is_refused() -> None:
    with pytest.raises(DataError, match="null in a column that allows none"):
        to_frame(pa.table({"n": [1, None]}), pa.schema([pa.field("n", pa.int64(), nullable=False)]))


@pytest.mark.parametrize(
    ("arrow_type", "expected"),
    [
        (pa.decimal128(5, 2), "number"),
        (pa.large_string(), "text"),
        (pa.null(), "other"),
        (pa.list_(pa.int8()), "other"),
    ],
)
def test_families(arrow_type: pa.DataType, expected: str) -> None:
    assert family(arrow_type) == expected


def objects(*values: object) -> pd.Series:
    return pd.Series(values, dtype=object)


NONES = pd.DataFrame({"a": objects("x", None, "y"), "b": objects("x", np.nan, "y"), "c": objects("x", "y", "y")})
TARGET = [0, 1, 1]


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder(), TargetEncoder()])
def test_the_marker_is_the_one_among_the_categories(encoder: object) -> None:
    markers = markers_of(encoder.fit(NONES, TARGET), list(NONES))
    assert markers["a"] is None
    assert np.isnan(markers["b"])
    assert "c" not in markers


@pytest.mark.parametrize("columns", [["b", "a"], [1, 0], slice("a", "b"), slice(0, 2), [True, True, False]])
def test_markers_are_found_inside_pipelines_and_column_transformers(columns: object) -> None:
    inner = Pipeline([("skip", "passthrough"), ("encode", OneHotEncoder(sparse_output=False))])
    outer = Pipeline([("columns", ColumnTransformer([("one", inner, columns)])), ("scale", StandardScaler())])
    markers = markers_of(outer.fit(NONES), list(NONES))
    assert markers["a"] is None
    assert np.isnan(markers["b"])


def test_an_imputer_of_none_asks_for_none_in_its_column_alone() -> None:
    imputer = SimpleImputer(missing_values=None, strategy="most_frequent")
    encode = Pipeline([("impute", imputer), ("encode", OneHotEncoder())])
    fitted = ColumnTransformer([("one", encode, ["a"]), ("two", OneHotEncoder(), ["b"])]).fit(NONES)
    markers = markers_of(FrozenEstimator(FeatureUnion([("u", fitted)])), list(NONES))
    assert markers["a"] is None
    assert np.isnan(markers["b"])


def test_the_frame_with_its_markers_meets_the_categories_it_was_fitted_with() -> None:
    encoder = OneHotEncoder(sparse_output=False).fit(NONES)
    table = pa.table({name: pa.array(["y", None, "x"], pa.string()) for name in "ab"} | {"c": ["y", "y", "x"]})
    frame = to_frame(table, table.schema, markers_of(encoder, list(NONES)))
    expected = encoder.transform(NONES.iloc[[2, 1, 0]].assign(c=["y", "y", "x"]))
    np.testing.assert_array_equal(encoder.transform(frame), expected)


def test_an_encoder_fitted_on_booleans_alone_takes_numbers_and_no_objects() -> None:
    frame = pd.DataFrame({"flag": [True, False], "b": ["x", "y"]})
    assert str(markers_of(OneHotEncoder().fit(frame), ["flag", "b"])["flag"]) == "nan"
    assert "b" not in markers_of(OneHotEncoder().fit(frame), ["flag", "b"])


def test_markers_are_found_in_models_that_vote() -> None:
    members = [(name, Pipeline([("encode", OneHotEncoder()), ("tree", DecisionTreeClassifier())])) for name in "ab"]
    assert markers_of(VotingClassifier(members).fit(NONES[["a"]], TARGET), ["a"]) == {"a": None}
