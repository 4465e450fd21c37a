"""Rows that are alike in what is not finite are refused together, exactly as if each of them had been asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from scoreline.bundle import bisection, not_finite
from scoreline.bundle.bisection import MANY, predict_or_refuse
from scoreline.bundle.fitted import Fitted
from scoreline.errors import ModelError

if TYPE_CHECKING:
    from scoreline.bundle.bisection import Outcome

COLUMNS = ("x", "z", "city")
ODD = [1.0, -1.0, 0.25, np.nan, np.inf, -np.inf, 1e300, float(np.finfo(np.float32).max) * (1 + 1e-9)]


def frame_of(x: list[float], z: list[float]) -> pd.DataFrame:
    cities = np.resize(np.array(["Natal", "Olinda", "Recife"], dtype=object), len(x))
    return pd.DataFrame({"x": np.array(x, np.float64), "z": np.array(z, np.float64), "city": cities})


def fitted(model: Any, *steps: Any, sparse: bool = False) -> Fitted:
    draw = np.random.default_rng(0)
    train = frame_of(draw.normal(size=60).tolist(), draw.normal(size=60).tolist())
    columns = make_column_transformer(
        (OneHotEncoder(), ["city"]), remainder=StandardScaler(), sparse_threshold=1.0 if sparse else 0.0
    )
    target = (train["x"] + train["z"] > 0).to_numpy()
    return Fitted(make_pipeline(columns, *steps, model).fit(train, target), None, COLUMNS, named=True)


# Its inner steps make a missing number of their own where `z` is negative, and fill the one that is there.
FUSSY = make_pipeline(FunctionTransformer(np.nan_to_num), FunctionTransformer(np.sqrt), LogisticRegression())

MODELS = {
    "linear": fitted(LogisticRegression()),
    "sparse": fitted(LogisticRegression(), sparse=True),
    "regressor": fitted(Ridge()),
    "neighbours": fitted(KNeighborsClassifier(3)),
    "support vectors": fitted(SVC()),
    "bayes": fitted(GaussianNB()),
    "forest": fitted(RandomForestClassifier(n_estimators=3, max_depth=3, random_state=0)),
    "boosting": fitted(HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=5)),
    "after components": fitted(LogisticRegression(), PCA(2)),
    "after roots": fitted(LogisticRegression(), FunctionTransformer(np.cbrt)),
    "voting": fitted(VotingClassifier([("one", LogisticRegression()), ("other", GaussianNB())])),
}


def told(outcome: Outcome) -> dict[int, Any]:
    """What became of each row; numbers that BLAS adds up may differ in their last bit with the rows beside them."""
    refused = {row: (each.reason, each.detail) for each in outcome.refusals for row in each.rows.tolist()}
    values = np.asarray(outcome.predictions)
    answers = np.round(values, 9) if values.dtype.kind == "f" else values
    return refused | dict(zip(outcome.positions.tolist(), answers.tolist(), strict=True))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(ODD), st.sampled_from(ODD)), min_size=1, max_size=50))
def test_the_same_rows_are_refused_with_the_same_words(name: str, rows: list[tuple[float, float]]) -> None:
    frame = frame_of([x for x, _ in rows], [z for _, z in rows])
    found = told(predict_or_refuse(MODELS[name], frame, proba=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bisection, "refused_alike", lambda *_: {})
        assert found == told(predict_or_refuse(MODELS[name], frame, proba=False))


@pytest.mark.filterwarnings("ignore")
def test_an_estimator_inside_of_the_last_step_may_make_missing_numbers_of_its_own() -> None:
    draw = np.random.default_rng(0)
    train = frame_of(abs(draw.normal(size=60)).tolist(), abs(draw.normal(size=60)).tolist())[["x", "z"]]
    voting = VotingClassifier([("fussy", FUSSY)]).fit(train, train["x"] > train["z"])
    frame = frame_of([np.nan] * 40, [1.0, -1.0] * 20)[["x", "z"]]
    outcome = predict_or_refuse(Fitted(voting, None, ("x", "z"), named=True), frame, proba=False)
    assert outcome.positions.tolist() == list(range(0, 40, 2))


def less_the_mean(given: np.ndarray) -> np.ndarray:
    return np.asarray(given - given.mean(axis=0))


def twice(given: np.ndarray) -> np.ndarray:
    return np.concatenate([given, given])


@pytest.mark.parametrize("function", [less_the_mean, np.cumsum, np.flipud])
def test_steps_that_look_at_several_rows_speak_for_none(function: Any) -> None:
    step = FunctionTransformer(function, kw_args={"axis": 0} if function is np.cumsum else None)
    train = frame_of([1.0, -1.0] * 20, [0.5, 0.25] * 20)[["x", "z"]]
    scaler = StandardScaler().fit(train)
    model = make_pipeline(step, Ridge()).fit(scaler.transform(train), [1.0, 0.0] * 20)
    frame = frame_of([np.nan, *[1.0] * 39], [1.0] * 40)[["x", "z"]]
    for apart in (
        Fitted(model, scaler, ("x", "z"), named=True),
        Fitted(make_pipeline(scaler, *model), None, ("x", "z"), named=True),
    ):
        outcome = predict_or_refuse(apart, frame, proba=False)
        assert [refusal.rows.tolist() for refusal in outcome.refusals] == [[0]]


def test_steps_that_make_more_rows_are_told_of() -> None:
    train = frame_of([1.0, -1.0] * 20, [0.5, 0.25] * 20)[["x", "z"]]
    model = KMeans(2, random_state=0).fit(train.to_numpy())
    pipeline = make_pipeline(FunctionTransformer(twice), model)
    frame = frame_of([np.nan, *[1.0] * 9], [1.0] * 10)[["x", "z"]]
    with pytest.raises(ModelError, match="shape"):
        predict_or_refuse(Fitted(pipeline, None, ("x", "z"), named=True), frame, proba=False)


def asked(model: Fitted, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> tuple[Outcome, int]:
    """The outcome for a frame, and how often the last step was asked."""
    calls, last = [], model.model[-1]
    predict = type(last).predict
    monkeypatch.setattr(type(last), "predict", lambda self, given: (calls.append(1), predict(self, given))[1])
    return predict_or_refuse(model, frame, proba=False), len(calls)


def test_many_missing_numbers_cost_few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    x, z = np.where(draw.random((2, 16_384)) < 0.05, np.nan, 1.0)
    outcome, calls = asked(MODELS["linear"], frame_of(x.tolist(), z.tolist()), monkeypatch)
    assert outcome.positions.tolist() == np.flatnonzero(~np.isnan(x + z)).tolist()
    assert calls < 20


def test_a_whole_part_of_missing_numbers_is_refused_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 3 * MANY
    outcome, calls = asked(MODELS["linear"], frame_of([np.nan] * rows, [1.0] * rows), monkeypatch)
    (refusal,) = outcome.refusals
    assert refusal.rows.tolist() == list(range(rows))
    assert refusal.detail == "ValueError: Input X contains NaN."
    assert calls < 5


def test_rows_that_are_all_of_their_own_kind_are_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(not_finite, "_MOST_KINDS", 2)
    frame = frame_of([np.nan, 1.0, np.inf, 1.0, np.nan, 1.0], [1.0, np.nan, 1.0, np.inf, np.nan, 1.0])
    outcome = predict_or_refuse(MODELS["bayes"], frame, proba=False)
    assert outcome.positions.tolist() == [5]


@pytest.mark.filterwarnings("ignore")
def test_what_a_model_takes_is_not_asked_of_it_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    train = draw.normal(size=(200, 8))
    train[::3, ::2] = np.nan
    names = tuple("abcdefgh")
    forest = make_pipeline(FunctionTransformer(), RandomForestClassifier(n_estimators=3, random_state=0))
    model = Fitted(forest.fit(pd.DataFrame(train, columns=names), train[:, 1] > 0), None, names, named=True)
    given = draw.normal(size=(2_000, 8))
    given[draw.random(given.shape) < 0.3] = np.nan
    given[1_500, 3] = np.inf
    outcome, calls = asked(model, pd.DataFrame(given, columns=names), monkeypatch)
    assert [refusal.rows.tolist() for refusal in outcome.refusals] == [[1_500]]
    assert calls < 10


class Odd(Ridge):  # type: ignore[misc]
    """An estimator that cannot tell its parameters, once it is fitted."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        if hasattr(self, "coef_"):
            raise AttributeError("no such thing")
        return dict(super().get_params(deep))


def test_an_own_model_behind_a_transformer_is_asked_nothing_but_predictions() -> None:
    train = frame_of([1.0, -1.0] * 20, [0.5, 0.25] * 20)[["x", "z"]]
    scaler = StandardScaler().fit(train)
    model = Odd().fit(scaler.transform(train), [1.0, 0.0] * 20)
    frame = frame_of([1.0, np.inf, 2.0], [1.0, 1.0, 1.0])[["x", "z"]]
    outcome = predict_or_refuse(Fitted(model, scaler, ("x", "z"), named=True), frame, proba=False)
    assert outcome.positions.tolist() == [0, 2]
