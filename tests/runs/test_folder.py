import re

from scoreline.runs import RunFolder, new_run_id


def test_run_ids_sort_by_time_and_differ_within_a_second() -> None:
    ids = [new_run_id() for _ in range(20)]
    assert len(set(ids)) > 15
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", run_id) for run_id in ids)


def test_every_file_of_a_run_lies_in_its_own_folder() -> None:
    folder = RunFolder("s3://bucket/artifacts/", "20261123-051233-3f2a")
    root = "s3://bucket/artifacts/runs/20261123-051233-3f2a"
    files = [folder.record, folder.config, folder.events, folder.log, folder.plan, folder.metrics, folder.data]
    names = ["run.json", "config.resolved.json", "events.jsonl", "log.txt", "plan.json", "metrics.json", "data"]
    assert files == [f"{root}/{name}" for name in names]
    assert folder.worker_log("w1") == f"{root}/workers/w1.log"
    assert folder.models == "s3://bucket/artifacts/models"
