"""Everything that the README shows is run, in its order, in one empty folder; its tables are compared with the code."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from runpy import run_path

import pytest

from scoreline import errors
from scoreline.cli.app import app
from scoreline.config import EvaluateConfig, JobConfig, PredictConfig, TrainConfig

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"(?:<!-- (?P<note>[^>]*) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```\n", re.DOTALL)

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Block:
    line: int
    note: str
    language: str
    text: str


BLOCKS = [
    Block(README[: found.start()].count("\n") + 1, found["note"] or "", found["language"], found["text"])
    for found in BLOCK.finditer(README)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


def run(command: list[str], folder: Path, **variables: str) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CI": "true", **variables}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def script(text: str) -> list[str]:
    return ["bash", "-euo", "pipefail", "-c", text]


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def scheduler() -> Iterator[str]:
    """A scheduler and one worker, started as the README says."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [ROOT / "scripts" / "start_cluster.sh", "1", str(port)],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not is_open(port):
            assert process.poll() is None
            time.sleep(0.1)
        yield f"tcp://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"line-{block.line}")
def test_what_the_readme_shows_works(block: Block, folder: Path, request: pytest.FixtureRequest) -> None:
    if block.note.startswith("file: "):
        (folder / block.note.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
    elif block.note == "runs in: the repository":
        for target in re.findall(r"^make (\w+)$", block.text, re.MULTILINE):
            run(["make", "--dry-run", target], ROOT)
    elif block.note == "needs: s3":
        server = request.getfixturevalue("seaweedfs")
        run(script(block.text), folder, BUCKET=server.bucket(), **server.env())
    elif block.note == "needs: scheduler":
        with scheduler() as address:
            run(script(block.text), folder, SCHEDULER=address)
    elif block.language == "python":
        run([sys.executable, "-c", block.text], folder)
    else:
        assert block.language == "bash"
        run(script(block.text), folder)


def first_cells(heading: str) -> list[str]:
    """The first column of the table below a heading, without the back-ticks."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return [row.replace("`", "") for row in rows]


def test_the_table_of_kinds_is_current() -> None:
    with_table = run_path(str(ROOT / "scripts" / "write_kinds_table.py"))["with_table"]
    assert with_table(README) == README, "run: make docs"


def test_every_exit_code_is_explained() -> None:
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    codes = {error.exit_code for error in found if issubclass(error, errors.ScorelineError)}
    told = {int(code) for cell in first_cells("Exit codes")[1:] for code in cell.split(", ")}
    assert told == {0, *codes, 130, 143}


def test_every_command_is_listed() -> None:
    told = {cell.split()[1] for cell in first_cells("Commands") if cell.startswith("scoreline ")}
    commands = {(command.callback.__name__) for command in app.registered_commands if command.callback}
    groups = {group.name: group.typer_instance.registered_commands for group in app.registered_groups}
    assert told == {*commands, *groups}
    words = {tuple(cell.split()[1:3]) for cell in first_cells("Commands") if cell.startswith("scoreline ")}
    for name, inner in groups.items():
        assert {word for group, *rest in words if group == name for word in rest} == {
            command.name or (command.callback and command.callback.__name__) for command in inner
        }


def test_every_key_of_the_config_is_listed() -> None:
    told = {key for cell in first_cells("The config") for key in cell.split(", ")}
    assert set(JobConfig.model_fields) - {"schema_uri"} <= told


@pytest.mark.parametrize(
    ("section", "fields"),
    [
        ("train", TrainConfig.model_fields),
        ("evaluate", EvaluateConfig.model_fields),
        ("predict", PredictConfig.model_fields),
    ],
)
def test_every_key_of_a_section_is_listed(section: str, fields: dict[str, object]) -> None:
    (line,) = re.findall(rf"^\| `{section}` \| (.*) \|$", README, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", line)) == sorted(fields)


def test_messages_that_are_explained_exist() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    quoted = re.sub(r'"[^"]*"', "...", "\n".join(first_cells("When something is refused")[1:]))
    pieces = [
        piece.strip() for line in quoted.splitlines() for piece in line.split("...") if not line.startswith("exit")
    ]
    assert [piece for piece in pieces if piece not in source] == []
