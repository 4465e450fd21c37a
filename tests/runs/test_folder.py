import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scoreline.runs import RunFolder, find_run, new_run_id


def test_run_ids_sort_by_time_and_differ_within_a_second() -> None:
    ids = [new_run_id() for _ in range(20)]
    assert len(set(ids)) > 15
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{6}", run_id) for run_id in ids)


def test_every_file_of_a_run_lies_in_its_own_folder() -> None:
    folder = RunFolder("s3://bucket/artifacts/", "20261123-051233-3f2a")
    root = "s3://bucket/artifacts/runs/20261123-051233-3f2a"
    files = [folder.record, folder.config, folder.events, folder.log, folder.plan, folder.metrics, folder.data]
    names = ["run.json", "config.resolved.json", "events.jsonl", "log.txt", "plan.json", "metrics.json", "data"]
    assert files == [f"{root}/{name}" for name in names]
    assert folder.worker_log("w1") == f"{root}/workers/w1.log"
    assert folder.models == "s3://bucket/artifacts/models"


def test_names_of_runs_of_one_second_sort_by_time() -> None:
    second = datetime(2026, 11, 25, 22, 33, 18, tzinfo=UTC)
    names = [new_run_id(second + timedelta(milliseconds=step)) for step in range(1000)]
    assert names == sorted(names)
    assert {len(name) for name in names} == {22}


def test_the_newest_run_is_the_one_that_began_last(tmp_path: Path) -> None:
    second = datetime(2026, 11, 25, 22, 33, 18, tzinfo=UTC)
    for step in range(5):
        folder = RunFolder(str(tmp_path), new_run_id(second + timedelta(milliseconds=step)))
        Path(folder.root).mkdir(parents=True)
        Path(folder.record).write_text(json.dumps({"keys": {"score": str(step)} if step < 4 else {}}))
    assert find_run(str(tmp_path))[0] == folder
    assert find_run(str(tmp_path), scored=True)[1]["keys"]["score"] == "3"
