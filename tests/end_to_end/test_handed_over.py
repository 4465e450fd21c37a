"""Artifacts apart or together, from scripts and from other runs: what is scored, what is refused, what is written."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tests.end_to_end.handing_over import Desk, assert_same, hand_over, saved

from scoreline.api import train
from scoreline.demo import write_demo
from scoreline.own_modules import forget_modules, import_modules, read_modules

pytestmark = pytest.mark.end_to_end

MODULES = ("my_steps", "my_doubling")
COLUMNS = ["x", "count", "city"]


def target(frame: pd.DataFrame) -> np.ndarray:
    return np.where(frame["x"] + (frame["city"] == "Natal") > 0.5, "yes", "no")


def columns(**options: Any) -> ColumnTransformer:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=options.pop("sparse", False))
    parts = [("number", StandardScaler(), ["x", "count"]), ("text", encoder, ["city"])]
    return ColumnTransformer(parts, verbose_feature_names_out=False, **options)


def fitted(desk: Desk) -> Any:
    frame = desk.frame
    return make_pipeline(columns(), LogisticRegression()).fit(frame[COLUMNS], target(frame))


def handed(desk: Desk, suffix: str = ".joblib") -> dict[str, Any]:
    return hand_over(fitted(desk), desk.folder / f"pipeline{suffix}")


PAIRS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "frame": (columns().set_output(transform="pandas"), lambda made: made),
    "frame, some columns": (columns().set_output(transform="pandas"), lambda made: made[["city_Natal", "x"]]),
    "frame, model without names": (columns().set_output(transform="pandas"), np.asarray),
    "array": (columns(), lambda made: made),
    "array, model with names": (columns(), lambda made: pd.DataFrame(made, columns=columns_made())),
    "array of a function": (
        make_pipeline(columns(), FunctionTransformer(np.arctan)),
        lambda made: pd.DataFrame(made, columns=list("abcde")),
    ),
    "sparse": (columns(sparse=True, sparse_threshold=1), lambda made: made),
    "sparse, model with names": (
        columns(sparse=True, sparse_threshold=1),
        lambda made: pd.DataFrame(made.toarray(), columns=columns_made()),
    ),
}


def columns_made() -> list[str]:
    return ["x", "count", "city_Natal", "city_Olinda", "city_Recife"]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_transformer_and_a_model_predict_as_they_do_together(desk: Desk, pair: str) -> None:
    transformer, given = PAIRS[pair]
    features = given(clone(transformer).fit_transform(desk.frame))
    model = LogisticRegression().fit(features, target(desk.frame))
    first = hand_over(clone(transformer).fit(desk.frame), desk.folder / "transformer.joblib")
    found = desk.score(hand_over(model, desk.folder / "model.skops"), transformer=first, predict={"proba": True})
    assert_same(found, model.predict(features), model.predict_proba(features), model.classes_)


@pytest.mark.parametrize("names", [["x", "count"], ["count", "city", "x"]])
def test_an_object_fitted_on_arrays_takes_the_columns_that_the_config_lists(desk: Desk, names: list[str]) -> None:
    arrays = desk.frame[names].to_numpy()
    numbers = [place for place, name in enumerate(names) if name != "city"]
    scale = ColumnTransformer([("number", StandardScaler(), numbers)])
    model = make_pipeline(scale, DecisionTreeClassifier(random_state=0)).fit(arrays, target(desk.frame))
    found = desk.score(hand_over(model, desk.folder / "model.joblib", columns=names))
    assert_same(found, model.predict(arrays))


def test_a_column_that_the_pipeline_drops_need_not_be_there(desk: Desk) -> None:
    learned = desk.frame[COLUMNS].assign(answer=target(desk.frame))
    # By its position among all columns.
    first = ColumnTransformer([("text", OneHotEncoder(), [3]), ("numbers", "passthrough", ["x", "count"])])
    model = make_pipeline(first, LogisticRegression()).fit(learned[["answer", *COLUMNS]], learned["answer"])
    found = desk.score(hand_over(model, desk.folder / "model.joblib"))
    assert_same(found, model.predict(desk.frame[COLUMNS].assign(answer="")[["answer", *COLUMNS]]))


def test_a_column_keeps_its_dtype_under_another_name(desk: Desk, tmp_path: Path) -> None:
    flags = pd.array([True, None, False, True] * 60, dtype="boolean")
    folder = tmp_path / "flags"
    folder.mkdir()
    pd.DataFrame({"Flag": flags, "x": np.linspace(0, 1, 240)}).to_parquet(folder / "part.parquet")
    desk = Desk(tmp_path, folder)
    frame = desk.frame.rename(columns={"Flag": "flag"})
    first = ColumnTransformer([("flag", SimpleImputer(strategy="most_frequent"), ["flag"])], remainder="passthrough")
    model = make_pipeline(first, LogisticRegression()).fit(frame, frame["x"] > 0.5)
    renamed = [{"kind": "rename", "columns": {"Flag": "flag"}}]
    assert_same(desk.score(hand_over(model, desk.folder / "model.joblib"), clean=renamed), model.predict(frame))


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "Float64", "int64"])
def test_functions_are_given_numbers_in_the_dtype_that_pandas_wrote(desk: Desk, tmp_path: Path, dtype: str) -> None:
    values = [1, 2, 3, 3] if dtype == "int64" else [1, 2, None, 3]
    folder = tmp_path / "shops"
    folder.mkdir()
    pd.DataFrame({"shop": pd.array(values * 60, dtype=dtype)}).to_parquet(folder / "part.parquet")
    desk = Desk(tmp_path, folder)
    path = desk.folder / "my_steps.py"
    path.write_text("def as_text(frame):\n    return frame.astype(str)\n")
    (own,) = import_modules(read_modules([path]))
    steps = FunctionTransformer(own.as_text), OneHotEncoder(), DecisionTreeClassifier(random_state=0)
    model = make_pipeline(*steps).fit(desk.frame, ["a", "b", "c", "d"] * 60)
    given = hand_over(model, desk.folder / "model.joblib")
    assert_same(desk.score(given, "--module", str(path)), model.predict(desk.frame))


@pytest.mark.parametrize("dtype", ["Float32", "Int8", "Float64", "Int64", "double[pyarrow]"])
def test_scikit_learn_is_given_numbers_in_the_dtype_that_pandas_wrote(tmp_path: Path, dtype: str) -> None:
    draw, folder = np.random.default_rng(0), tmp_path / "numbers"
    folder.mkdir()
    numbers = draw.normal(size=240) * 30 if dtype[0] in "Fd" else draw.integers(-90, 90, 240)
    frame = pd.DataFrame({"x": pd.array(numbers, dtype=dtype), "narrow": draw.normal(size=240).astype("float32")})
    frame.mask(draw.random((240, 2)) < 0.1).astype({"x": dtype}).to_parquet(folder / "part.parquet")
    desk = Desk(tmp_path, folder)
    labels = draw.random(240) < 0.5
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(desk.frame, labels)
    found = desk.score(hand_over(model, desk.folder / "model.joblib"), predict={"proba": True})
    assert_same(found, model.predict(desk.frame), model.predict_proba(desk.frame), model.classes_)


def test_arrays_are_of_numbers_whatever_dtype_pandas_wrote(tmp_path: Path) -> None:
    draw, folder = np.random.default_rng(0), tmp_path / "numbers"
    folder.mkdir()
    frame = pd.DataFrame(draw.integers(0, 9, (240, 2)), columns=["a", "b"]).mask(draw.random((240, 2)) < 0.1)
    frame.astype("Int64").to_parquet(folder / "part.parquet")
    numbers = frame.to_numpy(dtype=float, na_value=np.nan)
    filled = ColumnTransformer([("numbers", SimpleImputer(), [0, 1])])
    model = make_pipeline(filled, LogisticRegression()).fit(numbers, draw.random(240) < 0.5)
    found = Desk(tmp_path, folder).score(hand_over(model, tmp_path / "model.joblib", columns=["a", "b"]))
    assert_same(found, model.predict(numbers))


def test_a_dtype_that_no_longer_fits_its_column_does_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "numbers"
    folder.mkdir()
    pd.DataFrame({"x": pd.array([1, 2, None, 4] * 60, dtype="Int64")}).to_parquet(folder / "part.parquet")
    table = pq.read_table(folder / "part.parquet")
    halves = pa.array(np.arange(240) / 2)
    pq.write_table(table.set_column(0, "x", halves), folder / "part.parquet")
    plain = pd.DataFrame({"x": np.arange(240) / 2})
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(plain, plain["x"] > 60)
    found = Desk(tmp_path, folder).score(hand_over(model, tmp_path / "model.joblib"))
    assert_same(found, model.predict(plain))


OWN_CLASSES = """
from sklearn.base import BaseEstimator, TransformerMixin

