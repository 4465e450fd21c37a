"""What the project promises of any job: nothing stale, nothing lost, the same bytes again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from tests.end_to_end.in_process import account, job, kept, predicted, published_bytes, ran, rows, store

import scoreline as sl
from scoreline.errors import DataError, ModelError

pytestmark = pytest.mark.end_to_end


def csv_job(folder: Path, **reading: Any) -> dict[str, Any]:
    """A job on a CSV file whose cities are spelled with a character above ASCII."""
    table = rows(300)
    table = table.set_column(1, "x", pa.array([None if x is None else round(x, 3) for x in table["x"].to_pylist()]))
    (folder / "in").mkdir(exist_ok=True)
    path = folder / "in/rows.csv"
    if not path.exists():
        pa_csv.write_csv(table, path, pa_csv.WriteOptions(delimiter=";", quoting_style="none"))
        path.write_bytes(path.read_bytes().replace(b"Recife", "São Paulo".encode("latin-1")))
    source = {"kind": "csv", "uri": str(folder / "in"), "delimiter": ";", "encoding": "latin-1", **reading}
    return job(folder, source=source, contract={"columns": {"x": {"type": "float64"}, "city": {"type": "string"}}})


@pytest.mark.parametrize("reading", [{"encoding": "cp850"}, {"null_values": ["Olinda"]}, {"thousands": " "}])
def test_another_way_to_read_the_same_files_trains_and_predicts_again(tmp_path: Path, reading: dict[str, Any]) -> None:
    first = ran(tmp_path, csv_job(tmp_path))
    second = ran(tmp_path, csv_job(tmp_path, **reading))
    assert (first.model or {})["uri"] != (second.model or {})["uri"]
    assert (second.predictions or {})["version"] == 2


def test_what_a_config_says_and_what_is_found_out_are_the_same_reading(tmp_path: Path) -> None:
    first = ran(tmp_path, csv_job(tmp_path))
    second = ran(tmp_path, csv_job(tmp_path, delimiter="auto", encoding="iso8859-1"))
    assert first.model == second.model
    assert (second.predictions or {})["version"] == 1
    assert "São Paulo" in predicted(tmp_path)["city"].to_pylist()


def wide(count: int) -> pa.Table:
    """Rows with enough numbers for BLAS to add them up in blocks."""
    random = np.random.default_rng(1)
    columns = {f"w{place}": random.normal(size=count) * 10.0 ** random.integers(-3, 4) for place in range(30)}
    return pa.table({**columns, "y": np.where(random.random(count) < 0.5, "yes", "no")})


@pytest.mark.parametrize(
    "model",
    [{"kind": "mlp", "params": {"tol": 10.0, "n_iter_no_change": 1}}, {"kind": "logistic_regression"}],
    ids=lambda model: str(model["kind"]),
)
def test_how_many_rows_are_read_at_once_changes_no_byte(tmp_path: Path, model: dict[str, Any]) -> None:
    store(tmp_path, wide(20_001), wide(777), row_group_size=7_001)
    names = [f"w{place}" for place in range(30)]
    config = job(
        tmp_path,
        features=[{"kind": "standard_scale", "columns": names}],
        contract={"columns": {"w0": {"min": -2_000}}},
        train={"model": model, "sample": {"rows": 500}},
    )
    found = []
    for batch_rows in (65_536, 1_000, 777):
        sink = {"kind": "parquet", "uri": str(tmp_path / f"out-{batch_rows}")}
        config["predict"] |= {"sink": sink, "proba": True, "batch_rows": batch_rows}
        ran(tmp_path, config)
        found.append(published_bytes(tmp_path, f"out-{batch_rows}"))
    assert found[0] == found[1] == found[2]


def test_a_column_that_quarantine_adds_is_refused_before_anything_runs(tmp_path: Path) -> None:
    store(tmp_path, rows(50).append_column("_reason_code", pa.array(["x"] * 50)))
    with pytest.raises(DataError, match="a quarantine file would have two columns '_reason_code'"):
        ran(tmp_path, job(tmp_path))
    record = ran(tmp_path, job(tmp_path, predict={"keep": ["id"]}))
    assert account(record) == (50, 50, 0, 0)


def test_a_model_that_the_gate_refused_does_not_predict_by_another_command(tmp_path: Path) -> None:
    store(tmp_path, rows(400))
    config = job(tmp_path, evaluate={"gate": [{"metric": "accuracy", "min": 0.999}]})
    for command in ("run", "predict", "evaluate"):
        with pytest.raises(ModelError, match="the gate refuses the model"):
            ran(tmp_path, config, command)
    assert not (tmp_path / "out").exists()
    assert account(ran(tmp_path, job(tmp_path), "predict")) == (400, 400, 0, 0)


OWN = """
from typing import Literal

