"""Models that predict several values a row: a column for each, and what cannot be written so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier
from tests.end_to_end.handing_over import Desk, everything, hand_over, write_parts

from scoreline.own_modules import forget_modules, import_modules, read_modules

pytestmark = pytest.mark.end_to_end

COLUMNS = ["x", "count", "city"]


def numbers(frame: pd.DataFrame) -> np.ndarray:
    return np.stack([frame["x"] + frame["count"], frame["x"] * 2], axis=1)


def words(frame: pd.DataFrame) -> np.ndarray:
    far = np.where(frame["x"] > 0, "far", "near")
    return np.stack([far, frame["city"].to_numpy(object)], axis=1).astype(object)


def flags(frame: pd.DataFrame) -> np.ndarray:
    return np.stack([frame["x"] > 0, frame["count"] > 4], axis=1).astype(int)


def fitted(model: Any, frame: pd.DataFrame, target: Any) -> Any:
    columns = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    return make_pipeline(columns, model).fit(frame[COLUMNS], target)


def predictions(found: pd.DataFrame) -> list[str]:
    return [name for name in found.columns if name.startswith("prediction")]


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (RandomForestRegressor(n_estimators=5, random_state=0), numbers),
        (LinearRegression(), numbers),
        (DecisionTreeClassifier(random_state=0), words),
        (OneVsRestClassifier(LogisticRegression()), flags),
    ],
)
def test_each_output_has_a_column(desk: Desk, model: Any, target: Any) -> None:
    pipeline = fitted(model, desk.frame, target(desk.frame))
    found = desk.score(hand_over(pipeline, desk.folder / "model.joblib"))
    assert predictions(found) == ["prediction_0", "prediction_1"]
    expected = pipeline.predict(desk.frame)
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found[predictions(found)], expected, rtol=1e-12, atol=1e-12)
    else:
        assert found[predictions(found)].to_numpy().tolist() == expected.tolist()
    assert found["city"].tolist() == desk.frame["city"].tolist()


@pytest.mark.parametrize(
    "model",
    [RandomForestClassifier(n_estimators=5, random_state=0), MultiOutputClassifier(LogisticRegression())],
)
def test_probabilities_have_the_number_of_their_output_and_the_label(desk: Desk, model: Any) -> None:
    pipeline = fitted(model, desk.frame, words(desk.frame))
    found = desk.score(hand_over(pipeline, desk.folder / "model.joblib"), predict={"proba": True})
    names = [name for name in found.columns if name.startswith("proba_")]
    assert names == ["proba_0_far", "proba_0_near", "proba_1_Natal", "proba_1_Olinda", "proba_1_Recife"]
    np.testing.assert_allclose(found[names], np.hstack(pipeline.predict_proba(desk.frame)), rtol=0, atol=1e-12)


def test_probabilities_of_another_form_are_refused_with_a_way_out(desk: Desk) -> None:
    chain = ClassifierChain(LogisticRegression(), random_state=0)
    given = hand_over(fitted(chain, desk.frame, flags(desk.frame)), desk.folder / "model.joblib")
    assert 'set "proba": false' in desk.command(given, code=4, predict={"proba": True})
    assert predictions(desk.score(given)) == ["prediction_0", "prediction_1"]


def test_a_table_of_one_column_to_learn_from_is_one_output(desk: Desk) -> None:
    pipeline = fitted(LinearRegression(), desk.frame, desk.frame[["count"]])
    found = desk.score(hand_over(pipeline, desk.folder / "model.joblib"))
    np.testing.assert_allclose(found["prediction"], pipeline.predict(desk.frame)[:, 0], rtol=1e-12)


def test_probabilities_of_a_table_of_one_column_are_those_of_one_output(desk: Desk) -> None:
    pipeline = fitted(MultiOutputClassifier(LogisticRegression()), desk.frame, desk.frame[["city"]])
    found = desk.score(hand_over(pipeline, desk.folder / "model.joblib"), predict={"proba": True})
    assert found["prediction"].tolist() == pipeline.predict(desk.frame)[:, 0].tolist()
    names = [name for name in found.columns if name.startswith("proba_")]
    assert names == ["proba_Natal", "proba_Olinda", "proba_Recife"]
    np.testing.assert_allclose(found[names], pipeline.predict_proba(desk.frame)[0], rtol=0, atol=1e-12)


def test_rows_that_are_refused_leave_the_others_their_outputs(desk: Desk) -> None:
    known = desk.frame[desk.frame["city"] != "Olinda"]
    pipeline = fitted(RandomForestRegressor(n_estimators=5, random_state=0), known, numbers(known))
    given = hand_over(pipeline, desk.folder / "model.joblib")
    found = desk.score(given, predict={"error_budget": {"rate": 1.0}})
    assert found[predictions(found)].to_numpy().tolist() == pipeline.predict(known).tolist()


def test_an_input_column_called_like_an_output_is_named(desk: Desk, tmp_path: Path) -> None:
    table = everything().append_column("prediction_1", [range(240)])
    desk = Desk(tmp_path, write_parts(tmp_path / "data", table))
    given = hand_over(fitted(LinearRegression(), desk.frame, numbers(desk.frame)), desk.folder / "model.joblib")
    assert "two columns 'prediction_1'" in desk.command(given, code=3)
    kept = desk.score(given, predict={"keep": ["x"]})
    assert kept.columns.tolist() == ["x", "source_file", "source_row", "prediction_0", "prediction_1"]


OWN_CLASSES = """
import numpy as np

class Unsteady:
    few = 100

    def predict(self, frame):
        return np.zeros((len(frame), 2 if len(frame) < self.few else 3))

class Gappy(Unsteady):
    few = 2

    def predict(self, frame):
        if frame["x_null"].isna().any():
            raise ValueError("x_null is missing")
        return super().predict(frame)

class Mixed:
    def predict(self, frame):
        return np.array([["far" if x > 1 else "near", x * 2] for x in frame["x"]], dtype=object)
"""


@pytest.fixture
def path(desk: Desk) -> Path:
    path = desk.folder / "my_models.py"
    path.write_text(OWN_CLASSES)
    return path


@pytest.fixture
def own(path: Path) -> Iterator[Any]:
    (module,) = import_modules(read_modules([path]))
    yield module
    forget_modules([path.stem])


@pytest.mark.parametrize("name", ["Unsteady", "Gappy"])
def test_another_number_of_outputs_for_some_rows_ends_the_run(desk: Desk, own: Any, path: Path, name: str) -> None:
    given = hand_over(getattr(own, name)(), desk.folder / "model.pkl", columns=["x_null"])
    assert "as many values for every row" in desk.command(given, "--module", str(path), code=4)


def test_outputs_may_be_of_different_types(desk: Desk, own: Any, path: Path) -> None:
    found = desk.score(hand_over(own.Mixed(), desk.folder / "model.pkl", columns=["x"]), "--module", str(path))
    assert found[predictions(found)].to_numpy().tolist() == own.Mixed().predict(desk.frame).tolist()
    assert found["prediction_1"].dtype == np.float64
