"""The same job gives the same model and the same predictions on every cluster and every storage."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.dask_processes import DaskProcesses
from tests.end_to_end.commands import ROOT, files_of, predictions, result, scoreline, write_config
from tests.seaweedfs import SeaweedFS

from scoreline.demo import write_demo

pytestmark = pytest.mark.end_to_end

ROWS = 6_000
REAL = ROOT.parent / "shared" / "data" / "MiBolsillo.csv"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with messy data and a config; the job has run in it, in one process."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder / "demo/data", ROWS, "csv")
    write_config(folder, "job.json", smaller(json.loads((ROOT / "configs/demo.json").read_text())))
    scoreline("run", "job.json", "--cluster", "inline", folder=folder)
    return folder


def smaller(config: dict[str, Any]) -> dict[str, Any]:
    config["train"]["model"]["params"]["n_estimators"] = 10
    config["evaluate"]["gate"] = []
    config["predict"]["proba"] = True
    return config


def model_of(folder: Path, artifacts: str = "demo/artifacts") -> str:
    (model,) = (folder / artifacts / "models").iterdir()
    return (model / "SHA256SUMS").read_text().split("  golden.parquet")[0][-64:] + model.name[-8:]


def run_elsewhere(folder: Path, *options: str) -> dict[str, Any]:
    moved = ["--set", "artifacts=other/artifacts", "--set", "predict.sink.uri=other/predictions"]
    return result(scoreline("run", "job.json", "--json", *moved, *options, folder=folder))


def test_every_row_is_accounted_for(demo: Path) -> None:
    found = result(scoreline("predict", "job.json", "--json", folder=demo))["predictions"]
    assert found["rows_in"] == found["predicted"] + found["quarantined"] + found["filtered"]
    assert len(predictions(demo, "demo/predictions")["prediction"]) == found["predicted"]
    assert found["quarantined"] > 0


@pytest.mark.cluster
def test_a_local_cluster_gives_the_same_bytes(demo: Path) -> None:
    run_elsewhere(demo, "--cluster", "local")
    assert model_of(demo, "other/artifacts") == model_of(demo)
    assert files_of(demo / "other/predictions") == files_of(demo / "demo/predictions")


@pytest.mark.cluster
def test_a_remote_scheduler_gives_the_same_bytes(demo: Path, start_dask: Callable[..., DaskProcesses]) -> None:
    for_this = ["--set", "artifacts=remote/artifacts", "--set", "predict.sink.uri=remote/predictions"]
    scoreline("run", "job.json", "--cluster", start_dask(2).address, *for_this, folder=demo)
    assert model_of(demo, "remote/artifacts") == model_of(demo)
    assert files_of(demo / "remote/predictions") == files_of(demo / "demo/predictions")


def test_twice_in_a_row_trains_once_and_publishes_once(demo: Path) -> None:
    before = files_of(demo / "demo/predictions")
    found = result(scoreline("run", "job.json", "--json", "--cluster", "inline", folder=demo))
    assert (found["predictions"]["version"], found["predictions"]["units_computed"]) == (1, 0)
    assert files_of(demo / "demo/predictions") == before
    assert len(list((demo / "demo/artifacts/models").iterdir())) == 1


def test_from_nothing_again_gives_the_same_bytes(demo: Path) -> None:
    again = ["--set", "artifacts=again/artifacts", "--set", "predict.sink.uri=again/predictions"]
    scoreline("run", "job.json", "--cluster", "inline", *again, folder=demo)
    assert files_of(demo / "again/predictions") == files_of(demo / "demo/predictions")
    assert model_of(demo, "again/artifacts") == model_of(demo)


@pytest.mark.storage
def test_s3_gives_the_same_model_and_predictions(demo: Path, seaweedfs: SeaweedFS) -> None:
    bucket, client = seaweedfs.bucket(), seaweedfs.client()
    for path in sorted((demo / "demo/data").rglob("*.*")):
        client.put_object(Bucket=bucket, Key=f"data/{path.relative_to(demo / 'demo/data')}", Body=path.read_bytes())
    moved = {
        "source.uri": f"s3://{bucket}/data/transactions/*.csv",
        "artifacts": f"s3://{bucket}/artifacts",
        "predict.sink.uri": f"s3://{bucket}/predictions",
        "clean[3].with": f"s3://{bucket}/data/reference/cities.parquet",
    }
    options = [word for key, value in moved.items() for word in ("--set", f"{key}={value}")]
    scoreline("run", "job.json", "--cluster", "local", *options, folder=demo, environment=seaweedfs.env())
    keys = [item["Key"] for item in client.list_objects_v2(Bucket=bucket)["Contents"]]
    (model,) = (key for key in keys if key.endswith("/pipeline.joblib"))
    assert model.split("/")[-2][-8:] == model_of(demo)[-8:]
    rows: dict[str, list[Any]] = {}
    for key in sorted(
        key for key in keys if "/runs/" in key and "/data/" in key and key.startswith("predictions.store")
    ):
        path = demo / "from_s3.parquet"
        path.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
        for name, values in predictions(demo, "from_s3.parquet").items():
            rows.setdefault(name, []).extend(values)
    assert rows == predictions(demo, "demo/predictions")


@pytest.mark.skipif(not REAL.exists(), reason="the real file is not here; it is no part of the project")
def test_the_real_file_is_read_trained_and_predicted(tmp_path: Path) -> None:
    options = ["--set", f"source.uri={REAL}", "--cluster", "inline", "--json"]
    found = result(scoreline("run", str(ROOT / "configs/mibolsillo.json"), *options, folder=tmp_path))
    rows = predictions(tmp_path, "predictions/mibolsillo")
    assert (found["predictions"]["rows_in"], found["predictions"]["predicted"]) == (4_955, 4_955)
    assert "SERVIÇO" in rows["grupo_estabelecimento"]
    assert sum(value is None for value in rows["valor"]) == 13
    accuracy, trivial = found["metrics"]["metrics"]["accuracy"], found["metrics"]["baseline"]["metrics"]["accuracy"]
    assert accuracy["value"] > 0.515
    assert accuracy["low"] > trivial["high"]
