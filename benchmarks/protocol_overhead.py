"""What exactly-once costs: the predict stage as it is, against the same predictions written plainly.

"On" is the stage: sha256, spool file, create with fsync, receipts, manifest, hard links, commit. "Off" writes the same
rows of the same units in the same way, page checksums included, into a file at its final place, and nothing else. Both
run in one process without workers; the clock leaves out imports and planning. A logistic regression
of two columns leaves little to hide the cost behind; the pipeline on demo data is what jobs are like.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fitted_elsewhere import fitted
from benchmarks.machine import keep
from benchmarks.small_jobs import INLINE, ROOT, hand_over, write_config
from scoreline.demo import write_demo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scoreline.stages.predict import Scoring


@dataclass(frozen=True)
class Workload:
    """Input files, each of which is a unit, and what predicts them.

    Attributes
    ----------
    rows, files : rows of a file, and files
    pipeline : whether a pipeline with one-hot text predicts demo data; otherwise two numbers decide
    """

    rows: int
    files: int
    pipeline: bool = False

    def prepare(self, folder: Path) -> None:
        """Write ``data/`` and ``model.joblib``."""
        if self.pipeline:
            write_demo(folder, self.rows * self.files, "parquet")
            (folder / "transactions").rename(folder / "data")
            pipeline = fitted(min((folder / "data").glob("*.parquet")), "logistic", rows=10_000)
            joblib.dump(pipeline, folder / "model.joblib")
            return
        hand_over(folder / "model.joblib", ("low", "high"))
        (folder / "data").mkdir()
        for number in range(self.files):
            values = np.random.default_rng(number)
            columns = {"x": values.normal(size=self.rows), "y": values.normal(size=self.rows).astype(np.float32)}
            table = pa.table({"key": np.arange(self.rows), **columns})
            pq.write_table(table, folder / "data" / f"{number:03}.parquet")


WORKLOADS = {
    "two numbers, parts of about 1 MB": Workload(1 << 16, 40),
    "two numbers, parts of about 20 MB": Workload(1 << 21, 12),
    "demo pipeline, 2,000,000 rows": Workload(250_000, 8, pipeline=True),
    "demo pipeline, 3,750,000 rows": Workload(1_250_000, 3, pipeline=True),
}


def planned(config: Path) -> Scoring:
    """What `scoreline predict` settles before it starts."""
    from scoreline.config import load_config
    from scoreline.plans.handed_over import handed_over
    from scoreline.plans.prediction import plan_prediction

    job = load_config(str(config))
    if job.model is None:
        raise ValueError(config)
    bundle, survey = handed_over(job, job.model, ())
    return plan_prediction(job, bundle, (), survey)


def with_protocol(plan: Scoring) -> None:
    """The stage as it is."""
    from scoreline.clusters.inline import Inline
    from scoreline.stages.predict import predict

    with Inline().open() as session:
        predict(session, plan, lambda _: None)


def plainly(plan: Scoring) -> None:
    """The same rows, each unit's straight into a file, in the same way."""
    from scoreline.dataset.spool import Spool
    from scoreline.scoring import Account, output_rows, writing
    from scoreline.threads import limited

    task, folder = plan.task, Path(plan.task.layout.uri)
    folder.mkdir()
    for unit in plan.survey.units:
        with Spool() as refused, limited(1), (folder / f"{unit.name}.parquet").open("wb") as file:
            writing(task, unit, output_rows(task, unit, Account(refused)))(file, {})


WAYS: dict[str, Callable[[Scoring], None]] = {"on": with_protocol, "off": plainly}


def one(way: str, config: Path) -> None:
    """Measure one way in this process; print wall and processor seconds."""
    plan = planned(config)
    start, used = time.perf_counter(), time.process_time()
    WAYS[way](plan)
    print(json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - used}))


def measured(way: str, folder: Path) -> dict[str, float]:
    """One way in a fresh process with a fresh place to write to."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        place = Path(scratch)
        config = write_config(place / "job.json", str(folder / "data"), folder / "model.joblib", f"{place}/out", INLINE)
        command = [sys.executable, "-m", "benchmarks.protocol_overhead", "--one", way, "--config", str(config)]
        found: dict[str, float] = json.loads(subprocess.check_output(command, cwd=ROOT))
        sizes = [path.stat().st_size for path in (place / "out").glob("*.parquet")]
        # What one run has left to write must not slow down the next.
        os.sync()
    return {**found, "mean_megabytes": round(statistics.mean(sizes) / 1e6, 2)}


def compared(folder: Path, pairs: int) -> dict[str, Any]:
    """Pairs of runs, their order drawn by chance, and the median ratio of on to off with its interval."""
    order, runs = random.Random(0), []  # noqa: S311  for turns, not for secrets
    for _ in range(pairs):
        ways = order.sample(sorted(WAYS), 2)
        runs.append({way: measured(way, folder) for way in ways})
    return {
        "mean_megabytes": runs[0]["on"]["mean_megabytes"],
        **{kind: ratio([run["on"][kind] / run["off"][kind] for run in runs]) for kind in ("seconds", "cpu")},
        "runs": runs,
    }


def ratio(ratios: Sequence[float]) -> dict[str, float]:
    """The median and the interval of its bootstrap at 95 %."""
    draw = np.random.default_rng(0).choice(ratios, (2000, len(ratios)))
    low, high = np.quantile(np.median(draw, axis=1), (0.025, 0.975))
    return {"median": round(statistics.median(ratios), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--config", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.config)
        return
    found = {}
    for name, workload in WORKLOADS.items():
        with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch:
            workload.prepare(Path(scratch))
            compared_ways = compared(Path(scratch), options.pairs)
            found[name] = {"rows": workload.rows, "files": workload.files, **compared_ways}
            print(name, compared_ways["seconds"], compared_ways["cpu"], flush=True)
    keep("protocol_overhead", {"workloads": found})


if __name__ == "__main__":
    main()
