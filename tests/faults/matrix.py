"""The matrix of faults: what may go wrong around a run, how it is brought about here, and what then comes of it."""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.faults.interruptions import MINE
from tests.faults.remains import Place, committed
from tests.faults.scene import Scene, learnable_rows, quiet
from tests.faults.steps import Fault as Break
from tests.faults.steps import Killed, Steps, watched
from tests.seaweedfs import SeaweedFS
from typer.testing import CliRunner

from scoreline.cli.app import app


@dataclass(frozen=True)
class Observed:
    """How the command ended: its exit code, the first line of what it said, what was left, and what came next."""

    code: int
    said: str
    left: str
    again: int | None = None


@dataclass
class Bench:
    """What faults are tried on."""

    scene: Scene
    folder: Path
    server: SeaweedFS

    def place(self, name: str) -> Place:
        """A fresh data set on the local disk."""
        return Place(str(self.folder / name))

    def config(self, name: str, uri: str, **sections: Any) -> Path:
        """The config of a run to a location."""
        return self.scene.config(f"matrix-{name}", MINE, uri, **sections)

    def new_input(self, name: str, *tables: pa.Table) -> dict[str, str]:
        """A folder of input files as a config names it."""
        folder = self.folder / f"input-{name}"
        folder.mkdir()
        for number, table in enumerate(tables):
            pq.write_table(table, folder / f"{number}.parquet")
        return {"kind": "parquet", "uri": str(folder)}

    def left(self, place: Place) -> str:
        """How many versions are published, and how many units are done."""
        files = place.files()
        versions = len(committed(files))
        done = len([path for path in files if path.startswith("receipts/")])
        published = f"version {versions} published" if versions else "nothing published"
        return f"{published}, {done} units kept" if done else published

    def predict(self, config: Path) -> tuple[int, str]:
        """Exit code and first line of what the command said, run in this process."""
        with quiet():
            done = CliRunner().invoke(app, ["predict", str(config), "--json"])
        return done.exit_code, _first_problem(done.stdout)

    def process(self, config: Path, *before: str, limit: int | None = None) -> subprocess.Popen[str]:
        """The command in a process of its own, after other words, with files of at most so many bytes."""

        def limited() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        words = [*before, sys.executable, "-m", "scoreline", "predict", str(config), "--json"]
        return subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            preexec_fn=limited,  # noqa: PLW1509  no other thread is at work here
        )

    def observe(self, config: Path, place: Place, mend: Callable[[], object] | None = None) -> Observed:
        """Run the command, say what it left, mend what was wrong, and run it again."""
        code, said = self.predict(config)
        left = self.left(place)
        if mend is None:
            return Observed(code, said, left)
        mend()
        return Observed(code, said, left, self.predict(config)[0])


def _first_problem(stdout: str) -> str:
    told = json.loads(stdout or "{}")
    problems = told.get("problems")
    return problems[0]["what"] if problems else ""


@dataclass(frozen=True)
class Row:
    """A fault of the matrix.

    Attributes
    ----------
    number, fault : its place in the matrix and what goes wrong
    injected : how that is brought about
    code : the exit code that a user gets, and `again` the one of the same command after the fault is gone
    play : brings it about
    """

    number: int
    fault: str
    injected: str
    code: int
    play: Callable[[Bench], Observed]
    again: int | None = None


ROWS: list[Row] = []


def row(
    number: int, fault: str, injected: str, *, code: int, again: int | None = None
) -> Callable[[Callable[[Bench], Observed]], Callable[[Bench], Observed]]:
    """Put a function that brings a fault about into the matrix."""

    def put(play: Callable[[Bench], Observed]) -> Callable[[Bench], Observed]:
        ROWS.append(Row(number, fault, injected, code, play, again))
        return play

    return put


@row(2, "driver killed after the commit, before any pointer", "dies at that step", code=0)
def killed_after_commit(bench: Bench) -> Observed:
    """The next command finds the version and leads readers to it."""
    place = bench.place("after-commit")
    config = bench.config("after-commit", place.uri)
    steps = Steps(watched(place.uri))
    with steps.watching():
        bench.predict(bench.config("counted", str(bench.folder / "counted")))
    steps = Steps(watched(place.uri), _commit_of(bench), Break.AFTER)
    with quiet(), steps.watching(), suppress(Killed):
        CliRunner().invoke(app, ["predict", str(config)])
    assert not Path(place.uri).exists()
    return bench.observe(config, place)


