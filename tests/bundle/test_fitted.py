"""Artifacts fitted elsewhere predict as they do there, whole or in two files, with names or without."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.fitted import Fitted, load_fitted
from scoreline.errors import ModelError
from scoreline.own_modules import forget_modules, import_modules, read_modules

RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"city": RANDOM.choice(["a", "b", "c"], 60), "x": RANDOM.normal(size=60), "z": RANDOM.normal(size=60)}
)
LABELS = np.where(FRAME["x"] + (FRAME["city"] == "a") > 0.5, "yes", "no").astype(object)


def saved(folder: Path, fitted: Any, name: str = "model.joblib", **options: Any) -> ArtifactConfig:
    path = folder / name
    joblib.dump(fitted, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ArtifactConfig(uri=str(path), sha256=digest, trust=True, **options)


def pair(folder: Path, transformer: Any, model: Any) -> Fitted:
    return load_fitted(saved(folder, model), saved(folder, transformer, "transformer.joblib"), ())


def columns(**options: Any) -> ColumnTransformer:
    encoder = OneHotEncoder(sparse_output=options.pop("sparse", False))
    return make_column_transformer((encoder, ["city"]), (StandardScaler(), ["x", "z"]), **options)


def assert_same(fitted: Fitted, plain: Any, given: Any) -> None:
    np.testing.assert_array_equal(fitted.predict(FRAME), plain.predict(given))
    # Arrays in another order of memory are added up in another order.
    np.testing.assert_allclose(fitted.predict_proba(FRAME), plain.predict_proba(given), rtol=1e-12)


def test_a_whole_pipeline_knows_its_columns_and_labels(tmp_path: Path) -> None:
    pipeline = make_pipeline(columns(), LogisticRegression()).fit(FRAME, LABELS)
    fitted = load_fitted(saved(tmp_path, pipeline), None, ())
    assert (fitted.names, fitted.labels, fitted.named) == (("city", "x", "z"), ("no", "yes"), True)
    assert_same(fitted, pipeline, FRAME)


@pytest.mark.parametrize(("output", "sparse"), [("default", False), ("pandas", False), ("default", True)])
def test_a_transformer_and_a_model_apart_predict_as_together(tmp_path: Path, output: str, sparse: bool) -> None:
    transformer = columns(sparse=sparse, sparse_threshold=1.0 if sparse else 0).set_output(transform=output).fit(FRAME)
    features = transformer.transform(FRAME)
    model = LogisticRegression().fit(features, LABELS)
    assert_same(pair(tmp_path, transformer, model), model, features)


def test_a_model_that_knows_only_some_columns_of_its_transformer_gets_those(tmp_path: Path) -> None:
    transformer = columns().set_output(transform="pandas").fit(FRAME)
    some = transformer.transform(FRAME)[["standardscaler__z", "onehotencoder__city_a"]]
    model = RandomForestClassifier(7, random_state=1).fit(some, LABELS)
    assert_same(pair(tmp_path, transformer, model), model, some)


@pytest.mark.parametrize("sparse", [False, True])
def test_a_model_fitted_on_names_gets_them_of_a_transformer_that_makes_arrays(tmp_path: Path, sparse: bool) -> None:
    transformer = columns(sparse=sparse, sparse_threshold=1.0 if sparse else 0).fit(FRAME)
    dense = np.asarray(transformer.transform(FRAME).todense()) if sparse else transformer.transform(FRAME)
    named = pd.DataFrame(dense, columns=transformer.get_feature_names_out())
    model = LogisticRegression().fit(named.iloc[:, ::-1], LABELS)
    assert_same(pair(tmp_path, transformer, model), model, named.iloc[:, ::-1])


def test_a_model_fitted_on_an_array_gets_one_of_a_transformer_that_makes_frames(tmp_path: Path) -> None:
    transformer = columns().fit(FRAME)
    features = transformer.transform(FRAME)
    model = LogisticRegression().fit(features, LABELS)
    assert_same(pair(tmp_path, transformer.set_output(transform="pandas"), model), model, features)


def test_a_model_without_names_takes_the_columns_that_the_config_lists(tmp_path: Path) -> None:
    values = FRAME[["z", "x"]].to_numpy()
    model = LogisticRegression().fit(values, LABELS)
    fitted = load_fitted(saved(tmp_path, model, columns=("z", "x")), None, ())
    assert (fitted.names, fitted.named) == (("z", "x"), False)
    np.testing.assert_array_equal(fitted.predict(FRAME[["z", "x"]]), model.predict(values))


def test_everything_predicts_with_one_thread(tmp_path: Path) -> None:
    model = RandomForestClassifier(5, n_jobs=2, random_state=0).fit(FRAME[["x"]], LABELS)
    fitted = load_fitted(saved(tmp_path, model), None, ())
    assert fitted.model.n_jobs == 1


@pytest.mark.parametrize(
    ("fitted", "columns", "what"),
    [
        (LogisticRegression().fit(FRAME[["x"]].to_numpy(), LABELS), None, "fitted without column names"),
        (LogisticRegression().fit(FRAME[["x"]].to_numpy(), LABELS), ("x", "z"), "on 1 columns, and the config lists 2"),
        (LogisticRegression().fit(FRAME[["x"]], LABELS), ("z",), "lists the columns z, and the object was fitted on x"),
        (StandardScaler().fit(FRAME[["x"]]), None, "StandardScaler, which has no method 'predict'"),
        ({"model": 1}, None, "dict, which has no method 'predict'"),
        (LogisticRegression(), None, "is not fitted"),
        (LogisticRegression, None, "the class LogisticRegression"),
    ],
)
def test_what_cannot_predict_is_refused(
    tmp_path: Path, fitted: Any, columns: tuple[str, ...] | None, what: str
) -> None:
    artifact = saved(tmp_path, fitted, columns=columns)
    with pytest.raises(ModelError, match=what) as caught:
        load_fitted(artifact, None, ())
    assert [problem.where for problem in caught.value.problems] == [artifact.uri]


def test_both_files_are_judged_at_once(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        pair(tmp_path, LinearRegression(), StandardScaler())
    assert len(caught.value.problems) == 2


def test_features_that_the_transformer_does_not_make_are_named_with_the_nearest(tmp_path: Path) -> None:
    transformer = columns().fit(FRAME)
    model = LogisticRegression().fit(FRAME[["x", "z"]].set_axis(["standardscaler_x", "other"], axis=1), LABELS)
    with pytest.raises(ModelError) as caught:
        pair(tmp_path, transformer, model)
    first, second = caught.value.problems
    assert "makes 'standardscaler__x'" in first.what
    assert "'other'" in second.what


def test_another_number_of_features_is_refused(tmp_path: Path) -> None:
    model = LogisticRegression().fit(FRAME[["x", "z"]].to_numpy(), LABELS)
    with pytest.raises(ModelError, match="fitted on 2 features, and the transformer makes 5"):
        pair(tmp_path, columns().fit(FRAME), model)


def test_a_transformer_that_cannot_name_its_features_is_taken_at_its_word(tmp_path: Path) -> None:
    transformer = FunctionTransformer(np.abs, validate=True).fit(FRAME[["x", "z"]])
    model = LogisticRegression().fit(transformer.transform(FRAME[["x", "z"]]), LABELS)
    fitted = pair(tmp_path, transformer, model)
    plain = model.predict(np.abs(FRAME[["x", "z"]].to_numpy()))
    np.testing.assert_array_equal(fitted.predict(FRAME[["x", "z"]]), plain)


def test_labels_of_several_targets_say_which_target_they_are_of(tmp_path: Path) -> None:
    model = RandomForestClassifier(3).fit(FRAME[["x"]], np.stack([LABELS, LABELS], axis=1))
    once = sorted(set(LABELS))
    expected = (*(f"0_{label}" for label in once), *(f"1_{label}" for label in once))
    assert load_fitted(saved(tmp_path, model), None, ()).labels == expected


SCRIPT = """
import joblib, numpy as np, pandas as pd
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

