"""The commands about published versions and runs, on a small data set, as a user meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.end_to_end.in_process import job, ran, rows, store
from typer.testing import CliRunner

from scoreline.cli.app import app

pytestmark = [pytest.mark.end_to_end, pytest.mark.filterwarnings("default")]


def scoreline(*arguments: str, code: int = 0) -> str:
    """What a command prints, having ended with the code: its result, or its problems."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.stdout + result.stderr
    return result.stdout if code == 0 else result.stderr


def told(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == code, result.stdout + result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a job that ran."""
    folder = tmp_path_factory.mktemp("data")
    store(folder, rows(200))
    ran(folder, job(folder))
    return folder


@pytest.fixture
def folder(scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it in which names are relative, that a test may change."""
    copy = tmp_path / "copy"
    shutil.copytree(scene, copy, symlinks=True)
    text = (copy / "job.json").read_text().replace(f"{scene}/", "")
    (copy / "job.json").write_text(text)
    monkeypatch.chdir(copy)
    return copy


def settings(**changes: Any) -> list[str]:
    return [part for name, value in changes.items() for part in ("--set", f"{name.replace('__', '.')}={value}")]


def test_current_prints_folders_that_any_reader_reads(folder: Path) -> None:
    (place,) = scoreline("data", "current", "out").splitlines()
    assert pq.read_table(place).num_rows == 200
    assert told("data", "current", "out")["version"] == 1


def test_history_rollback_and_verify(folder: Path) -> None:
    scoreline("predict", "job.json", *settings(predict__row_id="false"))
    assert told("data", "rollback", "out")["version"] == 3
    kinds = [(version["version"], version["kind"]) for version in told("data", "history", "out")["versions"]]
    assert kinds == [(1, "replace"), (2, "replace"), (3, "rollback")]
    assert "source_row" in pq.read_table("out").column_names
    assert "all as they were written" in scoreline("data", "verify", "out")
    told("predict", "job.json", *settings(predict__row_id="false"))
    assert told("data", "current", "out")["version"] == 4


def test_a_version_that_never_was_cannot_be_rolled_back_to(folder: Path) -> None:
    assert "there is no version before the current one" in scoreline("data", "rollback", "out", code=3)
    scoreline("predict", "job.json", *settings(predict__row_id="false"))
    assert "there is no version 7" in scoreline("data", "rollback", "out", "--to", "7", code=3)


def test_damage_is_told_with_the_code_of_storage(folder: Path) -> None:
    (file,) = Path("out.store").glob("runs/*/data/*.parquet")
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(body)
    assert "a file is not what was written" in scoreline("data", "verify", "out", code=5)
    found = told("data", "verify", "out", code=5)
    assert str(file) in found["problems"][0]["where"]


def test_collection_tells_first_and_deletes_only_when_told(folder: Path) -> None:
    scoreline("predict", "job.json", *settings(predict__row_id="false"))
    options = ("data", "gc", "out", "--keep", "1", "--older-than", "0")
    assert "nothing was deleted; the same command with --yes does it" in scoreline(*options)
    assert len(told(*options, "--yes")["runs"]) == 1
    assert told("data", "verify", "out")["collected"] == [1]
    assert "files of version 1 were collected" in scoreline("data", "rollback", "out", code=5)


def test_what_is_no_data_set_says_so(folder: Path) -> None:
    for command in ("current", "history", "verify", "rollback", "gc"):
        assert "no version of a data set is published there" in scoreline("data", command, "in", code=3)


def test_status_tells_where_the_newest_run_stands(folder: Path) -> None:
    found = told("status", "job.json")
    assert (found["status"], found["units"], found["done"], found["version"]) == ("done", 1, 1, 1)
    assert (found["current"], found["next"]) == (True, "nothing to do")
    assert "200 of 200 rows" in scoreline("status", "artifacts")
    assert "no run is there" in scoreline("status", "in", code=2)


def test_the_status_of_a_run_that_was_killed_names_the_command_that_goes_on(folder: Path) -> None:
    (run,) = Path("artifacts/runs").iterdir()
    record = json.loads((run / "run.json").read_text())
    command = ["scoreline", "run", "job.json"]
    killed = {**record, "status": "running", "exit_code": None, "finished": None, "command": command}
    (run / "run.json").write_text(json.dumps(killed))
    assert "the same command goes on: scoreline run job.json" in scoreline("status", str(run))


def test_a_plan_tells_what_is_left_why_and_at_what_cost(folder: Path) -> None:
    found = told("plan", "job.json")["predict"]
    assert (found["published"], found["left"], found["done"], found["version"]) == (True, 0, 1, 1)
    found = told("plan", "job.json", *settings(predict__row_id="false"))["predict"]
    assert (found["published"], found["left"], found["left_rows"], found["version"]) == (False, 1, 200, 2)
    assert found["why"] == ["options.row_id was true, is false"]
    assert found["forecast"]["rows"] == 200
    record = told("predict", "job.json", *settings(predict__row_id="false"))
    assert record["predictions"]["cost"]["planned"] == found["forecast"]
    assert record["predictions"]["cost"]["memory"] > 0
    assert sum(record["predictions"]["cost"]["tiers"].values()) == record["predictions"]["predicted"]
    out = scoreline("plan", "job.json", *settings(train__seed=9))
    assert "train        will run" in out
    assert "all rows are predicted with the new one" in out


def test_a_plan_tells_of_files_and_writes_nothing_but_its_forecast(folder: Path) -> None:
    before = {path for path in folder.rglob("*") if path.is_file()}
    pq.write_table(rows(40, 3), "in/late.parquet")
    assert told("plan", "job.json")["train"]["bundle"] is None
    appended = settings(predict__mode="append", predict__source='{"kind": "parquet", "uri": "in/late.parquet"}')
    Path("in/late.parquet").rename("late.parquet")
    appended[-1] = 'predict.source={"kind": "parquet", "uri": "late.parquet"}'
    found = told("plan", "job.json", *appended)["predict"]
    assert (found["mode"], found["left_rows"], found["version"]) == ("append", 40, 2)
    assert found["why"][-1] == "1 input file new, changed, or to be predicted in another way"
    after = {path for path in folder.rglob("*") if path.is_file()} - before
    assert {path.parent.name for path in after} == {"forecasts", "copy"}
