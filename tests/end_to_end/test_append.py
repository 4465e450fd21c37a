"""Only what is new is scored, what is there stays, and the version is what scoring everything at once would be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.end_to_end.commands import result, scoreline
from tests.end_to_end.in_process import account, job, predicted, ran, rows, store
from tests.seaweedfs import SeaweedFS

import scoreline as sl
from scoreline.dataset.history import history
from scoreline.dataset.verification import verify
from scoreline.errors import DataError

pytestmark = pytest.mark.end_to_end


def appending(folder: Path, **predict: Any) -> dict[str, Any]:
    """A job that trains on ``in`` and appends the predictions of ``new`` to ``out``."""
    new = {"kind": "parquet", "uri": str(folder / "new")}
    return job(folder, predict={"source": new, "mode": "append", **predict})


def arrive(folder: Path, name: str, count: int = 50, seed: int = 1) -> Path:
    """A file of new rows."""
    path = folder / "new" / f"{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(rows(count, seed), path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trained model, and two files that were scored."""
    store(tmp_path, rows(300))
    arrive(tmp_path, "a", 50, 1)
    arrive(tmp_path, "b", 60, 2)
    record = ran(tmp_path, appending(tmp_path))
    assert account(record) == (110, 110, 0, 0)
    return tmp_path


def computed(record: Any) -> tuple[int, int, int]:
    """Version, rows of it, and units that the command computed."""
    found = record.predictions
    return found["version"], found["predicted"], found["units_computed"]


def same_as_scored_at_once(folder: Path, **predict: Any) -> bool:
    """Whether ``out`` holds, in whichever order, what a version of all of the input holds."""
    sink = {"kind": "parquet", "uri": str(folder / "whole")}
    ran(folder, appending(folder, **predict, mode="replace", sink=sink), "predict")
    order = [("source_file", "ascending"), ("source_row", "ascending")]
    return predicted(folder).sort_by(order).equals(predicted(folder, "whole").sort_by(order))


def test_a_file_that_arrives_is_scored_alone(folder: Path) -> None:
    arrive(folder, "A-late", 70, 3)
    assert computed(ran(folder, appending(folder), "predict")) == (2, 180, 1)
    assert same_as_scored_at_once(folder)
    assert verify(str(folder / "out")).problems == ()


def test_nothing_new_publishes_nothing_and_leads_readers_right(folder: Path) -> None:
    (folder / "out").unlink()
    assert computed(ran(folder, appending(folder), "predict")) == (1, 110, 0)
    assert predicted(folder).num_rows == 110


def test_after_nothing_was_new_the_newest_run_is_still_the_one_that_scored(folder: Path) -> None:
    config = appending(folder, keep="all")
    config["contract"] = {"columns": {"shop": {"max": 35}}}
    record = ran(folder, config)
    assert (record.predictions or {})["quarantined"] > 0
    again = ran(folder, config, "predict")
    assert (again.predictions or {})["run"] == (record.predictions or {})["run"]
    told = result(scoreline("quarantine", "show", "job.json", "--json", folder=folder))
    assert told["rows"] == (record.predictions or {})["quarantined"]
    assert result(scoreline("status", "job.json", "--json", folder=folder))["current"]


def test_a_file_that_changed_replaces_its_predictions(folder: Path) -> None:
    arrive(folder, "c", 70, 3)
    ran(folder, appending(folder), "predict")
    arrive(folder, "c", 40, 4)
    assert computed(ran(folder, appending(folder), "predict")) == (3, 150, 1)
    assert same_as_scored_at_once(folder)


