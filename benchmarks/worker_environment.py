"""What the memory settings of our workers are worth, against those that Dask gives to workers.

The predict stage runs in one process, started with one set of environment variables or the other, in turns; the clock
leaves out imports and planning.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.machine import keep
from benchmarks.protocol_overhead import Workload, ratio
from benchmarks.small_jobs import INLINE, ROOT, write_config
from scoreline.clusters._given_to_workers import WORKER_ENVIRONMENT

DASKS = {**WORKER_ENVIRONMENT, "MALLOC_TRIM_THRESHOLD_": "65536"}
for _name in ("MALLOC_MMAP_THRESHOLD_", "ARROW_DEFAULT_MEMORY_POOL"):
    del DASKS[_name]
WAYS = {"dask": DASKS, "ours": WORKER_ENVIRONMENT}


def measured(way: str, folder: Path) -> dict[str, float]:
    """Wall and processor seconds of one run in a fresh process with a fresh place to write to."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        place = Path(scratch)
        config = write_config(place / "job.json", str(folder / "data"), folder / "model.joblib", f"{place}/out", INLINE)
        command = [sys.executable, "-m", "benchmarks.protocol_overhead", "--one", "on", "--config", str(config)]
        environment = {name: value for name, value in os.environ.items() if name not in WORKER_ENVIRONMENT}
        said = subprocess.check_output(command, cwd=ROOT, env=environment | WAYS[way])
    found: dict[str, float] = json.loads(said)
    return found


def compared(folder: Path, pairs: int) -> dict[str, Any]:
    """Pairs of runs in turns, and how many times the time of ours the other takes."""
    runs = []
    for pair in range(pairs):
        ways = sorted(WAYS, reverse=bool(pair % 2))
        runs.append({way: measured(way, folder) for way in ways})
    ratios = {kind: ratio([run["dask"][kind] / run["ours"][kind] for run in runs]) for kind in ("seconds", "cpu")}
    return {**ratios, "runs": runs}


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch:
        Workload(250_000, 4, pipeline=True).prepare(Path(scratch))
        keep("worker_environment", compared(Path(scratch), options.pairs))


if __name__ == "__main__":
    main()