class Ratio(TransformerMixin, BaseEstimator):
    def fit(self, frame, target=None):
        return self

    def transform(self, frame):
        return (frame["x"] / (frame["count"] + 1)).to_frame("ratio")

class Rule:
    def predict(self, frame):
        return ["far" if x > 1 else "near" for x in frame["x"]]
"""


def test_classes_that_never_looked_at_columns_are_given_frames(desk: Desk) -> None:
    path = desk.folder / "my_steps.py"
    path.write_text(OWN_CLASSES)
    (own,) = import_modules(read_modules([path]))
    frame, names = desk.frame[["x", "count"]], {"columns": ["x", "count"]}
    tree = make_pipeline(own.Ratio(), DecisionTreeClassifier(random_state=0)).fit(frame, target(desk.frame))
    for number, model in enumerate((tree, own.Rule())):
        given = hand_over(model, desk.folder / f"model-{number}.pkl", **names)
        assert_same(desk.score(given, "--module", str(path)), model.predict(frame))


SCRIPT = """
import sys
import joblib, pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier
from skops import io as skops_io
from my_steps import shifted

def doubled(frame):
    return frame * 2

data, folder = sys.argv[1:]
frame = pd.read_parquet(data)[["x", "count"]]
steps = [FunctionTransformer(function) for function in (doubled, shifted)]
model = make_pipeline(*steps, DecisionTreeClassifier(random_state=0)).fit(frame, frame["x"] > 0)
joblib.dump(model, folder + "/model.joblib")
skops_io.dump(model, folder + "/model.skops")
# Where dill is imported, joblib too saves functions of the script by value.
import dill
with open(folder + "/model.dill", "wb") as file:
    dill.dump(model, file)
