"""Whatever of scikit-learn can predict is served as it is: nothing is asked of an estimator but to be fitted."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators
from tests.end_to_end.handing_over import Desk, assert_same, everything, hand_over, write_parts

pytestmark = pytest.mark.end_to_end

COLUMNS = ["x", "count", "narrow", "flag", "city"]
MEMBERS = [("line", LogisticRegression()), ("tree", DecisionTreeClassifier(max_depth=3, random_state=0))]
NUMBERS = [("line", LinearRegression()), ("mean", LinearRegression(positive=True))]
MADE_WITH: dict[str, Any] = {
    "MultiOutputRegressor": {"estimator": LinearRegression()},
    "RegressorChain": {"estimator": LinearRegression()},
    "GridSearchCV": {"estimator": DecisionTreeClassifier(), "param_grid": {"max_depth": [2, 4]}},
    "RandomizedSearchCV": {
        "estimator": DecisionTreeClassifier(),
        "param_distributions": {"max_depth": [2]},
        "n_iter": 1,
    },
    "SelfTrainingClassifier": {"estimator": LogisticRegression()},
    "StackingClassifier": {"estimators": MEMBERS},
    "VotingClassifier": {"estimators": MEMBERS},
    "StackingRegressor": {"estimators": NUMBERS},
    "VotingRegressor": {"estimators": NUMBERS},
    "GaussianRandomProjection": {"n_components": 3},
    "SparseRandomProjection": {"n_components": 3},
    "SparseCoder": {"dictionary": np.eye(3)},
    "CCA": {"n_components": 1},
    "PLSCanonical": {"n_components": 1},
    "LocalOutlierFactor": {"novelty": True},
    "RadiusNeighborsClassifier": {"radius": 9.0},
    "QuadraticDiscriminantAnalysis": {"reg_param": 0.5},
}
"""What is needed for an estimator to be made, and to be fitted on so few rows; most that wrap one are given this."""
OUT_OF_PLACE = {"IsotonicRegression", "FrozenEstimator", "Pipeline", "ColumnTransformer", "FeatureUnion", "PLSSVD"}
"""Those that take one column, what is fitted already, or steps; the last transforms the target, too."""
NO_NUMBERS = {
    "DictVectorizer",
    "KernelCenterer",
    "LabelBinarizer",
    "LabelEncoder",
    "MultiLabelBinarizer",
    "PatchExtractor",
}
"""Transformers of something else than columns of numbers; those of text are told by their names."""
SEVERAL = {"MultiOutputClassifier", "ClassifierChain", "MultiOutputRegressor", "RegressorChain"} | {
    name for name, _ in all_estimators() if name.startswith("MultiTask")
}
"""Those of several outputs alone, see `test_several_outputs`."""


def made(name: str, kind: Any) -> Any:
    with warnings.catch_warnings(action="ignore"):
        try:
            estimator = kind(**MADE_WITH.get(name, {}))
        except TypeError:
            estimator = kind(estimator=LogisticRegression())
    return estimator.set_params(**{"random_state": 0} if "random_state" in estimator.get_params() else {})


EVERY = {
    name: made(name, kind)
    for name, kind in all_estimators()
    if hasattr(kind, "predict") and name not in OUT_OF_PLACE | SEVERAL
}

TRANSFORMERS = {
    name: made(name, kind)
    for name, kind in all_estimators(type_filter="transformer")
    if name not in EVERY.keys() | OUT_OF_PLACE | SEVERAL | NO_NUMBERS
    and hasattr(kind, "transform")
    and not name.endswith(("Vectorizer", "Hasher"))
}


def target(estimator: Any, frame: pd.DataFrame) -> Any:
    amount = frame["x"] + (frame["city"] == "Natal") + frame["count"] / 9
    if is_regressor(estimator):
        return np.exp(amount / 2).to_numpy()
    binary = type(estimator).__name__.endswith(("ThresholdClassifier", "ThresholdClassifierCV"))
    return np.digitize(amount, [0.5] if binary else [0.2, 1.0])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    return Desk(folder, write_parts(folder / "in", everything(), 90, 91))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", EVERY)
def test_an_estimator_answers_as_it_does_by_itself(desk: Desk, tmp_path: Path, name: str) -> None:
    estimator = clone(EVERY[name])
    columns = make_column_transformer((OneHotEncoder(), ["city"]), remainder=MinMaxScaler(), sparse_threshold=0)
    pipeline = make_pipeline(columns, estimator).fit(desk.frame[COLUMNS], target(estimator, desk.frame))
    gives = hasattr(pipeline, "predict_proba")
    found = Desk(tmp_path, desk.data).score(hand_over(pipeline, tmp_path / "model.joblib"), predict={"proba": gives})
    proba = pipeline.predict_proba(desk.frame) if gives else None
    labels = getattr(pipeline, "classes_", range(proba.shape[1])) if proba is not None else ()
    assert_same(found, pipeline.predict(desk.frame).reshape(len(found)), proba, list(labels))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_makes_features_as_it_does_by_itself(desk: Desk, tmp_path: Path, name: str) -> None:
    numbers = make_pipeline(MinMaxScaler(), clone(TRANSFORMERS[name]))
    columns = make_column_transformer((numbers, ["x", "count", "narrow"]), (OneHotEncoder(), ["city"]))
    model = LogisticRegression()
    pipeline = make_pipeline(columns, model).fit(desk.frame[COLUMNS], target(model, desk.frame))
    found = Desk(tmp_path, desk.data).score(hand_over(pipeline, tmp_path / "model.joblib"))
    assert_same(found, pipeline.predict(desk.frame))
