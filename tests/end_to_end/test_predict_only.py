"""Handed-over artifacts predict what plain scikit-learn predicts, on whatever Parquet and CSV they are given."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import (
    ColumnTransformer,
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tests.end_to_end.handing_over import Desk, assert_same, hand_over

pytestmark = pytest.mark.end_to_end

NUMBERS = ["x", "narrow", "count", "small"]


def three_labels(frame: pd.DataFrame) -> np.ndarray:
    score = frame["x"] + frame["count"] / 4 - 1 + (frame["city"] == "Natal")
    return np.select([score > 0.8, score > 0], ["yes", "maybe"], "no")


def check(desk: Desk, model: Any, columns: list[str], suffix: str = ".joblib", target: Any = None) -> None:
    """Fit on the data, hand over, score, and compare labels and probabilities."""
    frame = desk.frame[columns]
    model.fit(frame, three_labels(desk.frame) if target is None else target)
    proba = hasattr(model, "predict_proba")
    found = desk.score(hand_over(model, desk.folder / f"model{suffix}"), predict={"proba": proba, "batch_rows": 32})
    assert_same(found, model.predict(frame), *((model.predict_proba(frame), model.classes_) if proba else ()))


def mixed() -> ColumnTransformer:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer(
        [("number", numbers, ["x", "x_null", "count_null"]), ("text", texts, ["city", "city_null", "flag", "level"])]
    )


FORMATS = [".skops", ".joblib", ".pkl", ".pickle", ".dill", ".JOBLIB", ".SKOPS"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_pipeline_predicts_as_plain_scikit_learn_in_every_format(desk: Desk, suffix: str) -> None:
    check(desk, make_pipeline(mixed(), LogisticRegression()), desk.frame.columns.tolist(), suffix)


SELECTIONS = {
    "selector": ColumnTransformer(
        [
            ("number", StandardScaler(), make_column_selector(dtype_include="number")),
            ("text", OneHotEncoder(), make_column_selector(dtype_include=["str", "category"])),
        ]
    ),
    "positions": ColumnTransformer([("number", StandardScaler(), [0, 2]), ("text", OneHotEncoder(), [-1, 4])]),
    "slice": ColumnTransformer([("number", StandardScaler(), slice("x", "count"))]),
    "remainder": ColumnTransformer([("text", OneHotEncoder(), ["city", "level"])], remainder="passthrough"),
    "pandas": ColumnTransformer(
        [("text", OneHotEncoder(sparse_output=False), ["city", "level"])], remainder="passthrough"
    ).set_output(transform="pandas"),
    "nested": make_pipeline("passthrough", make_pipeline(ColumnTransformer([("number", StandardScaler(), NUMBERS)]))),
    "sparse": make_pipeline(OneHotEncoder(handle_unknown="ignore"), TruncatedSVD(3, random_state=0)),
}


@pytest.mark.parametrize("selection", SELECTIONS)
def test_columns_are_chosen_as_the_pipeline_chooses_them(desk: Desk, selection: str) -> None:
    columns = ["x", "narrow", "count", "small", "city", "level"]
    check(desk, make_pipeline(clone(SELECTIONS[selection]), DecisionTreeClassifier(random_state=0)), columns)


CLASSIFIERS = [
    RandomForestClassifier(9, n_jobs=2, random_state=0),
    CalibratedClassifierCV(GaussianNB(), cv=2, method="isotonic"),
    CalibratedClassifierCV(SVC(random_state=0), cv=2),
    SVC(),
    LinearSVC(random_state=0),
    KNeighborsClassifier(),
    MLPClassifier((4,), max_iter=400, tol=0.05, random_state=0),
    GaussianNB(),
    VotingClassifier([("a", LogisticRegression(max_iter=500)), ("b", GaussianNB())], voting="soft"),
    GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [0.1, 1.0]}, cv=2),
    GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 3]}, cv=2, scoring="f1_macro"),
]
REGRESSORS = [
    Ridge(),
    StackingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=3, random_state=0))], cv=2),
    TransformedTargetRegressor(LinearRegression(), func=np.log1p, inverse_func=np.expm1),
    HistGradientBoostingRegressor(max_iter=5),
    make_pipeline(FunctionTransformer(np.arctan), StandardScaler(), LinearRegression()),
    IsolationForest(n_estimators=9, random_state=0),
]


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: type(model).__name__)
def test_classifiers_give_their_labels_and_probabilities(desk: Desk, model: Any) -> None:
    check(desk, clone(model), NUMBERS, ".skops")


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda model: type(model).__name__)
def test_models_without_classes_give_their_numbers(desk: Desk, model: Any) -> None:
    check(desk, clone(model), NUMBERS, ".skops", target=desk.frame["count"] * 1.5 + desk.frame["x"] ** 2)


LABELS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "text": three_labels,
    "pandas text": lambda frame: pd.Series(three_labels(frame), dtype="str"),
    "objects": lambda frame: three_labels(frame).astype(object),
    "integers": lambda frame: frame["small"].to_numpy() % 3 * 10,
    "booleans": lambda frame: frame["x"].to_numpy() > 0,
    "floats": lambda frame: frame["count"].to_numpy() % 2 * 1.0,
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_keep_their_type(desk: Desk, kind: str) -> None:
    check(desk, DecisionTreeClassifier(max_depth=4), NUMBERS, target=LABELS[kind](desk.frame))


def test_gradient_boosting_takes_nulls_and_categories_as_they_are(desk: Desk) -> None:
    model = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype")
    check(desk, model, ["x", "x_null", "count_null", "level", "level_null"], ".skops")


@pytest.mark.parametrize("suffix", [".skops", ".joblib"])
def test_lightgbm_predicts_labels_of_text(desk: Desk, suffix: str) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    check(desk, lightgbm.LGBMClassifier(n_estimators=5, verbose=-1), ["x", "x_null", "count_null", "flag"], suffix)


def test_lightgbm_takes_categories_as_they_are(desk: Desk) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    check(desk, lightgbm.LGBMClassifier(n_estimators=5, verbose=-1), ["x", "x_null", "level", "level_null"])


@pytest.mark.parametrize("suffix", [".skops", ".joblib"])
def test_xgboost_predicts_numbered_labels(desk: Desk, suffix: str) -> None:
    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=5, enable_categorical=True)
    check(desk, model, ["x", "x_null", "count_null", "level"], suffix, target=desk.frame["small"] % 3)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(str)


def as_last_characters(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.map(lambda value: str(value)[-4:])


def as_hours(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype("int64") // 3_600_000_000_000


AS_READ = {
    "count": as_text,
    "count_null": as_text,
    "small": as_text,
    "narrow": as_last_characters,
    "flag": as_text,
    "flag_null": as_text,
    "level_null": as_text,
    "price": as_last_characters,
    "day": as_last_characters,
    "day_null": as_last_characters,
    "at": as_hours,
}


@pytest.mark.parametrize("column", AS_READ)
def test_own_functions_see_what_pandas_reads(desk: Desk, column: str) -> None:
    learn = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=300))
    check(
        desk, make_pipeline(FunctionTransformer(AS_READ[column]), *(step for _, step in learn.steps)), [column], ".dill"
    )


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()])
def test_encoders_meet_the_categories_they_were_fitted_on(desk: Desk, encoder: Any) -> None:
    names = ["count", "count_null", "flag", "flag_null", "city_null", "level_null", "price", "day", "day_null"]
    check(desk, make_pipeline(clone(encoder), DecisionTreeClassifier(random_state=0)), names)


@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]"])
@pytest.mark.parametrize("nulls", [True, False])
def test_booleans_that_pandas_wrote_in_a_dtype_of_its_own_are_read_so(tmp_path: Path, dtype: str, nulls: bool) -> None:
    # scikit-learn makes numbers of them, whose nulls an imputer fills, but objects of those of NumPy.
    flags = [None if nulls and row % 9 == 0 else row % 3 == 0 for row in range(300)]
    desk = Desk(tmp_path, tmp_path / "in")
    desk.data.mkdir()
    frame = pd.DataFrame({"x": np.arange(300) % 7, "flag": pd.Series(flags, dtype=dtype)})
    for number, part in enumerate((frame[:100], frame[100:])):
        part.to_parquet(desk.data / f"part-{number}.parquet", index=False)
    steps = SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    model = make_pipeline(make_column_transformer((make_pipeline(*steps), ["flag"])), DecisionTreeClassifier())
    check(desk, model, ["flag"], target=np.where(frame["flag"].fillna(value=False), "yes", "no"))
