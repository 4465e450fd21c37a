"""Workers of a job that will probably have some are begun before anything heavy is imported."""

import os
import subprocess
import sys
from multiprocessing import forkserver
from pathlib import Path

import psutil
import pytest
from tests.end_to_end.commands import write_config

from scoreline.cli import ahead
from scoreline.cli.ahead import LARGE, chosen, workers_ahead
from scoreline.clusters._given_to_workers import DRIVER
from scoreline.clusters.local import Local

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(sys.platform != "linux" or os.cpu_count() == 1, reason="there workers import by themselves"),
]


def job(folder: Path, size: int, uri: str = "data", **sections: object) -> str:
    """The config of a job whose input has so many bytes."""
    data = folder / "data" / "day=1"
    data.mkdir(parents=True, exist_ok=True)
    for number in range(2):
        with (data / f"{number}.parquet").open("wb") as file:
            file.truncate(size // 2)
    config = {
        "version": 1,
        "name": "ahead",
        "source": {"kind": "parquet", "uri": uri if "://" in uri else str(folder / uri)},
        "model": {"uri": "model.skops"},
        "predict": {"sink": {"kind": "parquet", "uri": str(folder / "out")}},
        "artifacts": str(folder / "artifacts"),
    }
    return str(folder / write_config(folder, "job.json", config | sections))


def running() -> int | None:
    """The process that workers are forked from."""
    found: int | None = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("uri", ["data", "data/day=1/*.parquet", "data/**/*.parquet"])
def test_a_large_input_has_them_begin(tmp_path: Path, uri: str) -> None:
    with workers_ahead(["predict", job(tmp_path, LARGE["parquet"], uri)]):
        began = running()
        assert began is not None
        assert psutil.Process(began).ppid() == os.getpid()
    assert not psutil.pid_exists(began)


def test_a_session_takes_what_was_begun_and_leaves_it(tmp_path: Path) -> None:
    with workers_ahead(["predict", job(tmp_path, 0, cluster={"kind": "local", "workers": 1})]):
        began = running()
        with Local(workers=1).open() as session:
            assert dict(session.map(_parent, [0], "parent")) == {0: began}
        assert running() == began
    assert running() is None


def _parent(_: int) -> int:
    return os.getppid()


def test_they_end_early_where_none_is_needed(tmp_path: Path) -> None:
    with workers_ahead(["run", job(tmp_path, LARGE["parquet"])]):
        chosen("local")
        assert running() is not None
        chosen("scheduler")
        assert running() is None


def test_a_config_that_comes_through_a_pipe_is_left_to_who_reads_it(tmp_path: Path) -> None:
    content = Path(job(tmp_path, LARGE["parquet"])).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Open at both ends, so that nobody waits.
    end = os.open(pipe, os.O_RDWR)
    try:
        os.write(end, content)
        with workers_ahead(["predict", str(pipe)]):
            assert running() is None
        assert os.read(end, len(content) + 1) == content
    finally:
        os.close(end)


@pytest.mark.parametrize("arguments", [["predict", "--json", "{}"], ["run", "--set", "name=b", "{}"]])
def test_the_config_is_found_wherever_it_stands(tmp_path: Path, arguments: list[str]) -> None:
    config = job(tmp_path, LARGE["parquet"])
    with workers_ahead([argument.format(config) for argument in arguments]):
        assert running() is not None


@pytest.mark.parametrize(
    "arguments", [[], ["predict"], ["--help"], ["plan", "{}"], ["predict", "--set", "a=1"], ["predict", "{}", "--help"]]
)
def test_nothing_begins_for_a_command_line_that_starts_none(tmp_path: Path, arguments: list[str]) -> None:
    config = job(tmp_path, LARGE["parquet"])
    with workers_ahead([argument.format(config) for argument in arguments]):
        assert running() is None


IMPORTED = """
import sys
from scoreline.cli.ahead import chosen
chosen("{kind}")
print("scipy.stats" in sys.modules)
"""


@pytest.mark.parametrize("kind", ["inline", "local", "scheduler"])
def test_a_command_that_scores_by_itself_imports_what_workers_would(kind: str) -> None:
    told = subprocess.check_output([sys.executable, "-c", IMPORTED.format(kind=kind)], text=True)
    assert told.split() == [str(kind == "inline")]


@pytest.mark.parametrize("uri", ["data", "nowhere", "nowhere/*.parquet", "s3://bucket/data"])
def test_nothing_begins_for_little_for_nothing_and_for_what_is_elsewhere(tmp_path: Path, uri: str) -> None:
    with workers_ahead(["predict", job(tmp_path, LARGE["parquet"] - 2, uri)]):
        assert running() is None


def test_of_very_many_files_only_some_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = job(tmp_path, LARGE["parquet"])
    monkeypatch.setattr(ahead, "_MOST_FILES", 1)
    with workers_ahead(["predict", config]):
        assert running() is None


def test_a_process_that_is_started_when_its_driver_has_died_ends() -> None:
    code = "import scoreline.clusters._imports_begin; print('goes on')"
    for driver, said in (("1", ""), (str(os.getpid()), "goes on\n")):
        found = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, DRIVER: driver},
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.stdout == said


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"cluster": 3}', '{"source": {"kind": "tape", "uri": "."}}', "{", "[" * 5_000]
)
def test_nothing_begins_for_a_config_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "job.json").write_text(text)
    for config in (tmp_path / "job.json", tmp_path, tmp_path / "nowhere.json"):
        with workers_ahead(["predict", str(config)]):
            assert running() is None


def test_the_environment_stays_as_it_is(tmp_path: Path) -> None:
    before = dict(os.environ)
    with workers_ahead(["predict", job(tmp_path, LARGE["parquet"])]):
        assert dict(os.environ) == before
