"""What would stop a job later is found before time is spent on a model."""

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.end_to_end.commands import write_config

import scoreline as sl

pytestmark = pytest.mark.end_to_end

CONFIG: dict[str, Any] = {
    "version": 1,
    "name": "cities",
    "source": {"kind": "csv", "uri": "cities.csv"},
    "clean": [{"kind": "join", "with": "sizes.csv", "on": ["city"], "min_hit_rate": 0.5}],
    "features": [{"kind": "passthrough", "columns": ["number", "size"]}],
    "target": "label",
    "train": {"model": {"kind": "hist_gradient_boosting", "params": {"max_iter": 2}}},
    "evaluate": {"metrics": ["accuracy"], "replicates": 1},
    "artifacts": "artifacts",
}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ('train.split={"kind": "group", "column": "city", "test_fraction": 0.0001}', "no row is left to judge"),
        ("clean[0].min_hit_rate=0.9", "60 of 120 rows"),
    ],
)
def test_nothing_is_fitted_when_it_could_not_be_used(
    change: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    cities = pd.DataFrame({"city": ["Porto", "Braga"] * 60, "number": range(120), "label": ["a", "a", "b"] * 40})
    cities.to_csv("cities.csv", index=False)
    pd.DataFrame({"city": ["Porto"], "size": [1]}).to_csv("sizes.csv", index=False)
    with pytest.raises(sl.ScorelineError, match=what):
        sl.run(write_config(tmp_path, "cities.json", CONFIG), [change])
    assert not Path("artifacts", "models").exists()
