import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from scoreline.cli.app import app

pytestmark = [pytest.mark.end_to_end, pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def scoreline(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_the_demo_runs_the_whole_job_and_says_where_everything_is() -> None:
    code, out, err = scoreline("demo", "shop", "--rows", "5000", "--format", "parquet")
    assert code == 0, err
    assert {"predictions  shop/predictions (version 1)", "Next, try:"} <= set(out.splitlines())
    assert all(f"\n{word} " in out for word in ("model", "accuracy", "run"))
    assert "baseline" in out
    assert pd.read_parquet("shop/predictions")["prediction"].notna().all()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_data_only_makes_data_and_a_config_that_passes_check(form: str) -> None:
    code, out, _ = scoreline("demo", "--data-only", "--rows", "300", "--format", form, "--json")
    assert (code, json.loads(out)["rows"]) == (0, 300)
    assert sorted(path.name for path in Path("demo").iterdir()) == ["config.json", "data"]
    assert scoreline("check", "demo/config.json")[0] == 0


def test_the_demo_may_come_again_but_not_over_a_config_of_the_user() -> None:
    assert scoreline("demo", "--data-only", "--rows", "300")[0] == 0
    assert scoreline("demo", "--data-only", "--rows", "300", "--format", "parquet")[0] == 0
    Path("demo/config.json").write_text("{}")
    code, _, err = scoreline("demo", "--data-only")
    assert code == 2
    assert "a config that the demo did not write" in err
    assert Path("demo/config.json").read_text() == "{}"


def test_init_writes_a_config_that_runs() -> None:
    scoreline("demo", "--data-only", "--rows", "2000")
    code, out, err = scoreline("init", "demo/data/transactions", "--yes", "--target", "grupo_estabelecimento")
    assert code == 0, err
    assert out.splitlines()[:2] == ["config       config.json", "target       grupo_estabelecimento"]
    trees = "train.model.params.n_estimators=5"
    code, out, err = scoreline("run", "config.json", "--set", trees, "--set", "evaluate.replicates=20")
    assert code == 0, err
    assert "predictions  predictions/transactions (version 1)" in out


def test_init_asks_nothing_yet() -> None:
    code, out, err = scoreline("init", "data")
    assert (code, out) == (2, "")
    assert "scoreline init data --yes" in err


def test_init_never_writes_over_a_file() -> None:
    Path("config.json").write_text("mine")
    code, _, err = scoreline("init", "data", "--yes")
    assert code == 2
    assert "there is a file already" in err
    assert Path("config.json").read_text() == "mine"


def test_init_tells_of_a_folder_that_is_not_there() -> None:
    code, _, err = scoreline("init", "data", "--yes", "-o", "no/such/config.json")
    assert code == 2
    assert "there is no such folder" in err


def test_init_tells_of_data_that_are_not_there() -> None:
    code, _, err = scoreline("init", "nowhere/*.csv", "--yes")
    assert code == 3
    assert "nowhere" in err
    assert not Path("config.json").exists()
