"""A small job that works, ways to spoil it, and what every answer to a spoilt job must be."""

import copy
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scoreline.cli.app import app

CANARY = "CANARY-secret-that-nobody-may-see"
"""The secret key in the environment of every case."""

REMOVED: Any = object()
"""In place of a value of the config or of a file: it is taken away."""

HEADER = "id,amount,city,day,group\n"
CITIES = ("Lisboa", "Porto", "Faro")

JOB: dict[str, Any] = {
    "version": 1,
    "name": "job",
    "source": {"kind": "csv", "uri": "data/*.csv"},
    "clean": [{"kind": "strip_names"}, {"kind": "trim_strings"}],
    "features": [
        {"kind": "impute", "columns": ["amount"]},
        {"kind": "standard_scale", "columns": ["amount"]},
        {"kind": "one_hot", "columns": ["city"], "unknown": "refuse"},
    ],
    "target": "group",
    "train": {"sample": {"rows": 1000}, "model": {"kind": "logistic_regression"}, "threads": 1},
    "evaluate": {"replicates": 5},
    "predict": {"sink": {"kind": "parquet", "uri": "predictions"}},
    "artifacts": "artifacts",
    "cluster": {"kind": "inline"},
}

_EVENT = re.compile(r"\d\d:\d\d:\d\d  ")


def rows(start: int, count: int) -> str:
    """Records of the small data set, from one number on."""
    return "".join(
        f"{n:05d},{n * 37 % 100 + 0.5},{CITIES[n % 3]},2026-01-{n % 28 + 1:02d},{'ab'[n * 37 % 100 < 50]}\n"
        for n in range(start, start + count)
    )


def data(spoil: Callable[[str], str] = str, name: str = "data") -> dict[str, Any]:
    """Two files of 60 records each, spoilt alike."""
    return {f"{name}/{number}.csv": spoil(HEADER + rows(60 * number, 60)) for number in range(2)}


def only(content: str | bytes) -> dict[str, Any]:
    """One data file instead of the two."""
    return {"data/0.csv": content, "data/1.csv": REMOVED}


def replaced(pattern: str, by: str) -> Callable[[str], str]:
    """A way to spoil text."""
    return lambda text: re.sub(pattern, by, text, flags=re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A job that is spoilt, and what a user is told.

    Attributes
    ----------
    what, where, do : parts of the three lines of one of the problems
    change : values of the config by dotted path
    files : contents by path; a function writes more below the folder
    config : the config file itself, instead of a changed one
    """

    name: str
    code: int
    what: str
    where: str
    do: str
    change: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    spoil: Callable[[Path], object] | None = None
    command: tuple[str, ...] = ("run", "job.json")
    config: bytes | None = None


@dataclass(frozen=True)
class Told:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        """What, where and what to do, of each problem."""
        lines = [line for line in self.err.splitlines() if not _EVENT.match(line)]
        assert len(lines) % 3 == 0, self.err
        for where, do in zip(lines[1::3], lines[2::3], strict=True):
            assert where.startswith("  where: "), self.err
            assert do.startswith("  do:    "), self.err
        found = zip(lines[0::3], lines[1::3], lines[2::3], strict=True)
        return [(what, where.removeprefix("  where: "), do.removeprefix("  do:    ")) for what, where, do in found]


def scoreline_here(*arguments: str) -> Told:
    """Run a command in this process and in the current folder."""
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Told(result.exit_code, result.stdout, result.stderr)


def working_job(folder: Path) -> None:
    """A folder with data and a config, in which the job has run."""
    write_files(folder, data())
    write_job(folder, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        told = scoreline_here("run", "job.json")
    assert told.code == 0, told.err


def write_files(folder: Path, files: Mapping[str, Any]) -> None:
    """Write or remove files by path."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is REMOVED:
            path.unlink()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


def write_job(folder: Path, change: Mapping[str, Any]) -> None:
    """Write the job's config with some values changed, by dotted path."""
    job = copy.deepcopy(JOB)
    for path, value in change.items():
        *above, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
        place: Any = job
        for part in above:
            place = place[part] if isinstance(part, int) else place.setdefault(part, {})
        if value is REMOVED:
            del place[last]
        else:
            place[last] = value
    (folder / "job.json").write_text(json.dumps(job, indent=1), encoding="utf-8")


def spoil(case: Case, working: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make a folder for a case from the one that works, and go there."""
    shutil.copytree(working, folder, symlinks=True)
    write_job(folder, case.change)
    if case.config is not None:
        (folder / "job.json").write_bytes(case.config)
    write_files(folder, case.files)
    if case.spoil is not None:
        case.spoil(folder)
    patch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    patch.chdir(folder)


def check_answer(case: Case) -> Told:
    """Run the case's command in the current folder, and check all that every answer has in common."""
    before = _contents(Path())
    told = scoreline_here(*case.command)
    assert told.code == case.code, told.err + told.out
    assert any(case.what in what and case.where in where and case.do in do for what, where, do in told.problems), (
        told.err
    )
    assert "Traceback" not in told.err
    after = _contents(Path())
    assert [name for name, content in before.items() if after.get(name) != content and not _is_report(name)] == []
    assert _published(after) == _published(before)
    check_secret(told)
    return told


def check_secret(told: Told) -> None:
    """Make sure that the secret of the environment is in no file of the current folder and in nothing that was told."""
    assert [name for name, content in _contents(Path()).items() if CANARY.encode() in content] == []
    assert CANARY not in told.out + told.err


def _contents(folder: Path) -> dict[str, bytes]:
    """Every file by path, those that readers of the predictions see among them."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    found += folder.glob("predictions/*")
    return {path.as_posix(): path.read_bytes() for path in found}


def _is_report(name: str) -> bool:
    """A model is judged again when the question changes, and whoever begins to work on a run says so."""
    return name.endswith("/driver.json") or (name.startswith("artifacts/models/") and name.endswith("/metrics.json"))


def _published(contents: Mapping[str, bytes]) -> list[str]:
    """What readers may find: the current files, and the versions."""
    return sorted(name for name in contents if name.startswith("predictions/") or "/commits/" in name)
