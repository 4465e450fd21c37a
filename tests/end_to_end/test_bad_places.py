"""Storage that refuses, clusters that are not there, workers that lack a package, and a user who stops the run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.dask_processes import DaskProcesses
from tests.end_to_end.commands import files_of
from tests.end_to_end.spoiling import (
    CANARY,
    HEADER,
    Case,
    check_answer,
    data,
    rows,
    scoreline_here,
    spoil,
    working_job,
)
from tests.seaweedfs import SeaweedFS

pytestmark = [pytest.mark.end_to_end, pytest.mark.filterwarnings("default")]

NOBODY = 'cluster={"kind": "scheduler", "address": "tcp://127.0.0.1:9", "timeout_s": 1}'

GoTo = Callable[[Case], None]


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("working") / "job"
    working_job(folder)
    return folder


@pytest.fixture
def go_to(working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoTo:
    """Make the folder of a case and go there."""
    return lambda case: spoil(case, working, tmp_path / "job", monkeypatch)


def wrong_keys(server: SeaweedFS) -> dict[str, str]:
    return {**server.env(), "AWS_SECRET_ACCESS_KEY": CANARY}


def read_only(server: SeaweedFS) -> dict[str, str]:
    return server.read_only().env()


def nowhere(server: SeaweedFS) -> dict[str, str]:
    return {**server.env(), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


def no_keys(server: SeaweedFS) -> dict[str, str]:
    return {**server.env(), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


# fmt: off
STORAGE = [
    (Case("no bucket to read", 5, "no such bucket", "s3://no-such-bucket", "create it",
          {"source.uri": "s3://no-such-bucket/data"}), SeaweedFS.env),
    (Case("no bucket for predictions", 5, "no such bucket", "s3://no-such-bucket", "create it",
          {"predict.sink.uri": "s3://no-such-bucket/predictions"}), SeaweedFS.env),
    (Case("no bucket for artifacts", 5, "no such bucket", "s3://no-such-bucket", "create it",
          {"artifacts": "s3://no-such-bucket/artifacts"}), SeaweedFS.env),
    (Case("nothing in the bucket", 3, "there is no such file or folder", "s3://BUCKET/data", "",
          {"source.uri": "s3://BUCKET/data"}), SeaweedFS.env),
    (Case("wrong credentials", 5, "the credentials are wrong", "s3://BUCKET/data", "AWS_SECRET_ACCESS_KEY",
          {"source.uri": "s3://BUCKET/data"}), wrong_keys),
    (Case("no credentials", 5, "no credentials were found", "s3://BUCKET/data", "AWS_PROFILE",
          {"source.uri": "s3://BUCKET/data"}), no_keys),
    (Case("credentials that may only read", 5, "permission denied", "s3://BUCKET/predictions", "another location",
          {"predict.sink.uri": "s3://BUCKET/predictions"}), read_only),
    (Case("no server", 5, "no S3 server answers", "s3://BUCKET/data", "AWS_ENDPOINT_URL",
          {"source.uri": "s3://BUCKET/data"}), nowhere),
]
# fmt: on


@pytest.mark.storage
@pytest.mark.parametrize(("case", "environment"), STORAGE, ids=[case.name for case, _ in STORAGE])
def test_storage_that_refuses_is_told(
    case: Case,
    environment: Callable[[SeaweedFS], dict[str, str]],
    go_to: GoTo,
    monkeypatch: pytest.MonkeyPatch,
    seaweedfs: SeaweedFS,
) -> None:
    bucket = seaweedfs.bucket()
    change = {name: value.replace("BUCKET", bucket) for name, value in case.change.items()}
    here = replace(case, where=case.where.replace("BUCKET", bucket), change=change)
    go_to(here)
    for name, value in environment(seaweedfs).items():
        monkeypatch.setenv(name, value)
    check_answer(here)


@pytest.mark.cluster
def test_no_scheduler_is_told(go_to: GoTo) -> None:
    command = ("run", "job.json", "--set", NOBODY)
    what, where = "no scheduler answers within 1 s", "cluster tcp://127.0.0.1:9"
    case = Case("", 6, what, where, "dask scheduler", command=command)
    go_to(case)
    check_answer(case)


@pytest.mark.cluster
def test_a_package_that_a_worker_lacks_is_told(
    go_to: GoTo, tmp_path: Path, start_dask: Callable[..., DaskProcesses]
) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "lightgbm.py").write_text("raise ModuleNotFoundError(\"No module named 'lightgbm'\", name='lightgbm')")
    dask = start_dask(0)
    dask.add_worker(PYTHONPATH=str(hidden))
    change = {"train.model": {"kind": "lightgbm"}}
    command = ("run", "job.json", "--cluster", dask.address)
    case = Case("", 6, "No module named 'lightgbm'", "train", "every worker", change, command=command)
    go_to(case)
    check_answer(case)


FAILING = """
from typing import Literal
from scoreline.cleaners.base import Step
class Fail(Step):
    kind: Literal["fail"] = "fail"
    def output_schema(self, schema):
        return schema
    def apply(self, part):
        raise KeyError("Porto")
    def needs(self, wanted, schema):
        return wanted
    def narrowed(self, wanted, schema):
        return self
