from __future__ import annotations

import json
from pathlib import Path

import pytest

from scoreline.config.loading import load_config
from scoreline.starter import demo_config

FOLDER = Path(__file__).parents[2] / "configs"
CONFIGS = sorted(FOLDER.glob("*.json"))


def test_there_are_configs_for_every_way_of_working() -> None:
    assert {path.stem for path in CONFIGS} >= {"demo", "mibolsillo", "regression", "join_time_search", "predict_only"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_is_accepted(path: Path) -> None:
    config = load_config(path)
    assert config.predict is not None
    assert (config.train is None) != (config.model is None)


def test_the_demo_runs_the_config_that_is_shipped() -> None:
    assert json.loads((FOLDER / "demo.json").read_text(encoding="utf-8")) == demo_config("demo")