import pyarrow.compute as pc

from scoreline.cleaners.base import Cleaned, Step


class Negate(Step):
    kind: Literal["negate"] = "negate"

    def output_schema(self, schema):
        return schema

    def apply(self, part):
        return Cleaned(part.set_column(part.column_names.index("x"), "x", pc.negate(part["x"])))

    def needs(self, wanted, schema):
        return wanted

    def narrowed(self, wanted, schema):
        return self if "x" in wanted else None
"""


def test_a_bundle_with_own_steps_predicts_in_another_program(tmp_path: Path) -> None:
    module = tmp_path / "own_negation.py"
    module.write_text(OWN)
    store(tmp_path, rows(300))
    record = ran(tmp_path, job(tmp_path, clean=[{"kind": "negate"}]), modules=(module,))
    program = (
        "import own_negation, pyarrow.parquet as pq, scoreline as sl, sys;"
        "found = sl.Bundle.load(sys.argv[1]).predict(pq.read_table(sys.argv[2])).predictions;"
        "print(found.to_pylist() == pq.read_table(sys.argv[3])['prediction'].to_pylist())"
    )
    places = [(record.model or {})["uri"], str(tmp_path / "in"), str(tmp_path / "out")]
    assert (Path(places[0]) / "modules/own_negation.py").read_text() == OWN
    assert told(tmp_path, program, places) == ("True\n", "")
    assert "in Python, import own_negation first" in told(tmp_path, program.replace("own_negation, ", ""), places)[1]


def told(folder: Path, program: str, arguments: list[str]) -> tuple[str, str]:
    """What a Python program in a process of its own prints, and what it complains about."""
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


@pytest.mark.parametrize("keep", ["all", ["id"]])
def test_the_contract_holds_for_columns_that_nobody_uses(tmp_path: Path, keep: Any) -> None:
    table = rows(400)
    broken = sum(shop > 35 for shop in table["shop"].to_pylist())
    store(tmp_path, table)
    config = job(
        tmp_path,
        contract={"columns": {"shop": {"max": 35}}},
        train={"keep": ["sample"], "split": {"kind": "random", "test_fraction": 0.001}},
        predict={"keep": keep},
    )
    record = ran(tmp_path, config, "train")
    taken = kept(record, "sample/sample.parquet")["source_row"].to_pylist()
    assert max(table["shop"].to_pylist()[row] for row in taken) == 35
    assert account(ran(tmp_path, config, "predict")) == (400, 400 - broken, broken, 0)


def test_the_contract_beside_a_bundle_holds_for_columns_that_the_model_does_not_need(tmp_path: Path) -> None:
    table = rows(400)
    broken = sum(shop > 35 for shop in table["shop"].to_pylist())
    store(tmp_path, table)
    trained = ran(tmp_path, job(tmp_path), "train").model or {}
    config = job(tmp_path, contract={"columns": {"shop": {"max": 35}}}, model={"uri": trained["uri"]})
    for section in ("train", "features", "target", "evaluate"):
        del config[section]
    assert account(ran(tmp_path, config, "predict")) == (400, 400 - broken, broken, 0)


@pytest.mark.parametrize("model", ["logistic_regression", "random_forest", "hist_gradient_boosting"])
def test_training_keeps_a_compiled_form_that_answers_single_records(tmp_path: Path, model: str) -> None:
    store(tmp_path, rows(400))
    record = ran(tmp_path, job(tmp_path, train={"model": {"kind": model}}))
    bundle = sl.Bundle.load((record.model or {})["uri"])
    answers = [bundle.predict_record(row) for row in rows(50).to_pylist()]
    assert {answer.tier for answer in answers} == {"A"}
    expected = replace(bundle, stored=None).predict(rows(50)).predictions.to_pylist()
    assert [answer.prediction for answer in answers] == expected
    assert not any(reason.startswith("stored:") for reason in bundle.reasons)