OFFSET = 3.0

def shifted(frame):
    return frame + OFFSET

def scored(features, target):
    return np.abs(features).sum(axis=0)

if __name__ == "__main__":
    import dill
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0], "z": [1.0, 1.0, 5.0]})
    steps = FunctionTransformer(shifted), SelectKBest(scored, k=1), LinearRegression()
    model = make_pipeline(*steps).fit(frame, [1.0, 2.0, 3.0])
    with open("model.dill", "wb") as file:
        dill.dump(model, file)
    joblib.dump(model, "model.joblib")
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "fit_it_somewhere.py").write_text(SCRIPT)
    subprocess.run([sys.executable, "fit_it_somewhere.py"], check=True, cwd=folder)
    return folder


@pytest.fixture
def module(elsewhere: Path) -> Iterator[str]:
    import_modules(read_modules([elsewhere / "fit_it_somewhere.py"]))
    yield "fit_it_somewhere"
    forget_modules(["fit_it_somewhere"])


def handed_over(folder: Path, name: str) -> ArtifactConfig:
    path = folder / name
    return ArtifactConfig(uri=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), trust=True)


@pytest.mark.parametrize("name", ["model.joblib", "model.dill"])
def test_functions_of_the_script_that_fitted_it_come_from_the_module(elsewhere: Path, name: str, module: str) -> None:
    fitted = load_fitted(handed_over(elsewhere, name), None, (module,))
    (predicted,) = fitted.predict(pd.DataFrame({"x": [4.0], "z": [9.0]}))
    assert predicted == fitted.model[-1].predict([[9.0 + 3.0]])[0]
    assert not hasattr(sys.modules["__main__"], "OFFSET")


