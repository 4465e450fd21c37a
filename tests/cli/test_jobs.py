"""The commands on a small demo, as a user meets them."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from scoreline.cli.app import app

pytestmark = [pytest.mark.end_to_end, pytest.mark.filterwarnings("default")]

ROWS = 2000


def scoreline(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a demo that ran."""
    folder = tmp_path_factory.mktemp("jobs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert scoreline("demo", "--rows", str(ROWS), "--data-only")[0] == 0
        config = json.loads(Path("demo/config.json").read_text("utf-8"))
        config["train"]["model"]["params"] = {"n_estimators": 5}
        config["evaluate"]["gate"] = [{"metric": "accuracy", "min": 0.2}]
        Path("job.json").write_text(json.dumps(config), encoding="utf-8")
        code, out, err = scoreline("run", "job.json")
        assert (code, "predictions" in out) == (0, True), err
    return folder


@pytest.fixture(autouse=True)
def _in_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def last_record() -> dict[str, Any]:
    path = max(Path("demo/artifacts/runs").iterdir(), key=lambda run: run.stat().st_mtime)
    found: dict[str, Any] = json.loads((path / "run.json").read_text("utf-8"))
    return found


def test_check_shows_the_columns_after_each_step() -> None:
    code, out, _ = scoreline("check", "job.json")
    assert code == 0
    assert "parse_dates        data: date32" in out
    code, out, _ = scoreline("check", "job.json", "--json")
    assert [step["after"] for step in json.loads(out)["schemas"]][:3] == ["input", "strip_names", "trim_strings"]


def test_a_run_leaves_its_files_and_every_row_is_accounted_for() -> None:
    found = pd.read_parquet("demo/predictions")
    record = last_record()
    run = Path("demo/artifacts/runs") / record["run"]
    assert {path.name for path in run.iterdir()} >= {"run.json", "config.resolved.json", "events.jsonl", "log.txt"}
    assert (record["status"], record["exit_code"], record["rows"]["predict"]) == ("done", 0, ROWS)
    refused = sum(len(pd.read_parquet(path)) for path in Path("demo/predictions.store/quarantine").rglob("*.parquet"))
    assert len(found) + refused == ROWS


def test_the_same_command_again_trains_nothing_and_gives_the_same_bytes() -> None:
    before = {path.name: path.read_bytes() for path in Path("demo/predictions").iterdir()}
    code, out, err = scoreline("run", "job.json", "--json")
    assert code == 0
    assert "trained before" in err
    assert json.loads(out)["predictions"]["version"] == 1
    assert {path.name: path.read_bytes() for path in Path("demo/predictions").iterdir()} == before


def test_stages_run_alone_on_the_model_that_is_there() -> None:
    for verb in ("train", "evaluate", "predict"):
        code, out, err = scoreline(verb, "job.json", "--json")
        assert (code, json.loads(out)["name"]) == (0, "demo"), err


def test_a_stage_that_needs_a_model_names_the_command_that_makes_one() -> None:
    code, _, err = scoreline("predict", "job.json", "--set", "train.seed=7")
    assert code == 2
    assert "scoreline train" in err


def test_a_gate_that_is_not_reached_stops_before_predicting() -> None:
    code, _, err = scoreline("run", "job.json", "--set", 'evaluate.gate=[{"metric": "accuracy", "min": 0.999}]')
    assert code == 4
    assert "0.999" in err
    assert last_record()["status"] == "failed"


def test_missing_data_are_told_with_exit_code_3() -> None:
    code, out, err = scoreline("run", "job.json", "--set", "source.uri=nowhere/*.csv", "--json")
    assert code == 3
    assert json.loads(out)["exit_code"] == 3
    assert "nowhere" in err


def test_an_unknown_parameter_stops_before_anything_runs() -> None:
    code, _, err = scoreline("run", "job.json", "--set", "train.model.params.n_estimatrs=5")
    assert code == 2
    assert "--set train.model.params.n_estimatrs=5" in err
    assert "n_estimators" in err


def test_a_cluster_that_is_not_there_is_told_with_exit_code_6() -> None:
    address = "tcp://127.0.0.1:9"
    cluster = f'cluster={{"kind": "scheduler", "address": "{address}", "timeout_s": 1}}'
    code, _, err = scoreline("run", "job.json", "--set", cluster)
    assert code == 6
    assert address in err


def test_events_are_json_lines_on_request() -> None:
    code, _, err = scoreline("run", "job.json", "--log-json")
    assert code == 0
    assert {"stage_started", "published"} <= {json.loads(line)["event"] for line in err.splitlines()}


def test_the_resolved_config_is_a_config() -> None:
    code, out, _ = scoreline("config", "show", "job.json", "--set", "train.seed=7")
    assert code == 0
    Path("shown.json").write_text(out, encoding="utf-8")
    assert scoreline("config", "show", "shown.json")[1] == out
    assert json.loads(out)["train"]["seed"] == 7
