"""Who takes part: how each is called and started."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers import environments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.peers.workloads import Prepared

ROOT = Path(__file__).parents[2]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
OURS = "scoreline"


@dataclass(frozen=True)
class Contender:
    """One way of predicting.

    Attributes
    ----------
    title, note : as the tables call it, and how it is run
    peer, mode : its script and environment, and what the script is told besides the job
    """

    title: str
    note: str
    peer: str
    mode: str = ""

    def command(self, of: Prepared, output: Path, workers: int) -> list[str]:
        """The whole job in a new process."""
        script = ["-m", f"benchmarks.peers.peer_{self.peer}", of.job(output, workers)]
        return [str(environments.python(self.peer)), *script, *([self.mode] if self.mode else [])]

    def environment(self) -> Mapping[str, str]:
        """One thread for each worker's libraries; where scripts and their workers find their modules."""
        quiet = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "DAFT_PROGRESS_BAR": "0", "DO_NOT_TRACK": "1"}
        return {**os.environ, **ONE_THREAD, **quiet, "PYTHONPATH": str(ROOT)}


PEERS = {
    "dask": Contender("Dask", "`read_parquet(...).map_partitions(...).to_parquet(...)`", "dask"),
    "ray": Contender("Ray Data", "`read_parquet(...).map_batches(...).write_parquet(...)`, Arrow batches", "ray"),
    "spark": Contender("Spark", "an iterator `pandas_udf` of the features, Arrow batches, `local[n]`", "spark"),
    "daft": Contender("Daft", "a batch method of a `daft.cls` with a process for each worker", "daft"),
    "polars_threads": Contender("Polars, threads", "file by file in a pool of threads", "polars", "threads"),
    "polars_processes": Contender("Polars, processes", "file by file in a pool of processes", "polars", "processes"),
    "pandas": Contender("pandas", "file by file in one process, scikit-learn's threads on all cores", "pandas"),
}


def our_command(config: Path) -> list[str]:
    """`scoreline predict`, as a user starts it."""
    return [sys.executable, "-m", "scoreline", "predict", str(config), "--json"]


def our_environment(cache: Path) -> Mapping[str, str]:
    """Where this clone's code is, and a cache that no other artifact uses."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "SCORELINE_CACHE": str(cache)}
