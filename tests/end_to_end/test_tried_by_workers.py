"""On a cluster artifacts that were handed over are loaded and tried by workers, and by nobody else."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from tests.end_to_end.commands import scoreline
from tests.end_to_end.handing_over import Desk, assert_same, hand_over, write_parts

pytestmark = [pytest.mark.end_to_end, pytest.mark.cluster, pytest.mark.timeout(240)]

LOCAL = {"kind": "local", "workers": 2}
ROWS = pa.table({"x": np.linspace(-3, 3, 300), "y": np.linspace(5, 0, 300)})
FRAME: pd.DataFrame = ROWS.to_pandas()
LABELS = np.where(FRAME["x"] * FRAME["y"] > 1, "up", "down")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, write_parts(tmp_path / "data", ROWS, 100, 200))


def handed(desk: Desk, estimator: Any) -> dict[str, Any]:
    return hand_over(make_pipeline(StandardScaler(), estimator).fit(FRAME, LABELS), desk.folder / "model.joblib")


def imported(desk: Desk, cluster: dict[str, Any]) -> set[str]:
    """What of it the driver has imported when all is done."""
    config = desk.config(handed(desk, LogisticRegression()), {"cluster": cluster, "predict": {"proba": True}})
    script = desk.folder / "script.py"
    script.write_text(f"""
import sys
import scoreline
if __name__ == "__main__":
    scoreline.predict({str(config)!r})
    print(*sys.modules)
""")
    told = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=240).stdout
    return {"sklearn", "scipy", "pandas"} & set(told.splitlines()[-1].split())


def test_the_driver_of_a_cluster_imports_nothing_that_artifacts_are_made_of(desk: Desk) -> None:
    assert imported(desk, LOCAL) == set()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, LABELS)
    assert_same(desk.rows(), model.predict(FRAME), model.predict_proba(FRAME), ["down", "up"])
    assert imported(desk, {"kind": "inline"}) == {"sklearn", "scipy", "pandas"}


@pytest.mark.parametrize(
    ("changes", "predict"),
    [
        ({"trust": False}, {}),
        ({"sha256": "0" * 64}, {}),
        ({"uri": "nothing.joblib"}, {}),
        ({}, {"proba": True}),
    ],
)
def test_what_is_wrong_with_artifacts_is_told_as_without_a_cluster(
    desk: Desk, changes: dict[str, Any], predict: dict[str, Any]
) -> None:
    told = []
    for cluster in ({"kind": "inline"}, LOCAL):
        config = desk.config(handed(desk, LinearSVC()) | changes, {"cluster": cluster, "predict": predict})
        code = 3 if "uri" in changes else 4
        done = scoreline("predict", str(config), "--json", folder=desk.folder, code=code)
        told.append(json.loads(done.stdout)["problems"])
    assert told[0] == told[1]
    assert not desk.published.exists()