def _commit_of(bench: Bench) -> int:
    """The number of the step that creates the commit."""
    uri = str(bench.folder / "steps")
    steps = Steps(watched(uri))
    with steps.watching():
        bench.predict(bench.config("steps", uri))
    (number,) = [n for n, step in enumerate(steps.taken) if step.name == "create" and "/commits/" in step.uri]
    return number


def _signalled(bench: Bench, name: str, sent: signal.Signals) -> Observed:
    place = bench.place(name)
    source = bench.new_input(name, *(_alternating(number) for number in range(60)))
    config = bench.config(name, place.uri, source=source)
    process = bench.process(config)
    while process.poll() is None and not any(path.startswith("receipts/") for path in place.paths()):
        time.sleep(0.002)
    process.send_signal(sent)
    said = _first_problem(process.communicate(timeout=60)[0])
    left = bench.left(place).partition(",")[0] + ", finished units kept"
    return Observed(process.returncode, said, left, bench.predict(config)[0])


def _alternating(number: int) -> pa.Table:
    table = learnable_rows(number, 20).drop_columns("y")
    shop = table["shop"].cast(pa.int32() if number % 2 else pa.int64())
    return table.set_column(table.column_names.index("shop"), "shop", shop)


@row(3, "Ctrl-C", "SIGINT after the first unit", code=130, again=0)
def interrupted(bench: Bench) -> Observed:
    """Ends soon, and keeps what is done."""
    return _signalled(bench, "sigint", signal.SIGINT)


@row(4, "SIGTERM", "SIGTERM after the first unit", code=143, again=0)
def terminated(bench: Bench) -> Observed:
    """As after Ctrl-C."""
    return _signalled(bench, "sigterm", signal.SIGTERM)


@row(11, "frozen driver that wakes up after another one published", "SIGSTOP, a twin, SIGCONT", code=0)
def frozen(bench: Bench) -> Observed:
    """Finds its run published, and says so."""
    place = bench.place("frozen")
    source = bench.new_input("frozen", *(_alternating(number) for number in range(60)))
    config = bench.config("frozen", place.uri, source=source)
    process = bench.process(config)
    while process.poll() is None and not any(path.startswith("receipts/") for path in place.paths()):
        time.sleep(0.002)
    process.send_signal(signal.SIGSTOP)
    assert bench.predict(config)[0] == 0
    process.send_signal(signal.SIGCONT)
    said = _first_problem(process.communicate(timeout=60)[0])
    return Observed(process.returncode, said, bench.left(place))


@row(16, "no room for the output", "RLIMIT_FSIZE below the size of a unit's file", code=5, again=0)
def no_room(bench: Bench) -> Observed:
    """Nothing half is left."""
    place = bench.place("no-room")
    source = bench.new_input("no-room", learnable_rows(7, 40_000).drop_columns("y"))
    config = bench.config("no-room", place.uri, source=source)
    process = bench.process(config, limit=64 * 1024)
    said = _first_problem(process.communicate(timeout=60)[0])
    return Observed(process.returncode, said, bench.left(place), bench.predict(config)[0])