"""


@pytest.fixture(autouse=True)
def _a_process_of_its_own() -> Iterator[None]:
    """Nothing stays behind of own modules, nor of what dill puts into the main module."""
    main = vars(sys.modules["__main__"])
    before = dict(main)
    yield
    main.clear()
    main.update(before)
    forget_modules(MODULES)


@pytest.fixture(scope="module")
def scripted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a script saved whose own functions are steps of the pipeline."""
    folder = tmp_path_factory.mktemp("scripted")
    (folder / "fit.py").write_text(SCRIPT)
    (folder / "my_steps.py").write_text("def shifted(frame):\n    return frame + 1\n")
    (folder / "my_doubling.py").write_text("def doubled(frame):\n    return frame * 2\n")
    subprocess.run([sys.executable, "fit.py", str(data), str(folder)], cwd=folder, check=True)
    return folder


def modules(folder: Path) -> list[str]:
    return [word for name in MODULES for word in ("--module", str(folder / f"{name}.py"))]


@pytest.mark.parametrize("name", ["model.joblib", "model.skops", "model.dill"])
def test_functions_of_a_script_come_from_modules(desk: Desk, scripted: Path, name: str) -> None:
    assert_same(desk.score(saved(scripted / name), *modules(scripted)), desk.frame["x"] > 0)


@pytest.mark.cluster
def test_functions_of_a_script_reach_the_workers(desk: Desk, scripted: Path) -> None:
    found = desk.score(saved(scripted / "model.joblib"), *modules(scripted), cluster={"kind": "local", "workers": 1})
    assert_same(found, desk.frame["x"] > 0)


def test_an_edited_module_predicts_anew(desk: Desk, scripted: Path) -> None:
    for name in MODULES:
        shutil.copy(scripted / f"{name}.py", desk.folder)
    model, options = saved(scripted / "model.joblib"), modules(desk.folder)
    assert_same(desk.score(model, *options), desk.frame["x"] > 0)
    (desk.folder / "my_doubling.py").write_text("def doubled(frame):\n    return frame * -2\n")
    assert (desk.score(model, *options)["prediction"] != (desk.frame["x"] > 0)).any()


def without_module(desk: Desk, scripted: Path) -> dict[str, Any]:
    return saved(scripted / "model.joblib")


def of_another_version(desk: Desk, scripted: Path) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sklearn.base.__version__", "1.0.2")
        return handed(desk, ".skops")


def changed_after(desk: Desk, scripted: Path) -> dict[str, Any]:
    model = handed(desk)
    Path(model["uri"]).write_bytes(Path(model["uri"]).read_bytes() + b"x")
    return model


def fitted_on(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Desk, Path], dict[str, Any]]:
    def made(desk: Desk, scripted: Path) -> dict[str, Any]:
        frame = change(desk.frame[["x", "count"]])
        return hand_over(DecisionTreeClassifier().fit(frame, target(desk.frame)), desk.folder / "model.skops")

    return made


def of(model: Any) -> Callable[[Desk, Path], dict[str, Any]]:
    return lambda desk, _: hand_over(model, desk.folder / "model.joblib")


