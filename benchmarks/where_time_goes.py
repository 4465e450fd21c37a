"""Where the time of a whole job goes: starting, then each row, stage by stage; writes a result file.

Imports, and each pipeline, have processes of their own. Beside the stages stands what any engine has to do: read the
same columns and write the same ones with pyarrow, and no model at all.

Run: python -m benchmarks.where_time_goes
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.machine import keep
from benchmarks.small_jobs import ROOT

if TYPE_CHECKING:
    from scoreline.stages.predict import Scoring

ROWS = 2_000_000
WORKLOADS = ("logistic", "forest", "hgb")
IMPORTS = {
    "numpy and pyarrow": "numpy, pyarrow.parquet, pyarrow.compute",
    "what a worker runs": "scoreline.scoring",
    "what the driver runs": "scoreline.pipeline",
    "Dask": "distributed",
    "scikit-learn, with pandas and scipy": "sklearn.compose, sklearn.ensemble",
}
WARM = 2
"""Units that are scored before the clock counts: in them artifacts are compiled and proven."""


def imports(turns: int) -> dict[str, float]:
    """Processor seconds, median over new processes."""
    line = "import time; start = time.process_time(); import {}; print(time.process_time() - start)"
    taken: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(turns):
        for name, modules in IMPORTS.items():
            taken[name].append(float(subprocess.check_output([sys.executable, "-c", line.format(modules)])))
    return {name: round(statistics.median(seconds), 3) for name, seconds in taken.items()}


def one(config: Path) -> dict[str, Any]:
    """One pipeline in this process: processor seconds of planning and of starting to score, and microseconds a row."""
    import sklearn.compose
    import sklearn.ensemble  # noqa: F401  importing is measured by itself

    from benchmarks.protocol_overhead import planned

    start = time.process_time()
    plan = planned(config)
    planning = time.process_time() - start
    return {"plan": round(planning, 3), **_scored(plan), "read and written without a model": _floor(plan)}


def _scored(plan: Scoring) -> dict[str, Any]:
    from benchmarks.stages_of_rows import watched
    from scoreline.scoring import score_unit

    def spent(number: int) -> float:
        start = time.process_time()
        score_unit(plan.task, plan.survey.units[number])
        return time.process_time() - start

    first = [spent(number) for number in range(WARM)]
    units = plan.survey.units[WARM:]
    with watched() as stages:
        steady = [spent(number) for number in range(WARM, len(plan.survey.units))]
    rows = sum(unit.rows for unit in units)
    begun = sum(first) - sum(unit.rows for unit in plan.survey.units[:WARM]) * sum(steady) / rows
    by_stage = {name: round(1e6 * seconds / rows, 4) for name, seconds in stages.items()}
    total = round(1e6 * sum(steady) / rows, 4)
    rest = round(total - sum(by_stage.values()), 4)
    return {"compile and prove": round(begun, 3), "a row": total, "stages": {**by_stage, "rest": rest}}


def _floor(plan: Scoring) -> float:
    """Microseconds a row of reading and writing with pyarrow, as it is by default, with one thread."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    task = plan.task
    pieces = [piece for unit in plan.survey.units[WARM:] for piece in unit.pieces]
    start = time.process_time()
    for piece in pieces:
        with pq.ParquetFile(piece.uri) as file, tempfile.TemporaryFile() as written:
            groups = piece.row_groups or range(file.num_row_groups)
            table = file.read_row_groups(groups, columns=list(task.read), use_threads=False)
            label = pa.repeat("label", table.num_rows)
            pq.write_table(table.select(list(task.keep)).append_column("prediction", label), written)
    return round(1e6 * (time.process_time() - start) / sum(piece.rows for piece in pieces), 4)


def measured(workload: str, folder: Path) -> dict[str, Any]:
    """One pipeline in a new process with a new place to write to."""
    from benchmarks.peers.workloads import prepare

    prepared = prepare(workload, ROWS, folder)
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.where_time_goes"]
        told = subprocess.check_output([*command, "--one", str(prepared.config(Path(scratch)))], cwd=ROOT)
    found: dict[str, Any] = json.loads(told)
    return found


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", type=Path, help="the config of a job to measure in this process")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="for data")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one)))
        return
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch:
        folder = options.folder or Path(scratch)
        pipelines = {name: measured(name, folder) for name in WORKLOADS}
    keep("where_time_goes", {"rows": ROWS, "imports": imports(options.turns), "pipelines": pipelines})


if __name__ == "__main__":
    main()
