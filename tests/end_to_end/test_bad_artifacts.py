"""Artifacts from elsewhere that are missing, damaged, no model or for other data: refused, and nothing is changed."""

import hashlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from tests.end_to_end.spoiling import (
    HEADER,
    REMOVED,
    Case,
    check_answer,
    data,
    rows,
    scoreline_here,
    spoil,
    working_job,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.filterwarnings("default")]

PREDICT_ONLY = dict.fromkeys(("train", "features", "target", "evaluate"), REMOVED)
FRAME = pd.read_csv(io.StringIO(HEADER + rows(0, 120)), dtype={"id": "str"})


def first(amount: str = "amount", city: str = "city") -> ColumnTransformer:
    return make_column_transformer((StandardScaler(), [amount]), (OneHotEncoder(), [city]))


def fitted(model: Any, columns: tuple[str, ...] = ("amount", "city"), target: Any = None) -> Pipeline:
    frame = FRAME.assign(extra=1.0)[list(columns)]
    return make_pipeline(first(), model).fit(frame, FRAME["group"] if target is None else target)


def asking_for_more() -> Pipeline:
    """Fitted on a column that the input does not have."""
    columns = make_column_transformer((StandardScaler(), ["amount", "extra"]), (OneHotEncoder(), ["city"]))
    return make_pipeline(columns, LogisticRegression()).fit(FRAME.assign(extra=1.0), FRAME["group"])


def swapped() -> Pipeline:
    """Fitted on text under the name of the amounts, and on amounts under the name of the text."""
    frame = FRAME.rename(columns={"city": "amount", "amount": "city"})[["amount", "city"]]
    return make_pipeline(first("city", "amount"), LogisticRegression()).fit(frame, FRAME["group"])


def double(values: np.ndarray) -> np.ndarray:
    return values * 2


def own_function() -> bytes:
    """A pipeline with a function of a module that is not there when it is loaded."""
    module = ModuleType("functions_of_mine")
    double.__module__ = module.__name__
    vars(module)["double"] = double
    pipeline = make_pipeline(first(), FunctionTransformer(double), LogisticRegression())
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        return saved(pipeline.fit(FRAME[["amount", "city"]], FRAME["group"]))


def saved(found: Any) -> bytes:
    joblib.dump(found, buffer := io.BytesIO())
    return buffer.getvalue()


GOOD = saved(fitted(LogisticRegression()))


def handed(
    body: bytes, name: str = "model.joblib", change: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """The keyword arguments of a case with an artifact."""
    model = {"uri": name, "sha256": hashlib.sha256(body).hexdigest(), "trust": True, **more}
    return {"change": {**PREDICT_ONLY, "model": model, **(change or {})}, "files": {name: body}}


def with_transformer(transformer: bytes, model: bytes) -> dict[str, Any]:
    found = handed(model)
    other = {"uri": "first.joblib", "sha256": hashlib.sha256(transformer).hexdigest(), "trust": True}
    return {
        "change": {**found["change"], "transformer": other},
        "files": {**found["files"], "first.joblib": transformer},
    }


def bundle(change: Callable[[Path], object] = lambda _: None) -> dict[str, Any]:
    """The bundle of the job that ran, as a model from elsewhere."""

    def moved(folder: Path) -> None:
        (made,) = (folder / "artifacts/models").iterdir()
        made.rename(folder / "handed")
        change(folder / "handed")

    return {"change": {**PREDICT_ONLY, "clean": [], "model": {"uri": "handed"}}, "spoil": moved}


def shortened(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-10])


ARRAYS = saved(LogisticRegression().fit(FRAME[["amount"]].to_numpy(), FRAME["group"]))
PROBA = {"predict.proba": True}
TOWNS = data(lambda text: text.replace("city", "town"))

