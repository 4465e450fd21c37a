"""Frames are made as cheaply as what is fitted allows, and are the same frames whichever way they are made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle
from scoreline.bundle.fitted import Fitted
from scoreline.bundle.frames import Frames, frames_of
from scoreline.cleaning import Cleaning
from scoreline.compiled.scorer import LEAST_ROWS, Tier
from scoreline.contract import Contract
from scoreline.errors import DataError
from scoreline.frame import to_frame

NAMES = ("x", "y", "z")
SCHEMA = pa.schema([(name, pa.float64()) for name in NAMES])
MATRIX = np.random.default_rng(0).normal(size=(LEAST_ROWS + 11, len(NAMES)))
TABLE = pa.table([pa.array(np.ascontiguousarray(column)) for column in MATRIX.T], schema=SCHEMA)
TARGET = MATRIX.sum(axis=1)
LABELS = (TARGET > 0).astype(np.int64)


def add_one(frame: pd.DataFrame) -> np.ndarray:
    """What somebody's own step may do to the array of a frame."""
    values = frame.to_numpy()
    values += 1
    return values


def fitted(*steps: Any) -> Fitted:
    return Fitted(make_pipeline(*steps).fit(to_frame(TABLE, SCHEMA), LABELS), None, NAMES, named=True)


def bundle(folder: Path, *steps: Any, known: pa.Schema = SCHEMA) -> Bundle:
    path = folder / "pipeline.joblib"
    joblib.dump(make_pipeline(*steps).fit(to_frame(TABLE, SCHEMA), TARGET), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Bundle(
        contract=Contract(known, {}),
        needs=NAMES,
        cleaning=Cleaning(()),
        inputs=SCHEMA,
        model=ArtifactConfig(uri=str(path), sha256=digest, trust=True),
        transformer=None,
        answer_type=pa.float64(),
    )


@pytest.mark.parametrize(
    ("steps", "only_reads"),
    [
        ((StandardScaler(), LogisticRegression()), True),
        ((StandardScaler(), FunctionTransformer(np.cbrt), LogisticRegression()), True),
        ((FunctionTransformer(add_one), LogisticRegression()), False),
        ((StandardScaler(copy=False), LogisticRegression()), False),
        ((GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2),), False),
    ],
    ids=["own", "function of numpy", "function", "in place", "search"],
)
def test_numbers_lie_in_one_block_where_scikit_learn_alone_reads_them(steps: tuple[Any, ...], only_reads: bool) -> None:
    found = fitted(*steps)
    assert found.only_reads == only_reads
    frames = frames_of(found, SCHEMA, from_pandas=False)
    frame = frames.of_table(TABLE)
    # pandas gives away an array of one block as it is, for reading.
    assert frame.to_numpy().flags.writeable != only_reads
    pd.testing.assert_frame_equal(frame, to_frame(TABLE, SCHEMA))
    before = frame.copy(deep=True)
    assert found.predict(frame).tolist() == found.model.predict(to_frame(TABLE, SCHEMA)).tolist()
    pd.testing.assert_frame_equal(frame, before)


class Counting(StandardScaler):
    """Somebody's own scaler."""

    calls = 0

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """Scaled, and counted."""
        type(self).calls += 1
        return super().transform(X, copy)


@pytest.mark.parametrize(
    "steps",
    [
        (StandardScaler(), "passthrough", LogisticRegression()),
        (StandardScaler(), make_pipeline(StandardScaler(), LogisticRegression())),
        (LogisticRegression(),),
        (Counting(), LogisticRegression()),
    ],
    ids=["pipeline", "nested", "model alone", "own step"],
)
def test_features_that_are_made_once_give_the_answers_of_two_calls(steps: tuple[Any, ...]) -> None:
    found = fitted(*steps)
    frame = frames_of(found, SCHEMA, from_pandas=False).of_table(TABLE)
    Counting.calls = 0
    predictions, proba = found.both(frame)
    # What a step of somebody's own does from call to call, nobody knows.
    assert Counting.calls == (2 if isinstance(steps[0], Counting) else 0)
    assert predictions.tobytes() == found.model.predict(to_frame(TABLE, SCHEMA)).tobytes()
    assert proba.tobytes() == found.model.predict_proba(to_frame(TABLE, SCHEMA)).tobytes()


def test_no_block_is_made_for_a_model_that_looks_at_no_value() -> None:
    frames = frames_of(fitted(DummyClassifier()), SCHEMA, from_pandas=False)
    assert frames.of_table(TABLE).to_numpy().flags.writeable


