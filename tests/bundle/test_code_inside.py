"""What is defined elsewhere than in known packages is found wherever in a fitted object it is."""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from scoreline.bundle import code_inside
from scoreline.bundle.code_inside import brings_code

FRAME = pd.DataFrame({"city": ["a", "b", "c"] * 20, "x": np.linspace(-1, 1, 60)})
LABELS = np.array(["no", "yes"] * 30)
COLUMNS = ((OneHotEncoder(), ["city"]), (StandardScaler(), ["x"]))


def own(values: Any) -> Any:
    return values


class Own(BaseEstimator):
    """An estimator of the user."""

    def fit(self, *_: Any) -> Own:
        return self

    def transform(self, values: Any) -> Any:
        return values


class OwnTree(DecisionTreeClassifier):
    """A tree of the user."""


@wraps(np.log1p)
def disguised(values: Any) -> Any:
    return own(values)


def around(function: Any) -> Any:
    def inner(values: Any) -> Any:
        return function(values)

    inner.__module__ = "numpy"
    return inner


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        LogisticRegressionCV(cv=KFold(3)),
        RandomForestClassifier(3),
        GradientBoostingClassifier(n_estimators=3),
        HistGradientBoostingClassifier(max_iter=3),
        KNeighborsClassifier(),
        SVC(),
        GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}),
    ],
)
def test_what_scikit_learn_and_python_define_is_known(model: Any) -> None:
    assert not brings_code([make_pipeline(make_column_transformer(*COLUMNS), model).fit(FRAME, LABELS)])


@pytest.mark.parametrize(
    "known",
    [
        FunctionTransformer(np.log1p),
        FunctionTransformer(expit),
        FunctionTransformer(partial(np.clip, a_min=0)),
        TargetEncoder(),
        FrozenEstimator(StandardScaler()),
        np.array(["text", None, 1.5], dtype=object),
    ],
)
def test_functions_of_numpy_and_scipy_are_known(known: Any) -> None:
    assert not brings_code([known])


def tampered() -> Pipeline:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    pipeline[-1].predict = partial(own, 1)
    return pipeline


def with_own_tree() -> RandomForestClassifier:
    forest = RandomForestClassifier(2).fit(FRAME[["x"]], LABELS)
    forest.estimators_[1] = OwnTree()
    return forest


@pytest.mark.parametrize(
    "brought",
    [
        Own(),
        Own,
        own,
        FunctionTransformer(own),
        FunctionTransformer(lambda values: values),
        FunctionTransformer(np.vectorize(own)),
        FunctionTransformer(np.frompyfunc(own, 1, 1)),
        FunctionTransformer(np.apply_along_axis, kw_args={"func1d": own, "axis": 0}),
        FunctionTransformer(partial(partial, own)),
        FunctionTransformer(Own().transform),
        FunctionTransformer(disguised),
        FunctionTransformer(around(own)),
        FrozenEstimator(make_pipeline(FunctionTransformer(own))),
        make_column_transformer((Own(), ["x"]), remainder="passthrough").fit(FRAME),
        tampered(),
        with_own_tree(),
        np.array([[own]], dtype=object),
        np.array([(own,)], dtype=[("a", object)]),
        {"a": [({own},)]},
    ],
)
def test_code_of_the_user_is_found_wherever_it_is(brought: Any) -> None:
    assert brings_code([StandardScaler(), brought])


def test_what_holds_too_much_to_look_at_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_inside, "_MOST", 100)
    assert not brings_code([[1.5, 2.5]])
    assert brings_code([[float(number) for number in range(200)]])


def test_an_object_that_holds_itself_is_looked_at_once() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert not brings_code([circle])