def test_without_the_module_its_functions_are_asked_for(elsewhere: Path) -> None:
    with pytest.raises(ModelError, match="refers to code that is not here") as caught:
        load_fitted(handed_over(elsewhere, "model.joblib"), None, ())
    assert "--module" in caught.value.problems[0].advice


def test_names_of_the_running_program_stay_as_they_are(
    elsewhere: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "OFFSET", "mine", raising=False)
    load_fitted(handed_over(elsewhere, "model.joblib"), None, (module,))
    assert vars(sys.modules["__main__"])["OFFSET"] == "mine"


@pytest.mark.parametrize("model", [LogisticRegression(), HistGradientBoostingClassifier(max_iter=2)])
@pytest.mark.parametrize("shape", ["pipeline", "apart", "nested"])
def test_both_answers_at_once_are_those_of_two_calls(tmp_path: Path, model: Any, shape: str) -> None:
    features, target = columns().fit(FRAME), LABELS
    model = clone(model).fit(features.transform(FRAME), target)
    if shape == "apart":
        fitted = pair(tmp_path, features, model)
    else:
        last = Pipeline([("model", model)]) if shape == "nested" else model
        fitted = load_fitted(saved(tmp_path, Pipeline([("features", features), ("model", last)])), None, ())
    predictions, proba = fitted.both(FRAME)
    assert predictions.tolist() == fitted.predict(FRAME).tolist()
    assert proba.tobytes() == fitted.predict_proba(FRAME).tobytes()
    infinite = FRAME.assign(x=np.inf)
    with pytest.raises(ValueError, match="infinity"):
        list(fitted.both(infinite))


class Doubling(Pipeline):
    """A pipeline of one's own, which is more than its steps."""

    def predict(self, given: Any, **options: Any) -> Any:
        return super().predict(given, **options) * 2


@pytest.mark.parametrize("kind", [Pipeline, Doubling])
@pytest.mark.parametrize("nothing", [None, "passthrough"])
def test_steps_of_a_pipeline_predict_as_it_does_itself(kind: type[Pipeline], nothing: str | None) -> None:
    steps = [("nothing", nothing), ("scale", StandardScaler()), ("again", nothing), ("model", LinearRegression())]
    pipeline = kind(steps).fit(FRAME[["x", "z"]], FRAME["z"] + 1)
    predictions = Fitted(pipeline, None, ("x", "z"), named=True).predict(FRAME[["x", "z"]])
    assert predictions.tobytes() == pipeline.predict(FRAME[["x", "z"]]).tobytes()


def test_histogram_boosting_goes_through_its_trees_once_for_both_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = make_pipeline(columns(), HistGradientBoostingClassifier(max_iter=2)).fit(FRAME, LABELS)
    fitted, through = load_fitted(saved(tmp_path, pipeline), None, ()), []
    whole = HistGradientBoostingClassifier._raw_predict

    def counted(model: Any, matrix: Any) -> Any:
        through.append(len(matrix))
        return whole(model, matrix)

    monkeypatch.setattr(HistGradientBoostingClassifier, "_raw_predict", counted)
    list(fitted.both(FRAME))
    assert through == [len(FRAME)]


class FromElsewhere(StandardScaler):
    """An estimator of the user."""


def doubled(values: Any) -> Any:
    return 2 * values


@pytest.mark.parametrize(
    ("step", "brings_code"),
    [
        (StandardScaler(), False),
        (FunctionTransformer(np.log1p), False),
        (make_pipeline(StandardScaler(), FunctionTransformer(doubled)), True),
        (FromElsewhere(), True),
    ],
)
def test_whether_its_hash_tells_all_that_it_is(step: Any, brings_code: bool) -> None:
    names = ("x",)
    whole = Fitted(Pipeline([("step", step), ("model", LinearRegression())]), None, names, named=True)
    apart = Fitted(LinearRegression(), step, names, named=True)
    swapped = Fitted(step, StandardScaler(), names, named=True)
    assert [each.brings_code for each in (whole, apart, swapped)] == [brings_code] * 3


def test_it_knows_the_hashes_of_its_files(tmp_path: Path) -> None:
    first, last = columns().fit(FRAME), LinearRegression()
    made = pair(tmp_path, first, last.fit(first.transform(FRAME), LABELS[0] == LABELS))
    files = (tmp_path / "transformer.joblib", tmp_path / "model.joblib")
    assert made.hashes == tuple(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    whole = load_fitted(
        saved(tmp_path, make_pipeline(StandardScaler(), LinearRegression()).fit(FRAME[["x"]], FRAME["z"])), None, ()
    )
    assert whole.hashes == (hashlib.sha256((tmp_path / "model.joblib").read_bytes()).hexdigest(),)