@row(18, "a disk that cannot make a file durable", "strace: the 9th fsync fails with EIO", code=5, again=0)
def no_fsync(bench: Bench) -> Observed:
    """What is not durable does not count."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    place = bench.place("no-fsync")
    config = bench.config("no-fsync", place.uri)
    inject = ("strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=9+")
    process = bench.process(config, *inject)
    said = _first_problem(process.communicate(timeout=120)[0])
    return Observed(process.returncode, said, bench.left(place), bench.predict(config)[0])


@row(19, "a file where the output's folder should be", "the sink is below a file", code=5, again=0)
def below_a_file(bench: Bench) -> Observed:
    """Refused before anything is computed."""
    (bench.folder / "file").touch()
    place = bench.place("file/out")
    return bench.observe(bench.config("below-a-file", place.uri), place, (bench.folder / "file").unlink)


@row(23, "no permission to write on S3", "an identity that may only read", code=5)
def forbidden(bench: Bench) -> Observed:
    """Refused before anything is computed."""
    return _on_s3(bench, "forbidden", bench.server.bucket(), bench.server.read_only().env())


@row(27, "a bucket that does not exist", "a name that nobody has", code=5)
def no_bucket(bench: Bench) -> Observed:
    """Named, with what was tried."""
    return _on_s3(bench, "no-bucket", "nobody-has-this", bench.server.env())


@row(27, "nobody at the endpoint", "a port that is closed", code=5)
def no_endpoint(bench: Bench) -> Observed:
    """Named, with what was tried."""
    variables = bench.server.env() | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    return _on_s3(bench, "no-endpoint", "bucket", variables, looked_at=False)


def _on_s3(bench: Bench, name: str, bucket: str, environment: dict[str, str], *, looked_at: bool = True) -> Observed:
    place = Place(f"s3://{bucket}/out", bench.server.client())
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in environment.items():
            patch.setenv(variable, value)
        code, said = bench.predict(bench.config(name, place.uri))
    there = looked_at and name != "no-bucket"
    return Observed(code, said, bench.left(place) if there else "nothing published")


@row(29, "an input file that breaks off", "cut in the middle", code=3, again=0)
def cut_input(bench: Bench) -> Observed:
    """The file is named."""
    source = bench.new_input("cut", learnable_rows(1, 50).drop_columns("y"), learnable_rows(2, 50).drop_columns("y"))
    path = Path(source["uri"]) / "1.parquet"
    body = path.read_bytes()
    path.write_bytes(body[: len(body) // 2])
    place = bench.place("cut")
    return bench.observe(bench.config("cut", place.uri, source=source), place, lambda: path.write_bytes(body))


@row(29, "an input file without a byte", "emptied", code=3, again=0)
def no_bytes(bench: Bench) -> Observed:
    """The file is named."""
    source = bench.new_input("no-bytes", learnable_rows(1, 50).drop_columns("y"))
    path = Path(source["uri"]) / "0.parquet"
    body = path.read_bytes()
    path.write_bytes(b"")
    place = bench.place("no-bytes")
    return bench.observe(bench.config("no-bytes", place.uri, source=source), place, lambda: path.write_bytes(body))


@row(31, "a column that the model needs is missing", "left out of the input", code=3)
def no_column(bench: Bench) -> Observed:
    """The column is named."""
    source = bench.new_input("no-column", learnable_rows(1, 50).drop_columns(["y", "z"]))
    place = bench.place("no-column")
    return bench.observe(bench.config("no-column", place.uri, source=source), place)


@row(34, "more refused rows than the budget allows", "a rate of 0 and a file with rows to refuse", code=8)
def over_budget(bench: Bench) -> Observed:
    """Nothing is published, and what is computed is kept."""
    place = bench.place("budget")
    return bench.observe(bench.config("budget", place.uri, predict={"error_budget": {"rate": 0.0}}), place)


@row(36, "an input folder with nothing in it", "emptied", code=3)
def nothing_to_read(bench: Bench) -> Observed:
    """The folder is named."""
    place = bench.place("empty")
    return bench.observe(bench.config("empty", place.uri, source=bench.new_input("empty")), place)


@row(36, "an input file without rows beside others", "a table of no rows", code=0)
def no_rows(bench: Bench) -> Observed:
    """Is no fault at all."""
    table = learnable_rows(1, 50).drop_columns("y")
    place = bench.place("no-rows")
    source = bench.new_input("no-rows", table, table.slice(0, 0))
    return bench.observe(bench.config("no-rows", place.uri, source=source), place)


@row(39, "two columns of the same name", "written so", code=3)
def same_name(bench: Bench) -> Observed:
    """The column is named."""
    table = learnable_rows(1, 50).drop_columns("y")
    twice = pa.Table.from_arrays([*table.columns, table["z"]], names=[*table.column_names, "z"])
    place = bench.place("same-name")
    return bench.observe(bench.config("same-name", place.uri, source=bench.new_input("same-name", twice)), place)


@row(44, "a model file that was tampered with", "one byte changed", code=4)
def tampered(bench: Bench) -> Observed:
    """Refused before it is loaded."""
    copy = bench.folder / "tampered"
    shutil.copytree(bench.scene.models[MINE], copy)
    path = copy / "pipeline.skops"
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))
    place = bench.place("tampered-out")
    return bench.observe(bench.config("tampered", place.uri, model={"uri": str(copy)}), place)


def listed(name: str) -> list[dict[str, str]]:
    """Faults that other tests bring about (``elsewhere``), or nobody (``not_here``)."""
    with (Path(__file__).parent / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
