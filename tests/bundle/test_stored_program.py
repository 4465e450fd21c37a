"""A bundle answers by the compiled form that it keeps while every byte is right, and by scikit-learn else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from scoreline.bundle import stored_program
from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle
from scoreline.bundle.files import MODEL, SUMS, dumped, load_bundle, write_bundle
from scoreline.bundle.golden import golden_rows
from scoreline.bundle.stored_program import CERTIFICATE, FOLDER
from scoreline.cleaners.filter_rows import FilterRows
from scoreline.cleaners.trim_strings import TrimStrings
from scoreline.cleaning import Cleaning
from scoreline.compiled.baked.program import Program
from scoreline.compiled.plan import NotCompilable
from scoreline.contract import Contract
from scoreline.errors import DataError
from scoreline.frame import to_frame
from scoreline.storage import create

SCHEMA = pa.schema([("city", pa.string()), ("amount", pa.float64()), ("age", pa.int64())])
CITIES = ["Natal", "Olinda", "Recife"]
MODELS: dict[str, Any] = {
    "logistic": LogisticRegression(),
    "forest": RandomForestClassifier(7, max_depth=5, random_state=0),
    "hist": HistGradientBoostingClassifier(max_iter=3, random_state=0),
    "neighbours": KNeighborsClassifier(3),
}


def rows(count: int, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    amounts = pa.array(rng.normal(0, 1, count), mask=rng.random(count) < 0.1)
    cities, ages = pa.array(rng.choice(CITIES, count)), pa.array(rng.integers(18, 90, count))
    return pa.table([cities, amounts, ages], schema=SCHEMA)


def make(folder: Path, model: Any, cleaning: Cleaning | None = None) -> Path:
    """A bundle with text, numbers with nulls and whole numbers."""
    table = rows(300)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    pipeline = make_pipeline(make_column_transformer((encoder, ["city"]), (numbers, ["amount", "age"])), model)
    score = np.nan_to_num(table["amount"].to_numpy()) + np.array([len(city) for city in table["city"].to_pylist()])
    pipeline.fit(to_frame(table, SCHEMA), np.array(["low", "high"])[(score > 5.5).astype(int)])
    uri, body = str(folder), dumped(pipeline)
    create(f"{uri}/{MODEL}", body)
    made = Bundle(
        contract=Contract(SCHEMA, {}),
        needs=tuple(SCHEMA.names),
        cleaning=cleaning or Cleaning(),
        inputs=SCHEMA,
        model=ArtifactConfig(uri=f"{uri}/{MODEL}", sha256=hashlib.sha256(body).hexdigest(), trust=True),
        transformer=None,
        answer_type=pa.string(),
        labels=tuple(pipeline.classes_),
    )
    write_bundle(uri, made, pipeline, golden_rows(made, table.slice(0, 20)), {}, real=table)
    return folder


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    steps = Cleaning((TrimStrings(columns=("city",)), FilterRows(where="age > 17", on="both")))
    made = {name: make(folder / name, model) for name, model in MODELS.items()}
    return {**made, "cleaned": make(folder / "cleaned", MODELS["forest"], steps)}


@pytest.fixture
def copy(bundles: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundles["forest"], tmp_path / "copy"))


def loaded(folder: Path) -> Bundle:
    stored_program._loaded.cache_clear()
    return load_bundle(str(folder))


def certified_again(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the certificate, with hashes that fit, as one would who does it on purpose."""
    stated = json.loads((folder / CERTIFICATE).read_text())
    for name in stated["files"]:
        stated["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    change(stated)
    before = hashlib.sha256((folder / CERTIFICATE).read_bytes()).hexdigest()
    (folder / CERTIFICATE).write_text(json.dumps(stated))
    after = hashlib.sha256((folder / CERTIFICATE).read_bytes()).hexdigest()
    (folder / SUMS).write_text((folder / SUMS).read_text().replace(before, after))


def reason(bundle: Bundle) -> str:
    assert isinstance(bundle.program, NotCompilable)
    assert bundle.program.reason in bundle.reasons[0]
    return bundle.program.reason


def in_new_process(script: str, **environment: str) -> list[str]:
    here = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={**here, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["logistic", "forest", "hist"])
def test_a_new_process_answers_without_scikit_learn_pandas_or_dask(
    bundles: dict[str, Path], tmp_path: Path, name: str
) -> None:
    table = rows(50, 1)
    pq.write_table(table, tmp_path / "rows.parquet")
    script = (
        "import sys\n"
        "import scoreline as sl\n"
        f"bundle = sl.Bundle.load({str(bundles[name])!r})\n"
        f"print(bundle.predict_record({table.to_pylist()[0]!r}).prediction)\n"
        "import pyarrow.parquet as pq\n"
        f"table = pq.ParquetFile({str(tmp_path / 'rows.parquet')!r}).read()\n"
        "for _ in range(20):\n"
        "    scored = bundle.predict(table)\n"
        "print(*scored.predictions.to_pylist())\n"
        "print(*sorted({'sklearn', 'pandas', 'dask', 'distributed', 'dask_ml'} & set(sys.modules)))\n"
    )
    one, every, heavy = in_new_process(script)
    plain = replace(loaded(bundles[name]), stored=None).predict(table).predictions.to_pylist()
    assert (one, every.split(), heavy) == (plain[0], plain, "")


@pytest.mark.parametrize("environment", [{}, {"NUMBA_CACHE_DIR": "/dev/null/nowhere"}], ids=["no home", "no cache"])
def test_kernels_work_where_their_code_cannot_be_kept(bundles: dict[str, Path], environment: dict[str, str]) -> None:
    script = (
        "import scoreline as sl\n"
        f"bundle = sl.Bundle.load({str(bundles['logistic'])!r})\n"
        f"answers = [bundle.predict_record(row) for row in {rows(30, 1).to_pylist()!r}]\n"
        "print(*(answer.prediction for answer in answers))\n"
        "print(*{str(answer.tier) for answer in answers})\n"
    )
    every, tiers = in_new_process(script, **environment)
    plain = replace(loaded(bundles["logistic"]), stored=None).predict(rows(30, 1)).predictions.to_pylist()
    assert (every.split(), tiers) == (plain, "A")


def test_any_flipped_byte_ends_the_use_of_the_program_alone(copy: Path) -> None:
    for path in sorted((copy / FOLDER).iterdir()):
        body = path.read_bytes()
        for place in {*range(0, len(body), max(1, len(body) // 25)), len(body) - 1}:
            path.write_bytes(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :])
            stored_program._loaded.cache_clear()
            found = loaded_program(copy)
            assert isinstance(found, NotCompilable)
            assert f"'{FOLDER}/{path.name}' is not what was written" in found.reason
        path.write_bytes(body)
    assert isinstance(loaded_program(copy), Program)


def loaded_program(folder: Path) -> Program | NotCompilable:
    stored_program._loaded.cache_clear()
    hashes = dict(reversed(line.split("  ")) for line in (folder / SUMS).read_text().splitlines())
    return stored_program.StoredProgram(str(folder), hashes[CERTIFICATE], hashes[MODEL]).program


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_missing_and_empty_files_leave_the_rows_to_scikit_learn(copy: Path, damage: Callable[[Path], Any]) -> None:
    expected = loaded(copy).predict(rows(30, 1)).predictions
    damage(copy / FOLDER / "nodes.npy")
    bundle = loaded(copy)
    assert "stored program" in reason(bundle) or "nodes.npy" in reason(bundle)
    scored = bundle.predict(rows(30, 1))
    assert (scored.predictions, scored.tier) == (expected, "C")
    assert bundle.predict_record(rows(30, 1).to_pylist()[0]).tier == "C"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda stated: stated["versions"].update({"scikit-learn": "1.0"}), "another scikit-learn"),
        (lambda stated: stated["versions"].update({"numba": "1.0", "numpy": "1.0"}), "another numpy, numba"),
        (lambda stated: stated["cpu"].update({"name": "abacus"}), "another processor"),
        (lambda stated: stated.update({"model": "0" * 64}), "another model"),
        (lambda stated: stated.update({"format": 0}), "another format"),
        (lambda stated: stated["files"].pop(f"{FOLDER}/nodes.npy"), "KeyError"),
    ],
)
def test_a_certificate_of_something_else_is_not_used(copy: Path, change: Callable[[Any], Any], said: str) -> None:
    certified_again(copy, change)
    assert said in reason(loaded(copy))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("nodes", lambda array: array | np.uint64(2**40 * (2**24 - 1))),
        ("nodes", lambda array: array & np.uint64(2**40 - 1)),
        ("nodes", lambda array: array | np.uint64(0xFF << 32)),
        ("nodes", lambda array: array.astype(np.int64)),
        ("roots", lambda array: array + np.uint64(2**30)),
        ("leaf", lambda array: array + np.uint32(2**20)),
        ("leaf", lambda array: array[:-1]),
        ("first", lambda array: array[::-1]),
        ("first", lambda array: array + 1),
        ("place", lambda array: array + np.uint16(9)),
        ("value", lambda array: array[:-1]),
        ("codes", lambda array: array + 70_000),
        ("cuts", lambda array: array[::-1]),
        ("start", lambda array: array[:-1]),
        ("start", lambda array: array[:0]),
    ],
)
def test_arrays_that_would_lead_kernels_astray_are_refused(
    copy: Path, name: str, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    path = copy / FOLDER / f"{name}.npy"
    np.save(path, np.ascontiguousarray(change(np.load(path))))
    certified_again(copy, len)
    assert "do not belong together" in reason(loaded(copy)) or "ValueError" in reason(loaded(copy))


def test_a_program_that_gives_other_golden_answers_is_not_used(copy: Path) -> None:
    path = copy / FOLDER / "value.npy"
    np.save(path, np.load(path)[::-1])
    certified_again(copy, len)
    bundle = loaded(copy)
    assert "golden rows" in reason(bundle)
    assert bundle.predict(rows(30, 1)).tier == "C"


def test_a_pipeline_without_a_program_says_why(bundles: dict[str, Path]) -> None:
    bundle = loaded(bundles["neighbours"])
    assert "KNeighborsClassifier" in reason(bundle)
    assert [path.name for path in (bundles["neighbours"] / FOLDER).iterdir()] == ["certificate.json"]
    assert bundle.predict_record(rows(1).to_pylist()[0]).tier == "C"


@pytest.mark.parametrize("name", ["logistic", "forest", "hist", "cleaned", "neighbours"])
@settings(max_examples=25, deadline=None)
@given(
    city=st.one_of(st.none(), st.sampled_from([*CITIES, " Natal ", "elsewhere", "a\0"]), st.text(max_size=4)),
    amount=st.one_of(st.none(), st.floats(), st.integers(-5, 5)),
    age=st.one_of(st.none(), st.integers(-(2**53), 2**53)),
)
def test_a_record_is_answered_as_a_table_of_one_row(
    bundles: dict[str, Path], name: str, city: Any, amount: Any, age: Any
) -> None:
    bundle = load_bundle(str(bundles[name]))
    record = {"city": city, "amount": amount, "age": age, "beside": object()}
    try:
        table = pa.Table.from_pylist([record], schema=SCHEMA)
    except UnicodeEncodeError:
        with pytest.raises(DataError, match="another type"):
            bundle.predict_record(record)
        return
    scored = replace(bundle, stored=None).predict(table, proba=True)
    if not len(scored.positions):
        with pytest.raises(DataError):
            bundle.predict_record(record, proba=True)
        return
    found = bundle.predict_record(record, proba=True)
    assert found.prediction == scored.predictions[0].as_py()
    assert found.proba == tuple((scored.proba if scored.proba is not None else np.empty(0))[0].tolist())
    assert bundle.predict_record(record).prediction == found.prediction


@pytest.mark.parametrize("name", ["forest", "cleaned", "neighbours"])
@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"city": "Natal", "amount": 1.0}, "no value for age"),
        ({"city": "Natal", "amount": 1.0, "age": "old"}, "another type"),
        ({"city": "Natal", "amount": float("inf"), "age": 30}, "predict_failed"),
    ],
)
def test_a_record_without_an_answer_is_an_error_that_says_why(
    bundles: dict[str, Path], name: str, record: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        loaded(bundles[name]).predict_record(record)


@pytest.mark.parametrize("name", ["forest", "cleaned", "neighbours"])
@pytest.mark.parametrize("asked", [None, 3, "Natal", ["Natal", 1.0, 30], pd.DataFrame({"city": ["Natal"]}), rows(1)])
def test_what_is_no_mapping_is_an_error_that_says_what_to_give(bundles: dict[str, Path], name: str, asked: Any) -> None:
    with pytest.raises(DataError, match=f"{type(asked).__name__} is no record") as caught:
        loaded(bundles[name]).predict_record(asked)
    assert "give a dict" in caught.value.problems[0].advice


@pytest.mark.parametrize("name", ["forest", "cleaned", "neighbours"])
def test_a_row_of_pandas_is_a_record(bundles: dict[str, Path], name: str) -> None:
    record = {"city": "Natal", "amount": 1.0, "age": 30}
    bundle = loaded(bundles[name])
    assert bundle.predict_record(pd.Series(record)) == bundle.predict_record(record)


def test_a_record_that_cleaning_drops_is_an_error(bundles: dict[str, Path]) -> None:
    with pytest.raises(DataError, match="drops this record"):
        loaded(bundles["cleaned"]).predict_record({"city": "Natal", "amount": 1.0, "age": 3})


@pytest.mark.parametrize("name", ["logistic", "forest", "hist", "cleaned"])
def test_small_tables_are_answered_by_the_program(bundles: dict[str, Path], name: str) -> None:
    bundle = loaded(bundles[name])
    for table in (rows(0), rows(1), rows(700, 3)):
        scored, plain = bundle.predict(table), replace(bundle, stored=None).predict(table)
        assert scored.predictions == plain.predictions
        assert scored.positions.tolist() == plain.positions.tolist()
        assert scored.tier == "A"


def test_the_certificate_says_what_was_proven(bundles: dict[str, Path]) -> None:
    stated = json.loads((bundles["forest"] / CERTIFICATE).read_text())
    assert stated["proven_on"]["golden"] == 20
    assert min(stated["proven_on"].values()) > 0
    assert {"numpy", "numba", "scikit-learn", "scoreline"} <= set(stated["versions"])
    named = (bundles["forest"] / SUMS).read_text()
    assert all(f"{FOLDER}/{path.name}" in named for path in (bundles["forest"] / FOLDER).iterdir())