@pytest.mark.parametrize("from_pandas", [False, True])
@pytest.mark.parametrize("in_one_block", [False, True])
def test_frames_are_those_of_each_column_alone(in_one_block: bool, from_pandas: bool) -> None:
    mixed = pa.table(
        {
            "n": pa.array([1, None, 3]),
            "x": pa.array([0.5, None, -0.0]),
            "t": pa.array(["a", None, "é"]),
            "y": pa.array([1.0, 2.0, 3.0]),
            "small": pa.array([0.5, None, 1], pa.float32()),
        }
    )
    floats = mixed.select(["x", "y", "small"])
    for table in (mixed, mixed.slice(1, 1), mixed.slice(0, 0), floats, pa.concat_tables([floats, floats])):
        frame = Frames(table.schema, {}, from_pandas, in_one_block).of_table(table)
        expected = to_frame(table, table.schema)
        pd.testing.assert_frame_equal(frame, expected)
        one, other = frame.select_dtypes("number").to_numpy(), expected.select_dtypes("number").to_numpy()
        assert (one.flags.c_contiguous, one.flags.f_contiguous) == (other.flags.c_contiguous, other.flags.f_contiguous)


GIVEN: dict[str, Callable[[], pd.DataFrame]] = {
    "row after row": lambda: pd.DataFrame(MATRIX, columns=NAMES),
    "column after column": lambda: pd.DataFrame(np.asfortranarray(MATRIX), columns=NAMES),
    "columns apart": lambda: to_frame(TABLE, SCHEMA),
    "others and another order": lambda: TABLE.to_pandas()[["z", "x", "y"]].assign(more="text"),
    "an index": lambda: pd.DataFrame(MATRIX, columns=NAMES, index=np.arange(len(MATRIX))[::-1]),
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_a_frame_of_floats_is_answered_as_its_table_wherever_it_lies_in_memory(
    tmp_path: Path, given: Callable[[], pd.DataFrame]
) -> None:
    made = bundle(tmp_path, StandardScaler(), Ridge())
    frame, expected = given(), made.predict(TABLE)
    before = frame.copy(deep=True)
    scored = made.predict(frame)
    assert made._is_taken_as_given(frame)
    assert scored.predictions.equals(expected.predictions)
    assert (scored.positions.tolist(), scored.refusals, scored.tier) == (list(range(len(MATRIX))), (), Tier.PLAIN)
    pd.testing.assert_frame_equal(frame, before)


def test_rows_that_the_model_refuses_are_found_in_a_frame_as_in_a_table(tmp_path: Path) -> None:
    made = bundle(tmp_path, StandardScaler(), Ridge())
    broken = MATRIX.copy()
    broken[[3, 9], 1] = [np.nan, np.inf]
    table = pa.table([pa.array(np.ascontiguousarray(column), from_pandas=True) for column in broken.T], schema=SCHEMA)
    one, other = made.predict(pd.DataFrame(broken, columns=NAMES)), made.predict(table)
    assert [(r.reason, r.detail, r.rows.tolist()) for r in one.refusals] == [
        (r.reason, r.detail, r.rows.tolist()) for r in other.refusals
    ]
    assert one.positions.tolist() == other.positions.tolist()
    assert one.predictions.equals(other.predictions)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(MATRIX, columns=NAMES).astype({"y": "float32"}),
        pd.DataFrame(MATRIX, columns=NAMES).astype({"y": "int64"}),
        pd.DataFrame(MATRIX, columns=NAMES).astype({"y": object}),
        pd.DataFrame(MATRIX, columns=NAMES).astype({"y": "Float64"}),
    ],
    ids=lambda frame: str(frame["y"].dtype),
)
def test_columns_of_other_types_become_a_table_first(tmp_path: Path, frame: pd.DataFrame) -> None:
    made = bundle(tmp_path, StandardScaler(), Ridge())
    assert not made._is_taken_as_given(frame)
    exact = pa.table([pa.array(frame[name].to_numpy(np.float64)) for name in NAMES], schema=SCHEMA)
    assert made.predict(frame).predictions.equals(made.predict(exact).predictions)


def test_what_the_contract_knows_as_another_type_must_be_of_that_type(tmp_path: Path) -> None:
    known = pa.schema([("x", pa.int64()), ("y", pa.float64()), ("z", pa.float64())])
    made = bundle(tmp_path, StandardScaler(), Ridge(), known=known)
    with pytest.raises(DataError, match="another type than the bundle's contract says"):
        made.predict(pd.DataFrame(MATRIX, columns=NAMES))