NUMBERS = np.arange(20.0).reshape(10, 2)
REFUSED: dict[str, tuple[Callable[[Desk, Path], dict[str, Any]], str]] = {
    "wrong hash": (lambda desk, _: handed(desk) | {"sha256": "0" * 64}, "not the 000"),
    "no trust": (lambda desk, _: handed(desk) | {"trust": False}, "can run any code"),
    "no hash": (lambda desk, _: handed(desk) | {"sha256": None}, "can run any code"),
    "tampered": (changed_after, "that was expected"),
    "other version": (of_another_version, "saved by scikit-learn 1.0.2"),
    "no module": (without_module, "--module"),
    "not fitted": (of(LogisticRegression()), "not fitted"),
    "missing feature": (fitted_on(lambda frame: frame.assign(other=1.0)), "wants the column 'other'"),
    "renamed feature": (
        fitted_on(lambda frame: frame.rename(columns={"count": "counts"})),
        "nearest column is 'count'",
    ),
    "feature of another type": (
        fitted_on(lambda frame: frame.rename(columns={"count": "city"})),
        "could not convert string to float",
    ),
    "no names": (of(LogisticRegression().fit(NUMBERS, [0, 1] * 5)), "without column names"),
    "no predict": (of(StandardScaler().fit(NUMBERS)), "no method 'predict'"),
    "foreign type": (
        lambda desk, _: hand_over(FunctionTransformer(write_demo), desk.folder / "model.skops"),
        "allow-list",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_may_not_be_used_is_refused_before_anything_is_written(desk: Desk, scripted: Path, case: str) -> None:
    make, words = REFUSED[case]
    told = desk.command(make(desk, scripted), code=4)
    assert words in told
    assert len(told.split("\n  do:")) == 2
    assert not any(path.name.startswith("predictions") for path in desk.folder.iterdir())


def test_probabilities_of_a_model_without_them_are_refused(desk: Desk) -> None:
    model = hand_over(SVC().fit(desk.frame[["x"]], target(desk.frame)), desk.folder / "model.joblib")
    assert "gives no probabilities" in desk.command(model, predict={"proba": True}, code=4)
    assert not desk.published.exists()


@pytest.fixture(scope="module")
def bundle(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `scoreline train` made of the same data, with a cleaning step."""
    folder = tmp_path_factory.mktemp("trained")
    config = {
        "version": 1,
        "name": "trained",
        "source": {"kind": "parquet", "uri": str(data)},
        "clean": [{"kind": "derive", "columns": {"twice": "x * 2"}}],
        "features": [{"kind": "standard_scale", "columns": ["twice", "count"]}],
        "target": "flag",
        "train": {"model": {"kind": "logistic_regression"}, "task": "classification"},
        "artifacts": str(folder),
    }
    (folder / "job.json").write_text(json.dumps(config))
    train(folder / "job.json")
    (made,) = (folder / "models").iterdir()
    return made


@pytest.mark.parametrize("trust", [False, True])
def test_a_bundle_brings_its_own_cleaning(desk: Desk, bundle: Path, trust: bool) -> None:
    pinned = {"sha256": saved(bundle / "pipeline.joblib")["sha256"], "trust": True} if trust else {}
    found = desk.score({"uri": str(bundle), **pinned}, predict={"proba": True})
    plain, frame = joblib.load(bundle / "pipeline.joblib"), desk.frame.assign(twice=desk.frame["x"] * 2)
    features = frame[plain.feature_names_in_].astype(float)
    assert_same(found, plain.predict(features), plain.predict_proba(features), plain.classes_)


def test_cleaning_beside_a_bundle_is_refused(desk: Desk, bundle: Path) -> None:
    told = desk.command({"uri": str(bundle)}, clean=[{"kind": "trim_strings"}], code=2)
    assert "brings its own cleaning" in told
    assert not desk.published.exists()


@pytest.mark.parametrize("name", ["pipeline.joblib", "pipeline.skops", "cleaning.json", "contract.json", "SHA256SUMS"])
def test_a_bundle_that_was_tampered_with_is_refused(desk: Desk, bundle: Path, name: str) -> None:
    copy = shutil.copytree(bundle, desk.folder / "bundle")
    body = (copy / name).read_bytes()
    (copy / name).write_bytes(body[:9] + bytes([body[9] ^ 1]) + body[10:])
    told = desk.command({"uri": str(copy)}, code=4)
    assert "sha256 differs" in told
    assert not desk.published.exists()


def test_another_bundle_than_the_one_that_was_pinned_is_refused(desk: Desk, bundle: Path) -> None:
    assert "not the 111" in desk.command({"uri": str(bundle), "sha256": "1" * 64}, code=4)
