"""Output that cannot be written is a problem like any other, and what was done is done."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def _ended(command: list[str], stdout: object, folder: Path) -> subprocess.CompletedProcess[str]:
    scoreline = [sys.executable, "-m", "scoreline", *command]
    return subprocess.run(scoreline, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, cwd=folder)  # type: ignore[call-overload, no-any-return]


def _status(folder: Path) -> str:
    (record,) = (folder / "demo" / "artifacts" / "runs").glob("*/run.json")
    return str(json.loads(record.read_text())["status"])


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_result_for_which_there_is_no_room_is_told_and_kept(tmp_path: Path, as_json: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = _ended(["demo", "--rows", "300", *as_json], full, tmp_path)
    assert ended.returncode == 5
    assert ended.stderr.splitlines()[-3:] == [
        "the result cannot be printed: No space left on device",
        "  where: stdout",
        "  do:    what the command has done is kept: make room for its output, then run it again",
    ]
    assert list((tmp_path / "demo" / "predictions").iterdir())
    again = _ended(["run", "demo/config.json"], subprocess.PIPE, tmp_path)
    assert (again.returncode, "(version 1)" in again.stdout) == (0, True)


@pytest.mark.parametrize("command", [["--version"], ["config", "schema"]])
def test_so_it_is_without_a_run(tmp_path: Path, command: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = _ended(command, full, tmp_path)
    assert ended.returncode != 0
    assert "No space left on device" in ended.stderr


def test_a_result_that_nobody_reads_is_a_run_that_is_done(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        ended = _ended(["demo", "--rows", "300"], closed, tmp_path)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert _status(tmp_path) == "done"