"""

ON_WORKERS = [
    Case("a step that fails", 2, "apply of an own module raised KeyError", "/failing_steps.py:9", "mend the module",
         {"clean.1": {"kind": "fail"}}, {"failing_steps.py": FAILING}),
    Case("infinite numbers", 3, "'amount' holds infinite", "column 'amount'", "clip",
         files={"data/0.csv": (HEADER + rows(0, 60)).replace("37.5", "inf")}),
    Case("nothing to learn", 3, "Unknown label type", "($.train.model)", "the target 'group'",
         files=data(lambda text: text.replace(",a\n", ",1.5\n").replace(",b\n", ",2.5\n"))),
    Case("too many refused rows", 8, "unknown_category 20", "/quarantine/", "predict.error_budget",
         {"predict.source": {"kind": "csv", "uri": "new"}},
         {"new/0.csv": HEADER + rows(0, 60).replace("Porto", "Braga")}),
]  # fmt: skip


@pytest.mark.cluster
@pytest.mark.parametrize("case", ON_WORKERS, ids=lambda case: case.name)
def test_what_goes_wrong_on_workers_is_told_as_if_it_were_here(case: Case, go_to: GoTo, dask_scheduler: str) -> None:
    modules = [word for name in case.files if name.endswith(".py") for word in ("--module", name)]
    there = replace(case, command=("run", "job.json", "--cluster", dask_scheduler, *modules))
    go_to(there)
    check_answer(there)


WAITING = """
import time
from pathlib import Path
from typing import Literal
from scoreline.cleaners.base import Cleaned, Step
class Wait(Step):
    kind: Literal["wait"] = "wait"
    folder: str
    def output_schema(self, schema):
        return schema
    def apply(self, part):
        if part.num_rows == 50 and Path(self.folder, "wait").exists():
            Path(self.folder, "waiting").touch()
            time.sleep(60)
        return Cleaned(part)
    def needs(self, wanted, schema):
        return wanted
    def narrowed(self, wanted, schema):
        return self
"""


@pytest.fixture
def waiting(working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a job that waits when it predicts its 50 rows, as long as a file named "wait" is there."""
    folder = tmp_path / "job"
    change = {
        "clean.1": {"kind": "wait", "folder": str(folder), "on": "predict"},
        "predict.source": {"kind": "csv", "uri": "new"},
        "train.seed": 5,
    }
    files = {"waiting_steps.py": WAITING, "wait": "", "new/0.csv": HEADER + rows(0, 50)}
    spoil(Case("", 0, "", "", "", change, files), working, folder, monkeypatch)
    yield folder
    (folder / "wait").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("sent", "cluster", "code", "what"),
    [
        (signal.SIGINT, "inline", 130, "stopped by Ctrl-C"),
        (signal.SIGTERM, "inline", 143, "stopped by SIGTERM"),
        pytest.param(signal.SIGINT, "local", 130, "stopped by Ctrl-C", marks=pytest.mark.cluster),
    ],
)
def test_a_run_that_is_stopped_publishes_nothing_and_goes_on(
    sent: signal.Signals, cluster: str, code: int, what: str, waiting: Path
) -> None:
    command = ["run", "job.json", "--module", "waiting_steps.py"]
    before = files_of(waiting / "predictions")
    stopped = stopped_by(sent, [*command, "--cluster", cluster], waiting)
    assert (stopped.returncode, stopped.stdout) == (code, "")
    last = stopped.stderr.splitlines()[-3:]
    assert last[0] == what
    assert last[1].startswith("  where: ")
    assert last[2] == "  do:    the same command goes on where it stopped"
    assert "Traceback" not in stopped.stderr
    assert files_of(waiting / "predictions") == before
    (waiting / "wait").unlink()
    again = scoreline_here(*command)
    assert again.code == 0, again.err
    assert "trained before" in again.err
    assert "version 2" in again.out
    assert files_of(waiting / "predictions") != before


def stopped_by(sent: signal.Signals, command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command in a group of its own and send the whole group a signal, as a terminal does, when it waits."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scoreline", *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 40
    while not (folder / "waiting").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, sent)
    out, err = process.communicate(timeout=20)
    return subprocess.CompletedProcess(command, process.returncode, out, err)
