"""Fitted pipelines, tables to answer for, and scikit-learn's own answers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from scoreline.compiled.answers import Answers
from scoreline.compiled.plan import NotCompilable, Plan, read
from scoreline.frame import markers_of, to_frame

SCHEMA = pa.schema(
    [
        pa.field("city", pa.string()),
        pa.field("sex", pa.string()),
        pa.field("amount", pa.float64()),
        pa.field("share", pa.float32()),
        pa.field("age", pa.int64()),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("vip", pa.bool_(), nullable=False),
    ]
)
TEXTS, NUMBERS = ["city", "sex"], ["amount", "share", "age", "count"]
CITIES = ["Natal", "Olinda", "Recife", "Porto", "Braga", "Ílhavo"]
UNKNOWN = ["", "nowhere", "nan", "None", "Recife "]

FLOATS = st.one_of(
    st.none(), st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1e30]), st.floats(-1e6, 1e6, width=32), st.just(float("nan"))
)
WHOLE = st.integers(-(2**31), 2**31)


def some_rows(count: int, seed: int = 0, *, nulls: bool = True) -> pa.Table:
    """Rows of every column, repeating values, nulls in one row of ten."""
    rng = np.random.default_rng(seed)
    missing = [rng.random(count) < (0.1 if nulls else 0) for _ in range(5)]
    return pa.table(
        [
            pa.array(rng.choice(CITIES, count), mask=missing[0]),
            pa.array(rng.choice(["F", "M"], count), mask=missing[1]),
            pa.array(rng.normal(100, 50, count), mask=missing[2]),
            pa.array(rng.random(count).astype(np.float32), mask=missing[3]),
            pa.array(rng.integers(18, 90, count), mask=missing[4]),
            pa.array(rng.integers(0, 9, count)),
            pa.array(rng.random(count) < 0.5),
        ],
        schema=SCHEMA,
    )


@st.composite
def tables(draw: st.DrawFn, *, unknown: bool = True, most: int = 40) -> pa.Table:
    """Any rows: nulls, unknown categories, NaN, large and tiny numbers; text plain, as a dictionary, and in chunks."""
    count = draw(st.integers(2, most))

    def column(values: st.SearchStrategy[Any], field: pa.Field) -> pa.ChunkedArray:
        drawn = draw(st.lists(values, min_size=count, max_size=count))
        cut = draw(st.integers(0, count))
        chunks = [pa.array(piece, field.type) for piece in (drawn[:cut], drawn[cut:])]
        whole = pa.chunked_array(chunks, field.type)
        encode = field.name in TEXTS and draw(st.booleans())
        return whole.dictionary_encode() if encode else whole

    extra = UNKNOWN if unknown else []
    values = {
        "city": st.sampled_from([*CITIES, None, *extra]),
        "sex": st.sampled_from(["F", "M", None, *extra]),
        "amount": FLOATS,
        "share": FLOATS.map(lambda x: None if x is None else float(np.float32(x))),
        "age": st.one_of(st.none(), WHOLE),
        "count": WHOLE,
        "vip": st.booleans(),
    }
    return pa.table({field.name: column(values[field.name], field) for field in SCHEMA})


@dataclass(frozen=True, eq=False)
class Case:
    """A fitted pipeline with all that compiling it needs."""

    pipeline: Any
    schema: pa.Schema

    def frame(self, table: pa.Table, schema: pa.Schema) -> pd.DataFrame:
        return to_frame(table, schema, markers_of(self.pipeline, self.schema.names))

    def reference(self, table: pa.Table, proba: bool) -> Answers:
        frame = self.frame(table, self.schema)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            answers = np.asarray(self.pipeline.predict(frame))
            return Answers(answers, self.pipeline.predict_proba(frame) if proba else None)

    def expected(self, table: pa.Table, proba: bool) -> Answers | None:
        """The answers of scikit-learn, None where it raises."""
        try:
            return self.reference(table, proba)
        except Exception:  # noqa: BLE001
            return None

    @property
    def plan(self) -> Plan:
        found = read(self.pipeline, None, self.schema, named=True)
        assert not isinstance(found, NotCompilable), found
        return found

    @property
    def proba(self) -> bool:
        return hasattr(self.pipeline, "predict_proba")


def numbers(kind: str) -> Any:
    """A transformer of numbers."""
    made: dict[str, Any] = {
        "standard": make_pipeline(SimpleImputer(), StandardScaler()),
        "unfilled": StandardScaler(),
        "min_max": make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler(clip=True)),
        "robust": make_pipeline(RobustScaler(), SimpleImputer(strategy="constant", fill_value=-1)),
        "max_abs": make_pipeline(SimpleImputer(strategy="most_frequent", add_indicator=True), MaxAbsScaler()),
        "quantile": make_pipeline(QuantileTransformer(n_quantiles=20), SimpleImputer()),
        "bins": make_pipeline(SimpleImputer(), KBinsDiscretizer(3, encode="onehot-dense", quantile_method="linear")),
        "function": make_pipeline(SimpleImputer(), FunctionTransformer(np.sqrt, validate=True), SimpleImputer()),
        "passthrough": "passthrough",
    }
    return made[kind]


def texts(kind: str) -> Any:
    """A transformer of text."""
    made: dict[str, Any] = {
        "one_hot": OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        "sparse": OneHotEncoder(handle_unknown="ignore"),
        "strict": OneHotEncoder(sparse_output=False),
        "dropped": OneHotEncoder(drop="first", handle_unknown="ignore", sparse_output=False),
        "infrequent": OneHotEncoder(min_frequency=30, handle_unknown="infrequent_if_exist", sparse_output=False),
        "float32": OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32),
        "ordinal": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
        "target": TargetEncoder(),
        "filled": make_pipeline(
            SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(handle_unknown="ignore")
        ),
    }
    return made[kind]


NUMBER_KINDS = ("standard", "unfilled", "min_max", "robust", "max_abs", "quantile", "bins", "function", "passthrough")
TEXT_KINDS = ("one_hot", "sparse", "strict", "dropped", "infrequent", "float32", "ordinal", "target", "filled")


def columns(number_kind: str, text_kind: str, **options: Any) -> ColumnTransformer:
    """Numbers and text, each by its transformer."""
    return ColumnTransformer([("n", numbers(number_kind), NUMBERS), ("t", texts(text_kind), TEXTS)], **options)


def labels(table: pa.Table, kind: str) -> np.ndarray:
    """A target that depends on the rows: two or four classes, or a number."""
    score = np.nan_to_num(table["amount"].to_numpy()) / 50 + 2 * np.array(
        table["city"].to_pylist() == np.array("Recife")
    )
    score = score + np.array([value == "F" for value in table["sex"].to_pylist()])
    if kind == "number":
        return np.asarray(np.abs(score) * 10)
    cuts = [2.5] if kind == "two" else [1.5, 2.5, 4]
    return np.array(["low", "mid", "high", "top"], dtype=object)[np.digitize(score, cuts)]


def fit(transformer: Any, model: Any, target: str = "four", *, nulls: bool = True, rows: int = 240) -> Case:
    """The two as a pipeline, fitted."""
    table = some_rows(rows, nulls=nulls)
    pipeline = Pipeline([("features", transformer), ("model", clone(model))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(to_frame(table, SCHEMA), labels(table, target))
    return Case(pipeline, SCHEMA)


@cache
def fitted(number_kind: str, text_kind: str, model: Any, target: str = "four", sparse_threshold: float = 0.3) -> Case:
    """A pipeline, fitted once."""
    return fit(columns(number_kind, text_kind, sparse_threshold=sparse_threshold), model, target)


def selector() -> ColumnTransformer:
    """Columns chosen by a callable, a slice, a mask, positions and the remainder."""
    return ColumnTransformer(
        [
            ("t", OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include=str)),
            ("n", make_pipeline(SimpleImputer(), StandardScaler()), slice("amount", "share")),
            ("m", SimpleImputer(), [False] * 4 + [True, False, False]),
            ("one", StandardScaler(), [5]),
        ],
        remainder="passthrough",
    )


def texts_alone(kind: str, model: Any) -> Case:
    """A pipeline of one transformer, of text alone, and a model."""
    schema = pa.schema([SCHEMA.field(name) for name in TEXTS])
    table = some_rows(200)
    pipeline = make_pipeline(texts(kind), clone(model))
    return Case(pipeline.fit(to_frame(table, schema), labels(table, "four")), schema)