def test_files_of_a_unit_in_which_one_changed_are_scored_again_and_others_taken_over(tmp_path: Path) -> None:
    store(tmp_path, rows(300))
    wide = {f"w{number}": pa.array(["." * 40] * 70_000) for number in range(3)}
    for number in (1, 2):
        table = rows(70_000, number)
        (tmp_path / "new").mkdir(exist_ok=True)
        pq.write_table(
            pa.table({**{n: table[n] for n in table.column_names}, **wide}), tmp_path / f"new/{number}.parquet"
        )
    options: dict[str, Any] = {"keep": ["id"]}
    assert computed(ran(tmp_path, appending(tmp_path, **options)))[2] == 2
    before = {path.name for path in (tmp_path / "out").iterdir()}
    path = tmp_path / "new/1.parquet"
    os.utime(path, ns=(1, 1))
    assert computed(ran(tmp_path, appending(tmp_path, **options), "predict")) == (2, 140_000, 1)
    assert len(before & {path.name for path in (tmp_path / "out").iterdir()}) == 1
    assert len(history(str(tmp_path / "out")).commits[-1].runs) == 1
    assert same_as_scored_at_once(tmp_path, **options)
    assert verify(str(tmp_path / "out")).problems == ()


def test_files_that_went_keep_their_predictions(folder: Path) -> None:
    (folder / "new/a.parquet").unlink()
    (folder / "new/b.parquet").unlink()
    arrive(folder, "c", 70, 3)
    assert computed(ran(folder, appending(folder), "predict")) == (2, 180, 1)
    assert set(predicted(folder)["source_file"].to_pylist()) == {"a.parquet", "b.parquet", "c.parquet"}


def test_another_model_scores_everything_again(folder: Path) -> None:
    arrive(folder, "c", 70, 3)
    changed = appending(folder)
    changed["train"] = {**changed["train"], "seed": 7}
    assert computed(ran(folder, changed))[:2] == (2, 180)
    assert len(history(str(folder / "out")).commits[-1].runs) == 1


def test_other_columns_beside_files_that_went_are_refused(folder: Path) -> None:
    (folder / "new/a.parquet").unlink()
    (folder / "new/b.parquet").unlink()
    arrive(folder, "c", 70, 3)
    with pytest.raises(DataError, match="with other columns than this run would write"):
        ran(folder, appending(folder, proba=True), "predict")
    assert predicted(folder).num_rows == 110


def test_going_back_to_replace_makes_one_run_of_everything(folder: Path) -> None:
    arrive(folder, "c", 70, 3)
    ran(folder, appending(folder), "predict")
    assert computed(ran(folder, appending(folder, mode="replace"), "predict"))[:2] == (3, 180)
    assert len(history(str(folder / "out")).commits[-1].runs) == 1


def test_all_of_it_on_s3(tmp_path: Path, s3_bucket: str, seaweedfs: SeaweedFS) -> None:
    store(tmp_path, rows(300))
    config = appending(tmp_path, keep=["id"])
    config["predict"] |= {"source": {"kind": "parquet", "uri": f"{s3_bucket}/new"}}
    config["predict"] |= {"sink": {"kind": "parquet", "uri": f"{s3_bucket}/out"}}
    bucket = s3_bucket.removeprefix("s3://")

    def put(name: str, count: int, seed: int) -> None:
        body = pa.BufferOutputStream()
        pq.write_table(rows(count, seed), body)
        seaweedfs.client().put_object(Bucket=bucket, Key=f"new/{name}.parquet", Body=body.getvalue().to_pybytes())

    put("a", 70_000, 1)
    put("b", 70_000, 2)
    assert computed(ran(tmp_path, config)) == (1, 140_000, 2)
    put("c", 50, 3)
    assert computed(ran(tmp_path, config, "predict")) == (2, 140_050, 1)
    put("a", 70_001, 4)
    assert computed(ran(tmp_path, config, "predict")) == (3, 140_051, 1)
    names = [path for prefix in sl.current(f"{s3_bucket}/out") for path in listed(seaweedfs, prefix)]
    counts = sum(pq.read_metadata(pa.BufferReader(get(seaweedfs, name))).num_rows for name in names)
    assert (len(names), counts) == (3, 140_051)
    assert verify(f"{s3_bucket}/out").problems == ()


def listed(server: SeaweedFS, prefix: str) -> list[str]:
    bucket, _, key = prefix.removeprefix("s3://").partition("/")
    found = server.client().list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
    return [f"{bucket}/{each['Key']}" for each in found]


def get(server: SeaweedFS, name: str) -> bytes:
    bucket, _, key = name.partition("/")
    body: bytes = server.client().get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
