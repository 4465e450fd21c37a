"""Rows of a group stay together in the folds of a search, as they do in the split."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.end_to_end.commands import write_config

import scoreline as sl

pytestmark = pytest.mark.end_to_end

SHOPS, ROWS = 40, 10


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A job on shops whose place says nothing of their label, but tells them apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    place = np.repeat(np.arange(SHOPS), ROWS)
    label = np.random.default_rng(0).choice(["no", "yes"], SHOPS)[place]
    pd.DataFrame({"shop": [f"shop {number}" for number in place], "place": place, "label": label}).to_csv(
        "shops.csv", index=False
    )
    config = {
        "version": 1,
        "name": "shops",
        "source": {"kind": "csv", "uri": "shops.csv"},
        "features": [{"kind": "passthrough", "columns": ["place"]}],
        "target": "label",
        "train": {
            "model": {"kind": "knn"},
            "search": {"params": {"n_neighbors": [1, 3]}},
        },
        "evaluate": {"metrics": ["accuracy"], "replicates": 1},
        "artifacts": "artifacts",
    }
    return write_config(tmp_path, "shops.json", config)


def mean_scores(job: str, split: str) -> list[float]:
    model = sl.run(job, [f"train.split={split}"]).model or {}
    tried = json.loads(Path(model["uri"], "provenance.json").read_text("utf-8"))["search"]
    assert [each["params"] for each in tried] == [{"n_neighbors": 1}, {"n_neighbors": 3}]
    return [float(np.mean(each["scores"])) for each in tried]


def test_the_folds_of_a_search_leave_groups_whole(job: str) -> None:
    assert max(mean_scores(job, '{"kind": "group", "column": "shop"}')) < 0.8
    assert min(mean_scores(job, '{"kind": "random"}')) > 0.95
