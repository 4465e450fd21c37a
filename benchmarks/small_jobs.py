"""Small jobs for `scoreline predict`: a model of two numbers, handed over by plain scikit-learn, and configs."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from benchmarks.worker_memory import WorkerMemory

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
TWO_WORKERS = {"kind": "local", "workers": 2}
INLINE = {"kind": "inline"}


def hand_over(path: Path, words: tuple[str, str]) -> None:
    """Keep a model that answers one of two words by the columns x and y."""
    rows = np.random.default_rng(0).normal(size=(1000, 2))
    labels = np.where(rows.sum(axis=1) > 0, words[0], words[1])
    joblib.dump(LogisticRegression().fit(pd.DataFrame(rows, columns=["x", "y"]), labels), path)


def write_config(path: Path, data: str, model: Path, output: str, cluster: Mapping[str, Any]) -> Path:
    """The config that predicts data with a model that was handed over; its run folders lie beside it."""
    job = {
        "version": 1,
        "name": path.stem,
        "source": {"kind": "parquet", "uri": data},
        "model": {"uri": str(model), "sha256": hashlib.sha256(model.read_bytes()).hexdigest(), "trust": True},
        "predict": {"sink": {"kind": "parquet", "uri": output}},
        "artifacts": str(path.with_suffix(".artifacts")),
        "cluster": dict(cluster),
    }
    path.write_text(json.dumps(job))
    return path


@dataclass(frozen=True)
class Finished:
    """One run of `scoreline predict` in a process of its own.

    Attributes
    ----------
    record : its run.json
    output : what it printed with --json
    seconds : from the start of the process to its end
    began : when the process was started, in seconds since 1970
    driver_mib, worker_mib : high-water marks of memory; the scheduler of a local cluster is in the driver
    """

    record: Mapping[str, Any]
    output: Mapping[str, Any]
    seconds: float
    began: float
    driver_mib: float
    worker_mib: list[float]

    @property
    def folder(self) -> Path:
        """Where its journal is."""
        return Path(self.output["artifacts"])


def predict(config: Path) -> Finished:
    """Run the command to its end. Raises RuntimeError when it does not end with 0."""
    began, start = time.time(), time.perf_counter()
    with begin(config) as process:
        with WorkerMemory(process.pid) as memory:
            output, said = process.communicate()
        seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {said[-2000:]}")
    told = json.loads(output)
    record = json.loads((Path(told["artifacts"]) / "run.json").read_text())
    return Finished(record, told, seconds, began, memory.own, memory.peaks)


def begin(config: Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start the command in a session of its own."""
    command = [sys.executable, "-m", "scoreline", "predict", str(config), "--json"]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, env=environment, start_new_session=True
    )
