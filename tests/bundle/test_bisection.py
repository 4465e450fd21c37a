"""One bad row costs one row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from scoreline.bundle.bisection import predict_or_refuse
from scoreline.bundle.fitted import Fitted
from scoreline.errors import ModelError


class Picky(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Predicts the sign of x, and fails on a batch that holds a NaN."""

    classes_ = np.array([-1.0, 1.0])
    calls = 0

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        type(self).calls += 1
        if frame["x"].isna().any():
            raise ValueError("x is missing")
        return np.asarray(np.sign(frame["x"].to_numpy()))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        return np.stack([frame["x"] < 0, frame["x"] >= 0], axis=1).astype(float)


FITTED = Fitted(Picky(), None, ("x",), named=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([1.0, -1.0, None]), max_size=60).filter(lambda v: not v or any(v)))
def test_every_good_row_is_predicted_and_every_bad_row_refused(values: list[float | None]) -> None:
    frame = pd.DataFrame({"x": pd.array(values, dtype="float64") if values else pd.Series([], dtype="float64")})
    outcome = predict_or_refuse(FITTED, frame, proba=True)
    refused = sorted(row for refusal in outcome.refusals for row in refusal.rows.tolist())
    assert refused == [row for row, value in enumerate(values) if value is None]
    assert outcome.positions.tolist() == [row for row, value in enumerate(values) if value is not None]
    assert outcome.predictions.tolist() == [value for value in values if value is not None]
    assert outcome.proba is not None
    assert len(outcome.proba) == len(outcome.positions)


def test_a_good_batch_is_predicted_in_one_call() -> None:
    Picky.calls = 0
    predict_or_refuse(FITTED, pd.DataFrame({"x": [1.0] * 1_000}), proba=False)
    assert Picky.calls == 1


def test_one_bad_row_costs_few_calls() -> None:
    Picky.calls = 0
    values = [1.0] * 1_024
    values[700] = float("nan")
    outcome = predict_or_refuse(FITTED, pd.DataFrame({"x": values}), proba=False)
    assert Picky.calls <= 2 * 10 + 1
    assert [refusal.rows.tolist() for refusal in outcome.refusals] == [[700]]
    assert "ValueError: x is missing" in outcome.refusals[0].detail


@pytest.mark.parametrize("rows", [1, 20])
def test_a_few_bad_rows_are_refused_even_where_no_good_one_is_among_them(rows: int) -> None:
    outcome = predict_or_refuse(FITTED, pd.DataFrame({"x": [float("nan")] * rows}), proba=True)
    assert outcome.refusals[0].rows.tolist() == list(range(rows))
    assert outcome.proba is not None
    assert (len(outcome.predictions), outcome.proba.shape) == (0, (0, 2))


def test_a_model_that_fails_on_every_row_is_at_fault_itself() -> None:
    with pytest.raises(ModelError, match="fails on nearly every row"):
        predict_or_refuse(FITTED, pd.DataFrame({"x": [float("nan")] * 5_000}), proba=False)


@pytest.mark.parametrize("first", [True, False])
def test_nulls_that_were_sorted_to_one_end_are_refused_and_the_rest_is_predicted(first: bool) -> None:
    nulls, others = [float("nan")] * 8_000, [1.0] * 1_999
    frame = pd.DataFrame({"x": nulls + others if first else others + nulls})
    outcome = predict_or_refuse(FITTED, frame, proba=False)
    assert outcome.positions.tolist() == np.flatnonzero(frame["x"].notna()).tolist()
    assert [refusal.rows.tolist() for refusal in outcome.refusals] == [np.flatnonzero(frame["x"].isna()).tolist()]


def test_a_model_whose_probabilities_always_fail_is_at_fault_itself() -> None:
    class Half(Picky):
        def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
            raise ValueError("no probabilities today")

    with pytest.raises(ModelError, match="no probabilities today"):
        predict_or_refuse(Fitted(Half(), None, ("x",), named=True), pd.DataFrame({"x": [1.0] * 5_000}), proba=True)


