import io
import json
import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from scoreline.errors import Problem, StorageError
from scoreline.runs import Journal, RunFolder
from scoreline.storage import read_bytes


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(str(tmp_path / "artifacts"), "20261123-051233-3f2a")


def events(folder: RunFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(folder.events).read_text("utf-8").splitlines()]


def record(folder: RunFolder) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(folder.record).read_text("utf-8"))
    return found


def test_an_event_is_a_line_for_people_and_an_object_for_machines(folder: RunFolder) -> None:
    stream = io.StringIO()
    Journal(folder, stream=stream).event("published", "version 3: 4,955 rows", version=3)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  version 3: 4,955 rows\n", stream.getvalue())
    assert Path(folder.log).read_text("utf-8") == stream.getvalue()
    (event,) = events(folder)
    assert (event["event"], event["version"], event["level"]) == ("published", 3, "info")
    assert event["time"].endswith("+00:00")


def test_events_are_json_lines_on_request(folder: RunFolder) -> None:
    stream = io.StringIO()
    Journal(folder, as_json=True, stream=stream).warning("note", "olá", path=Path("x"))
    assert json.loads(stream.getvalue()) == events(folder)[0]
    assert events(folder)[0] | {"level": "warning", "message": "olá", "path": "x"} == events(folder)[0]


@pytest.mark.parametrize(("level", "told"), [("debug", 3), ("info", 2), ("warning", 1)])
def test_events_below_the_level_are_dropped_everywhere(folder: RunFolder, level: Any, told: int) -> None:
    stream = io.StringIO()
    journal = Journal(folder, level=level, stream=stream)
    journal.debug("value", "42")
    journal.event("note", "information")
    journal.warning("note", "warning")
    assert len(stream.getvalue().splitlines()) == len(events(folder)) == told


def test_what_a_terminal_would_obey_is_spelled_out(folder: RunFolder) -> None:
    stream = io.StringIO()
    Journal(folder, stream=stream).event("note", "file \x1b[2J\nname \udc80")
    assert stream.getvalue().endswith("file \\x1b[2J\\nname \\udc80\n")
    assert events(folder)[0]["message"] == "file \x1b[2J\nname \udc80"


def test_a_problem_is_three_lines(folder: RunFolder) -> None:
    stream = io.StringIO()
    Journal(folder, stream=stream).problem(Problem("no such column", "$.target", "choose another"))
    assert stream.getvalue().splitlines() == ["no such column", "  where: $.target", "  do:    choose another"]
    assert events(folder)[0] | {"event": "problem", "level": "error", "where": "$.target"} == events(folder)[0]


def test_the_record_tells_how_the_run_ended(folder: RunFolder) -> None:
    journal = Journal(folder, name="demo", command=["scoreline", "run"], stream=io.StringIO())
    assert record(folder)["status"] == "running"
    journal.record(keys={"train": "a"}, rows={"train": 5})
    journal.record(keys={"score": "b"})
    with journal.stage("pull", "looking"):
        pass
    journal.close("done", 0)
    ended = record(folder)
    assert (ended["status"], ended["exit_code"], ended["name"], ended["run"]) == ("done", 0, "demo", folder.run_id)
    assert (ended["keys"], ended["rows"]) == ({"train": "a", "score": "b"}, {"train": 5})
    assert (list(ended["seconds"]), ended["command"]) == (["pull"], ["scoreline", "run"])
    assert ended["started"] <= ended["finished"]
    assert {"python", "scoreline", "scikit-learn"} <= set(ended["versions"])


def test_the_seconds_of_a_stage_that_fails_are_recorded(folder: RunFolder) -> None:
    journal = Journal(folder, stream=io.StringIO())
    with pytest.raises(ValueError, match="broken"), journal.stage("clean", "cleaning"):
        raise ValueError("broken")
    journal.close("failed", 1)
    assert list(record(folder)["seconds"]) == ["clean"]
    assert [event["event"] for event in events(folder)] == ["stage_started"]


def test_progress_off_a_terminal_is_events(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoreline.runs.journal.clock", count(step=3).__next__)
    journal = Journal(folder, stream=io.StringIO())
    for done in (0, 10, 20, 30):
        journal.progress("predict", done, 30)
    assert [(event["rows"], event["of"]) for event in events(folder)] == [(10, 30), (30, 30)]


def test_rows_that_a_stage_goes_over_again_are_told_from_the_beginning(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoreline.runs.journal.clock", count(step=3).__next__)
    journal = Journal(folder, stream=io.StringIO())
    for done in (0, 15, 30, 15, 30):
        journal.progress("transform", done, 30)
    assert [(event["rows"], event["rate"]) for event in events(folder)] == [(15, 5), (30, 5), (15, 5), (30, 5)]


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stream = io.StringIO()
    journal = Journal(stream=stream)
    journal.event("note", "hello")
    journal.close("done")
    assert stream.getvalue().endswith("hello\n")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("a file in the way")
    with pytest.raises(StorageError):
        Journal(RunFolder(str(tmp_path / "artifacts"), "run"), stream=io.StringIO())


def test_ci_and_dumb_terminals_get_plain_lines(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    journal = Journal(folder, stream=stream)
    journal.progress("predict", 0, 30)
    journal.progress("predict", 30, 30)
    journal.close("done")
    assert "\x1b" not in stream.getvalue()


@pytest.mark.storage
def test_files_of_a_run_on_s3_are_uploaded_while_it_runs_and_at_the_end(
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(f"{s3_bucket}/artifacts", "run")
    journal = Journal(folder, stream=io.StringIO())
    journal.event("note", "first")
    assert read_bytes(folder.log) == b""
    monkeypatch.setattr("scoreline.runs.journal._UPLOAD_SECONDS", 0.0)
    journal.event("note", "second")
    assert read_bytes(folder.log).count(b"\n") == 2
    journal.close("done", 0)
    assert json.loads(read_bytes(folder.record))["status"] == "done"
    assert [json.loads(line)["message"] for line in read_bytes(folder.events).splitlines()] == ["first", "second"]
