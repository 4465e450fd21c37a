"""A bundle comes back as it was written, on plain libraries alone, and no changed byte goes unnoticed."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle
from scoreline.bundle.files import MODEL, SAFE_MODEL, SUMS, dumped, is_bundle, load_bundle, required, write_bundle
from scoreline.bundle.golden import PREDICTION, PROBA, golden_rows
from scoreline.cleaners.parse_numbers import ParseNumbers
from scoreline.cleaners.trim_strings import TrimStrings
from scoreline.cleaning import Cleaning
from scoreline.contract import Contract, Rule
from scoreline.errors import ModelError
from scoreline.models.lightgbm import Lightgbm
from scoreline.models.xgboost import Xgboost
from scoreline.storage import create

RAW = pa.table({"city": ["a ", "b", None, "a"] * 5, "amount": ["1,5", "2", "3", "4,25"] * 5, "id": range(20)})
FEATURES = pd.DataFrame({"city": ["a", "b", np.nan, "a"] * 5, "amount": [1.5, 2.0, 3.0, 4.25] * 5})
LABELS = np.array(["no", "yes", "no", "yes"] * 5, dtype=object)
FILES = (
    "SHA256SUMS",
    "cleaning.json",
    "compiled",
    "contract.json",
    "golden.parquet",
    "pipeline.joblib",
    "pipeline.skops",
    "provenance.json",
    "requirements.txt",
)


def classifier() -> Pipeline:
    columns = ColumnTransformer(
        [("city", OneHotEncoder(handle_unknown="ignore"), ["city"]), ("amount", StandardScaler(), ["amount"])]
    )
    return Pipeline([("features", columns), ("model", LogisticRegression())]).fit(FEATURES, LABELS)


def regressor() -> Pipeline:
    return make_pipeline(StandardScaler(), LinearRegression()).fit(FEATURES[["amount"]], FEATURES["amount"] * 3)


def written(folder: Path, pipeline: Pipeline, **changes: Any) -> Bundle:
    uri, body = str(folder), dumped(pipeline)
    create(f"{uri}/{MODEL}", body)
    names = tuple(pipeline.feature_names_in_)
    types = {"city": pa.string(), "amount": pa.float64()}
    bundle = Bundle(
        contract=Contract(RAW.schema, {"id": Rule(nullable=False)}, key=("id",)),
        needs=tuple(name for name in ("city", "amount") if name in names),
        cleaning=Cleaning((TrimStrings(columns=names), ParseNumbers(columns=("amount",), decimal=","))),
        inputs=pa.schema([(name, types[name]) for name in names]),
        model=ArtifactConfig(uri=f"{uri}/{MODEL}", sha256=hashlib.sha256(body).hexdigest(), trust=True),
        transformer=None,
        answer_type=pa.string() if hasattr(pipeline, "classes_") else pa.float64(),
        labels=tuple(pipeline.classes_) if hasattr(pipeline, "classes_") else None,
        target="bought",
    )
    clean = bundle.cleaning.apply(RAW.select(bundle.needs)).table
    write_bundle(uri, replace(bundle, **changes), pipeline, golden_rows(bundle, RAW), {"name": "test"}, real=clean)
    return replace(bundle, **changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "bundle"
    written(folder, classifier())
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hashed_again(folder: Path) -> None:
    """Hashes that fit the files, as one would write who changes files on purpose."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != SUMS]
    lines = [f"{hash_of(path)}  {path.relative_to(folder)}\n" for path in files]
    (folder / SUMS).write_text("".join(lines))


def refused(folder: Path, **options: Any) -> list[str]:
    with pytest.raises(ModelError) as caught:
        load_bundle(str(folder), **options)
    return [f"{problem.where}: {problem.what}" for problem in caught.value.problems]


