"""Who is put under faults: how each is started, what tells that it writes, and how it is read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.small_jobs import ROOT, TWO_WORKERS, hand_over, write_config
from benchmarks.under_faults.answers import COUNT_FILE, WRITING, WRITTEN

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parents[1]
VENV = HERE / ".peers-venv"
UNITS, UNIT_ROWS = 40, 65_536
"""Parquet files with this many rows are units of their own to Scoreline."""
ROWS = UNITS * UNIT_ROWS


def make_environment() -> dict[str, str]:
    """Make the peers' virtual environment, and tell the versions in it."""
    wanted = HERE / "peers-requirements.txt"
    known = VENV / "requirements.txt"
    if not known.exists() or known.read_text() != wanted.read_text():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([VENV / "bin/python", "-m", "pip", "install", "--quiet", "-r", wanted], check=True)
        shutil.copy(wanted, known)
    listed = subprocess.check_output([VENV / "bin/python", "-m", "pip", "list", "--format", "json"], text=True)
    named = {line.split(">")[0].split("[")[0] for line in wanted.read_text().splitlines()[1:]}
    return {entry["name"]: entry["version"] for entry in json.loads(listed) if entry["name"] in named}


def write_data(folder: Path) -> None:
    """Two inputs of the same size: ``first`` with keys from 0, ``second`` with the keys that follow."""
    for number, name in enumerate(("first", "second")):
        (folder / name).mkdir(parents=True)
        for unit in range(UNITS):
            random, start = np.random.default_rng(unit), number * ROWS + unit * UNIT_ROWS
            keys = np.arange(start, start + UNIT_ROWS)
            table = pa.table({"key": keys, "x": random.normal(size=UNIT_ROWS), "y": random.normal(size=UNIT_ROWS)})
            pq.write_table(table, folder / name / f"{unit:02}.parquet")


@dataclass(frozen=True)
class Contender:
    """One way of writing predictions.

    Attributes
    ----------
    name, note : as the table calls it, and how its documentation has it done
    module, mode : the peer's script and its first argument; none for Scoreline itself
    reading : how it is read; see `reader.read`
    has_workers : whether there are worker processes to kill
    commit : what the path of its commit on S3 has in it; none without commits
    """

    name: str
    note: str
    module: str | None
    mode: str
    reading: Literal["folder", "delta"] = "folder"
    has_workers: bool = False
    commit: str | None = None
    on_s3: bool = True

    @property
    def appends(self) -> bool:
        """Whether new rows come beside the old ones."""
        return self.mode == "append"


CONTENDERS = {
    "dask": Contender(
        "Dask `to_parquet`",
        "`read_parquet(...).map_partitions(...).to_parquet(path)` on a local cluster, where an older version is",
        "peer_dask",
        "plain",
        has_workers=True,
    ),
    "dask_overwrite": Contender(
        "Dask `to_parquet(overwrite=True)`",
        "the same with the option that its documentation offers for writing over a data set",
        "peer_dask",
        "overwrite",
        has_workers=True,
    ),
    "delta_overwrite": Contender(
        "deltalake, overwrite",
        '`write_deltalake(table, stream, mode="overwrite")` in one process: one commit',
        "peer_deltalake",
        "overwrite",
        reading="delta",
        commit="_delta_log/",
    ),
    "delta_append": Contender(
        "deltalake, append",
        '`write_deltalake(table, stream, mode="append")` in one process: one commit',
        "peer_deltalake",
        "append",
        reading="delta",
        commit="_delta_log/",
    ),
    "delta_dask_append": Contender(
        "deltalake from Dask, append",
        "`dask_deltatable.to_deltalake`, as the page on Dask of its documentation: files by tasks, one commit",
        "peer_dask_deltatable",
        "append",
        reading="delta",
        has_workers=True,
        on_s3=False,
    ),
    "scoreline": Contender(
        "Scoreline `predict`",
        "`scoreline predict CONFIG` on a local cluster, the model handed over",
        None,
        "replace",
        has_workers=True,
        commit="/commits/",
    ),
}


@dataclass
class Stand:
    """A contender with a place to write to, and what its runs say.

    `target` is a folder or a prefix of S3; `folder` is for its config and logs.
    """

    contender: Contender
    data: Path
    folder: Path
    target: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def marks(self) -> tuple[str, str]:
        """What its output has in it when writing begins, and when it has ended."""
        return ("predicting ", "predict done in") if self.contender.module is None else (WRITING, WRITTEN)

    def begin(self, word: str) -> subprocess.Popen[str]:
        """Start the job in a session of its own: "old" makes what is there before, "new" is what faults befall."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._count_file.write_bytes(b"")
        return subprocess.Popen(
            self._command(word),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            start_new_session=True,
            env=os.environ | dict(self.environment) | {COUNT_FILE: str(self._count_file)},
        )

    def computed(self, output: str) -> int:
        """How many units the last run computed, by what it printed."""
        if self.contender.module is not None:
            return self._count_file.stat().st_size
        _, _, told = output.partition("\n{\n")
        return int(json.loads("{" + told)["predictions"]["units_computed"]) if told else 0

    def read(self) -> dict[str, Any]:
        """What a reader finds."""
        on_s3 = self.target.startswith("s3://")
        kind = "pointer" if on_s3 and self.contender.module is None else self.contender.reading
        command = [str(VENV / "bin/python"), "-m", "benchmarks.under_faults.reader", kind, self.target]
        environment = os.environ | dict(self.environment)
        found = subprocess.check_output(command, text=True, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        return dict(json.loads(found))

    @property
    def _count_file(self) -> Path:
        return self.folder / "computed"

    def _command(self, word: str) -> list[str]:
        source = self.data / ("second" if self.contender.appends and word == "new" else "first")
        if self.contender.module is None:
            model = self.folder / f"{word}.joblib"
            if not model.exists():
                hand_over(model, (f"{word}-high", f"{word}-low"))
            config = write_config(self.folder / f"{word}.json", str(source), model, self.target, TWO_WORKERS)
            return [sys.executable, "-m", "scoreline", "predict", str(config), "--json"]
        module, mode = self.contender.module, self.contender.mode
        if word == "old" and self.contender.reading == "delta":
            module, mode = "peer_deltalake", "overwrite"
        return [
            str(VENV / "bin/python"),
            "-m",
            f"benchmarks.under_faults.{module}",
            mode,
            str(source),
            word,
            self.target,
        ]
