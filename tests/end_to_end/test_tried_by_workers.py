"""On a cluster artifacts that were handed over are loaded and tried by workers, and by nobody else."""

import json
import os
import secrets
import subprocess
import sys
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
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
from multiprocessing import forkserver
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


class Deadly:
    """Ends the process that loads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (9,)


def test_an_artifact_that_ends_its_worker_is_named_once(desk: Desk) -> None:
    config = desk.config(hand_over(Deadly(), desk.folder / "deadly.pkl"), {"cluster": LOCAL})
    done = scoreline("predict", str(config), "--json", folder=desk.folder, code=6)
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["where"].startswith(f"{desk.folder / 'deadly.pkl'}, in task")
    assert "status 9" in problem["what"]
    assert not desk.published.exists()


def noted(frame: pd.DataFrame, place: str) -> pd.DataFrame:
    """The frame; notes in a file what workers would be forked from."""
    Path(place).write_text(str(forkserver._forkserver._forkserver_pid))  # type: ignore[attr-defined]
    return frame


def test_many_bytes_of_few_rows_are_scored_without_workers(desk: Desk) -> None:
    long = ROWS.append_column("long", pa.array([secrets.token_hex(40_000) for _ in range(ROWS.num_rows)]))
    pq.write_table(long, desk.data / "part-0.parquet")
    (desk.data / "part-1.parquet").unlink()
    (desk.data / "part-2.parquet").unlink()
    place = str(desk.folder / "noted")
    model = make_pipeline(FunctionTransformer(noted, kw_args={"place": place}), StandardScaler(), LogisticRegression())
    found = desk.score(hand_over(model.fit(FRAME, LABELS), desk.folder / "model.dill"), predict={"keep": ["x"]})
    assert Path(place).read_text() == "None"
    assert_same(found, model.predict(FRAME))


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