@pytest.mark.parametrize("pipeline", [classifier(), regressor()], ids=["classifier", "regressor"])
def test_a_bundle_comes_back_as_it_was_written(tmp_path: Path, pipeline: Pipeline) -> None:
    bundle = written(tmp_path / "bundle", pipeline)
    again = load_bundle(str(tmp_path / "bundle"))
    assert {**vars(again), "joblib_sha256": None, "stored": None} == vars(bundle)
    assert again.identity == bundle.identity
    frame = FEATURES[list(pipeline.feature_names_in_)]
    assert again.predict(RAW).predictions.to_pylist() == pipeline.predict(frame).tolist()


def test_its_files_are_those_that_the_documentation_names(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == list(FILES)


def test_plain_scikit_learn_predicts_with_it_in_a_process_that_knows_neither_dask_nor_scoreline(
    made: Path, tmp_path: Path
) -> None:
    FEATURES.to_pickle(tmp_path / "features.pkl")
    script = (
        "import sys, joblib, pandas\n"
        f"pipeline = joblib.load({str(made / MODEL)!r})\n"
        f"print(*pipeline.predict(pandas.read_pickle({str(tmp_path / 'features.pkl')!r})))\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'dask', 'distributed', 'scoreline'}))\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [" ".join(classifier().predict(FEATURES)), ""]


def test_its_requirements_are_what_is_installed_here(made: Path) -> None:
    lines = (made / "requirements.txt").read_text().splitlines()
    assert f"scikit-learn=={sys.modules['sklearn'].__version__}" in lines
    assert f"numpy=={np.__version__}" in lines


@pytest.mark.parametrize(("model", "package"), [(Lightgbm(), "lightgbm"), (Xgboost(), "xgboost")])
def test_packages_of_the_estimators_inside_are_required(model: Any, package: str) -> None:
    pipeline = Pipeline([("features", "passthrough"), ("model", model.build("classification", 0, 1))])
    assert any(name.startswith(package) for name in required(pipeline))
    assert not any(name.startswith(package) for name in required(classifier()))


@pytest.mark.parametrize("name", [name for name in FILES if name not in (SUMS, "compiled")])
def test_a_flipped_bit_in_any_file_is_found(copy: Path, name: str) -> None:
    body = bytearray((copy / name).read_bytes())
    body[len(body) // 2] ^= 1
    (copy / name).write_bytes(body)
    (found,) = refused(copy)
    assert found.startswith(f"{copy / name}: '{name}' is missing or not what was written")


@pytest.mark.parametrize("name", [name for name in FILES if name not in (SUMS, "compiled")])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert refused(copy)[0].startswith(str(copy / name))


def test_all_changed_files_are_named_at_once(copy: Path) -> None:
    for name in ("contract.json", "golden.parquet"):
        (copy / name).write_bytes(b"")
    assert [found.partition(":")[0] for found in refused(copy)] == [
        str(copy / "contract.json"),
        str(copy / "golden.parquet"),
    ]


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[1:],
        lambda lines: [line for line in lines if MODEL not in line],
        lambda lines: lines[:0],
        lambda lines: [line.replace("  ", " ") for line in lines],
        lambda lines: [lines[0][:5] + "\udcff" + lines[0][6:], *lines[1:]],
        lambda lines: ["0" * 64 + lines[0][64:], *lines[1:]],
    ],
)
def test_damaged_hashes_are_found(copy: Path, damage: Callable[[list[str]], list[str]]) -> None:
    lines = (copy / SUMS).read_text().splitlines(keepends=True)
    (copy / SUMS).write_text("".join(damage(lines)), errors="surrogateescape")
    assert refused(copy)


def test_a_folder_without_hashes_is_no_bundle(copy: Path) -> None:
    assert is_bundle(str(copy))
    (copy / SUMS).unlink()
    assert not is_bundle(str(copy))


def test_an_attempt_that_broke_off_is_completed(copy: Path) -> None:
    (copy / SUMS).unlink()
    (copy / "golden.parquet").unlink()
    stored = load_bundle(str(written(copy, classifier()).model.uri.removesuffix(f"/{MODEL}")))
    assert stored.predict(RAW).predictions.to_pylist() == classifier().predict(FEATURES).tolist()


@pytest.mark.parametrize("change", [PREDICTION, PROBA])
def test_other_predictions_than_where_it_was_made_are_refused(copy: Path, change: str) -> None:
    golden = pq.read_table(copy / "golden.parquet")
    reversed_rows = golden[change].take(pa.array(range(golden.num_rows))[::-1])
    golden = golden.set_column(golden.column_names.index(change), change, reversed_rows)
    pq.write_table(golden, copy / "golden.parquet", write_page_checksum=True)
    hashed_again(copy)
    assert "gives other predictions here" in refused(copy)[0]


def test_a_bundle_handed_over_is_loaded_without_running_code(copy: Path) -> None:
    loaded = load_bundle(str(copy), given=ArtifactConfig(uri=str(copy)))
    assert loaded.model.uri == str(copy / SAFE_MODEL)
    assert loaded.identity == hash_of(copy / MODEL)
    assert loaded.predict(RAW).predictions.to_pylist() == classifier().predict(FEATURES).tolist()


def test_trust_without_a_hash_is_no_reason_to_run_code(copy: Path) -> None:
    marker = copy / "ran"
    (copy / MODEL).write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    hashed_again(copy)
    loaded = load_bundle(str(copy), given=ArtifactConfig(uri=str(copy), trust=True))
    assert loaded.model.uri == str(copy / SAFE_MODEL)
    assert not marker.exists()


def test_with_trust_and_its_hash_the_pickle_is_loaded(copy: Path) -> None:
    given = ArtifactConfig(uri=str(copy), sha256=hash_of(copy / MODEL), trust=True)
    assert load_bundle(str(copy), given=given).model.uri == str(copy / MODEL)


def test_another_hash_than_the_one_expected_is_refused(copy: Path) -> None:
    found = refused(copy, given=ArtifactConfig(uri=str(copy), sha256="0" * 64))
    assert f"{'0' * 64} that was expected" in found[0]


def test_a_module_of_ones_own_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("my_own_steps")
    with monkeypatch.context() as there:
        there.setitem(sys.modules, "my_own_steps", module)
        written(tmp_path / "bundle", classifier(), modules=("my_own_steps",))
    assert "'my_own_steps'" in refused(tmp_path / "bundle")[0]
    monkeypatch.setitem(sys.modules, "my_own_steps", module)
    assert load_bundle(str(tmp_path / "bundle")).modules == ("my_own_steps",)


def test_equal_objects_have_the_same_bytes_whether_or_not_they_are_the_same_object() -> None:
    name, other = "scaler", str(b"scaler", "ascii")
    once = {"names": [name, name], "types": [np.dtype("f8")], "values": np.zeros(3)}
    twice = {"names": [name, other], "types": [np.dtype([("a", "f8")])["a"]], "values": np.zeros(3)}
    assert plainly_dumped(once) != plainly_dumped(twice)
    assert dumped(once) == dumped(twice)
    assert joblib.load(io.BytesIO(dumped(twice)))["names"] == ["scaler", "scaler"]


def plainly_dumped(content: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(content, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("first", ["dill, joblib", "joblib, dill"])
def test_what_dill_teaches_pickle_does_not_reach_a_bundle(first: str) -> None:
    script = (
        f"import {first}, hashlib, numpy\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import FunctionTransformer, OneHotEncoder\n"
        "from scoreline.bundle.files import dumped\n"
        "made = make_pipeline(FunctionTransformer(numpy.log1p), OneHotEncoder(dtype=numpy.float32))\n"
        "print(hashlib.sha256(dumped(made)).hexdigest())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    plain = make_pipeline(FunctionTransformer(np.log1p), OneHotEncoder(dtype=np.float32))
    assert done.stdout.strip() == hashlib.sha256(dumped(plain)).hexdigest()