class Numbering(Picky):
    """Adds a column by the numbers of the rows, as functions do that make one of an array."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        frame["y"] = pd.Series(frame["x"].to_numpy())
        return super().predict(frame) + frame["y"].to_numpy()


def test_rows_that_are_left_are_numbered_from_0_again() -> None:
    values = np.linspace(1, 2, 64)
    values[[3, 40]] = np.nan
    outcome = predict_or_refuse(Fitted(Numbering(), None, ("x",), named=True), pd.DataFrame({"x": values}), proba=False)
    kept = np.delete(values, [3, 40])
    assert outcome.predictions.tolist() == (1 + kept).tolist()


def test_a_step_that_fails_before_a_strict_encoder_costs_its_row_alone() -> None:
    ratings = np.array([1.0, 2.0, np.nan, 3.0] * 10)
    known = pd.DataFrame({"rating": ratings, "x": np.linspace(0, 1, 40)})
    filled = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    columns = make_column_transformer((filled, ["rating"]), remainder="passthrough")
    pipeline = make_pipeline(columns, LogisticRegression()).fit(known, known["x"] > 0.5)
    asked = known.assign(rating=np.where(np.arange(40) == 7, np.inf, ratings))
    outcome = predict_or_refuse(Fitted(pipeline, None, ("rating", "x"), named=True), asked, proba=False)
    assert outcome.positions.tolist() == [row for row in range(40) if row != 7]
    assert outcome.predictions.tolist() == pipeline.predict(asked.drop(index=7)).tolist()


def test_probabilities_of_other_labels_are_refused() -> None:
    class OneSided(Picky):
        def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
            return np.ones((len(frame), 1))

    with pytest.raises(ModelError, match=r"shape \(1, 1\) for 1 rows and 2 labels"):
        predict_or_refuse(Fitted(OneSided(), None, ("x",), named=True), pd.DataFrame({"x": [1.0]}), proba=True)


@pytest.mark.parametrize("shape", [(2,), (2, 2), (1, 2, 2), ()])
def test_predictions_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    class Odd(Picky):
        def predict(self, frame: pd.DataFrame) -> np.ndarray:
            return np.zeros(shape)

    with pytest.raises(ModelError, match="one value a row"):
        predict_or_refuse(Fitted(Odd(), None, ("x",), named=True), pd.DataFrame({"x": [1.0]}), proba=False)


def halved(frame: pd.DataFrame) -> pd.DataFrame:
    frame["x"] /= 2
    return frame


@pytest.mark.parametrize("first", [StandardScaler(copy=False), make_pipeline(FunctionTransformer(halved))])
def test_what_writes_into_what_it_is_given_spoils_no_later_call(first: Any) -> None:
    values = np.linspace(0, 9, 20)

    def given(numbers: Any) -> pd.DataFrame:
        return pd.DataFrame({"x": np.array(numbers)})

    pipeline = make_pipeline(first, LogisticRegression()).fit(given(values), values > 5)
    expected = pipeline.predict_proba(given(values))
    outcome = predict_or_refuse(Fitted(pipeline, None, ("x",), named=True), given([*values, np.nan]), proba=True)
    assert outcome.positions.tolist() == list(range(20))
    assert outcome.predictions.tolist() == (values > 5).tolist()
    assert outcome.proba is not None
    assert np.allclose(outcome.proba, expected, rtol=0, atol=1e-12)


def test_an_object_that_hides_its_parameters_is_given_a_copy() -> None:
    class Writer:
        classes_ = np.array([0.0, 1.0])

        def predict(self, frame: pd.DataFrame) -> np.ndarray:
            array = frame["x"].to_numpy()
            array.flags.writeable = True
            array += 1
            return array

    frame = pd.DataFrame({"x": np.zeros(3)})
    found = Fitted(Writer(), None, ("x",), named=True).predict(frame)
    assert found.tolist() == [1.0, 1.0, 1.0]
    assert frame["x"].tolist() == [0.0, 0.0, 0.0]


def test_an_array_is_not_changed_either() -> None:
    values = np.linspace(0, 9, 20)
    pipeline = make_pipeline(StandardScaler(copy=False), LogisticRegression()).fit(
        values[:, np.newaxis].copy(), values > 5
    )
    frame = pd.DataFrame({"x": values.copy()})
    predict_or_refuse(Fitted(pipeline, None, ("x",), named=False), frame, proba=True)
    assert frame["x"].tolist() == values.tolist()
