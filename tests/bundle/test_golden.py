"""Golden rows come out as they did where the bundle was made, or the bundle is refused."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle, answer_type_of
from scoreline.bundle.files import dumped
from scoreline.bundle.golden import PREDICTION, PROBA, ROWS, TOLERANCE, as_bytes, check_golden, golden_rows
from scoreline.cleaners.parse_numbers import ParseNumbers
from scoreline.cleaning import Cleaning
from scoreline.contract import Contract
from scoreline.errors import ModelError

RAW = pa.table({"x": [str(number) for number in range(300)], "other": range(300)})
FEATURES = RAW.select(["x"]).to_pandas().astype(float)
LABELS = {
    "text": np.where(FEATURES["x"] > 150, "high", "low").astype(object),
    "numbers": np.where(FEATURES["x"] > 150, 7, -1),
    "booleans": (FEATURES["x"] > 150).to_numpy(),
}


def bundle_of(folder: Path, fitted: Any) -> Bundle:
    body = dumped(fitted)
    path = folder / "model.joblib"
    path.write_bytes(body)
    classes = getattr(fitted, "classes_", None)
    return Bundle(
        contract=Contract(RAW.schema, {}),
        needs=("x",),
        cleaning=Cleaning((ParseNumbers(columns=("x",)),)),
        inputs=pa.schema([("x", pa.float64())]),
        model=ArtifactConfig(uri=str(path), sha256=hashlib.sha256(body).hexdigest(), trust=True),
        transformer=None,
        answer_type=pa.float64() if classes is None else answer_type_of(classes),
        labels=None if classes is None else tuple(classes.tolist()),
    )


def shifted(golden: pa.Table, by: float) -> pa.Table:
    values = pa.array(golden[PREDICTION].to_numpy() + by)
    return golden.set_column(golden.column_names.index(PREDICTION), PREDICTION, values)


@pytest.mark.parametrize("labels", LABELS)
def test_labels_and_probabilities_are_kept_as_they_are_predicted(tmp_path: Path, labels: str) -> None:
    model = LogisticRegression().fit(FEATURES, LABELS[labels])
    bundle = bundle_of(tmp_path, model)
    golden = golden_rows(bundle, RAW)
    assert golden.column_names == ["x", PREDICTION, PROBA]
    assert golden.num_rows == ROWS
    assert golden[PREDICTION].to_pylist() == model.predict(FEATURES.iloc[:ROWS]).tolist()
    assert golden[PROBA].to_pylist() == model.predict_proba(FEATURES.iloc[:ROWS]).tolist()
    check_golden(bundle, pq.read_table(io.BytesIO(as_bytes(golden))), "here")


@pytest.mark.parametrize("model", [RidgeClassifier(), LinearRegression()])
def test_a_model_without_probabilities_has_predictions_alone(tmp_path: Path, model: Any) -> None:
    target = LABELS["text"] if isinstance(model, RidgeClassifier) else FEATURES["x"]
    bundle = bundle_of(tmp_path, model.fit(FEATURES, target))
    golden = golden_rows(bundle, RAW)
    assert golden.column_names == ["x", PREDICTION]
    check_golden(bundle, golden, "here")


def test_rows_that_cannot_be_predicted_are_not_golden(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, LinearRegression().fit(FEATURES, FEATURES["x"]))
    raw = pa.table({"x": ["1", "not a number", "3"]})
    golden = golden_rows(bundle, raw)
    assert golden["x"].to_pylist() == ["1", "3"]
    check_golden(bundle, golden, "here")


def test_no_rows_are_golden_too(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, LogisticRegression().fit(FEATURES, LABELS["text"]))
    golden = golden_rows(bundle, RAW.slice(0, 0))
    check_golden(bundle, pq.read_table(io.BytesIO(as_bytes(golden))), "here")


def test_numbers_may_differ_by_rounding_and_by_no_more(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, LinearRegression().fit(FEATURES, FEATURES["x"] / 300))
    golden = golden_rows(bundle, RAW)
    check_golden(bundle, shifted(golden, TOLERANCE / 2), "here")
    with pytest.raises(ModelError, match="0 of 200 golden rows are equal"):
        check_golden(bundle, shifted(golden, 1e-9), "here")


@pytest.mark.parametrize("labels", LABELS)
def test_one_other_label_is_enough_to_be_refused(tmp_path: Path, labels: str) -> None:
    bundle = bundle_of(tmp_path, LogisticRegression().fit(FEATURES, LABELS[labels]))
    golden = golden_rows(bundle, RAW).slice(149, 3)
    values = golden[PREDICTION].to_pylist()
    other = pa.array([values[-1], *values[1:]], golden[PREDICTION].type)
    changed = golden.set_column(golden.column_names.index(PREDICTION), PREDICTION, other)
    with pytest.raises(ModelError, match="2 of 3 golden rows are equal") as caught:
        check_golden(bundle, changed, "s3://models/bundle")
    assert caught.value.problems[0].where == "s3://models/bundle"


def test_another_model_behind_the_same_golden_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = bundle_of(tmp_path / "a", LogisticRegression().fit(FEATURES, LABELS["text"]))
    second = bundle_of(tmp_path / "b", LogisticRegression(C=1e-4).fit(FEATURES, LABELS["text"]))
    with pytest.raises(ModelError, match="gives other predictions here"):
        check_golden(second, golden_rows(first, RAW), "here")


def test_a_row_that_can_no_longer_be_predicted_is_refused(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, LinearRegression().fit(FEATURES, FEATURES["x"]))
    golden = golden_rows(bundle, pa.table({"x": ["1", "2"]}))
    broken = golden.set_column(0, "x", pa.array(["1", "two"]))
    with pytest.raises(ModelError, match="1 of 2 golden rows are equal"):
        check_golden(bundle, broken, "here")