# fmt: off
CASES = [
    Case("no such file", 3, "no such file", "/nowhere.joblib", "correct the location",
         **handed(GOOD, change={"model": {"uri": "nowhere.joblib", "sha256": "0" * 64, "trust": True}})),
    Case("an empty file", 4, "is empty", "/model.joblib", "again", **handed(b"")),
    Case("a text", 4, "does not load as joblib", "/model.joblib", "suffix", **handed(b"hello\n")),
    Case("half a file", 4, "does not load as joblib", "/model.joblib", "whole", **handed(GOOD[: len(GOOD) // 2])),
    Case("no skops", 4, "does not load as skops", "/model.skops", "suffix", **handed(GOOD, "model.skops")),
    Case("no dill", 4, "does not load as dill", "/model.dill", "suffix", **handed(b"hello", "model.dill")),
    Case("no suffix", 4, "no format that can be loaded", "/model", ".skops", **handed(GOOD, "model")),
    Case("a folder", 4, "no format that can be loaded", "/data", "folder of a bundle",
         **handed(GOOD, change={"model": {"uri": "data"}})),
    Case("another hash", 4, "not the 0000", "/model.joblib", "put its hash", **handed(GOOD, sha256="0" * 64)),
    Case("half a hash", 2, '"sha256" must be text', "($.model.sha256)", "Hash", **handed(GOOD, sha256="abc")),
    Case("no trust", 4, "can run any code", "/model.joblib", '"trust": true', **handed(GOOD, trust=False)),
    Case("no hash", 4, "can run any code", "/model.joblib", '"sha256": "', **handed(GOOD, sha256=None)),
    Case("not fitted", 4, "the Pipeline in the file is not fitted", "/model.joblib", "fit it",
         **handed(saved(make_pipeline(first(), LogisticRegression())))),
    Case("a class", 4, "the class LogisticRegression", "/model.joblib", "fit it", **handed(saved(LogisticRegression))),
    Case("a dictionary", 4, "a dict, which has no method 'predict'", "/model.joblib", "hand over",
         **handed(saved({"a": 1}))),
    Case("an array", 4, "a ndarray, which has no method 'predict'", "/model.joblib", "hand over",
         **handed(saved(np.arange(3)))),
    Case("a transformer as model", 4, "a ColumnTransformer, which has no method 'predict'", "/model.joblib",
         "under 'transformer'", **handed(saved(first().fit(FRAME)))),
    Case("a model as transformer", 4, "a LogisticRegression, which has no method 'transform'", "/first.joblib",
         "under 'model'", **with_transformer(ARRAYS, ARRAYS)),
    Case("a pair that does not fit", 4, "fitted on 1 features, and the transformer makes 4", "/model.joblib",
         "together", **with_transformer(saved(first().fit(FRAME)), ARRAYS)),
    Case("probabilities of amounts", 4, "gives no probabilities", "($.predict.proba)", '"proba": false',
         **handed(saved(fitted(LinearRegression(), target=FRAME["amount"])), change=PROBA)),
    Case("probabilities of a margin", 4, "gives no probabilities", "($.predict.proba)", '"proba": false',
         **handed(saved(fitted(LinearSVC())), change=PROBA)),
    Case("other features", 4, "wants the column 'extra'", "/model.joblib", "id, amount, city",
         **handed(saved(asking_for_more()))),
    Case("other columns", 4, "wants the column 'city'", "/model.joblib", "id, amount, town",
         **{**handed(GOOD), "files": {**handed(GOOD)["files"], **TOWNS}}),
    Case("columns of other types", 4, "could not convert string to float: ...", "/model.joblib", "names and types",
         **handed(saved(swapped()))),
    Case("no names", 4, "fitted without column names", "/model.joblib", "list its 1 columns", **handed(ARRAYS)),
    Case("too many names", 4, "fitted on 1 columns, and the config lists 2", "/model.joblib", "exactly the columns",
         **handed(ARRAYS, columns=["amount", "city"])),
    Case("a wrong name", 4, "wants the column 'amout'", "/model.joblib", "'amount'",
         **handed(ARRAYS, columns=["amout"])),
    Case("code that is not there", 4, "No module named 'functions_of_mine'", "/model.joblib", "--module",
         **handed(own_function())),
    Case("a bundle beside cleaning", 2, "brings its own cleaning", "($.clean)", 'remove "clean"',
         **{**bundle(), "change": {**PREDICT_ONLY, "model": {"uri": "handed"}}}),
    Case("a bundle that was changed", 4, "'pipeline.skops' is missing or not what was written", "/pipeline.skops",
         "restore", **bundle(shortened("pipeline.skops"))),
    Case("a bundle without its golden rows", 4, "'golden.parquet' is missing", "/golden.parquet", "restore",
         **bundle(lambda folder: (folder / "golden.parquet").unlink())),
    Case("nothing to train", 2, "no section 'train'", "job.json", "scoreline predict", command=("train", "job.json"),
         **handed(GOOD)),
    Case("nothing to evaluate", 2, "no section 'train'", "job.json", "scoreline predict",
         command=("evaluate", "job.json"), **handed(GOOD)),
]
# fmt: on


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("working") / "job"
    working_job(folder)
    return folder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_artifacts_are_refused_and_nothing_is_changed(
    case: Case, working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(case, working, tmp_path / "job", monkeypatch)
    check_answer(case)


@pytest.mark.parametrize(
    "parts",
    [
        handed(GOOD),
        handed(ARRAYS, columns=["amount"]),
        handed(saved(fitted(KMeans(2, n_init=1)))),
        bundle(),
    ],
)
def test_what_is_refused_when_bad_predicts_when_good(
    parts: dict[str, Any], working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(Case("", 0, "", "", "", **parts), working, tmp_path / "job", monkeypatch)
    told = scoreline_here("run", "job.json")
    assert told.code == 0, told.err
    assert "120 in = 120 predicted" in told.out
