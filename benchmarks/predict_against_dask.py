"""`scoreline predict` against the plain Dask way, on demo Parquet, in turns; writes a result file."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds

from benchmarks.fitted_elsewhere import hand_over
from benchmarks.worker_memory import WorkerMemory
from scoreline.demo import write_demo

HERE = Path(__file__).parent
PACKAGES = ("scoreline", "dask", "distributed", "pyarrow", "pandas", "numpy", "scikit-learn")


def config(data: Path, model: Path, folder: Path) -> Path:
    """The config that predicts with an artifact from elsewhere."""
    job = {
        "version": 1,
        "name": "bench",
        "source": {"kind": "parquet", "uri": str(data)},
        "model": {"uri": str(model), "sha256": hashlib.sha256(model.read_bytes()).hexdigest(), "trust": True},
        "predict": {"sink": {"kind": "parquet", "uri": str(folder / "ours")}},
        "artifacts": str(folder / "artifacts"),
        "cluster": {"kind": "local", "workers": 2},
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    return path


def measured(command: list[str]) -> tuple[str, list[float]]:
    """Run a command to its end; its standard output and the memory peaks of its children."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        with WorkerMemory(process.pid) as memory:
            output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{command} ended with {process.returncode}")
    return output, memory.peaks


def ours(job: Path, folder: Path) -> dict[str, Any]:
    """One run of scoreline; the seconds of its predict stage."""
    for name in ("ours", "ours.store", "artifacts"):
        path = folder / name
        path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
    output, peaks = measured([sys.executable, "-m", "scoreline", "predict", str(job), "--json"])
    record = json.loads((Path(json.loads(output)["artifacts"]) / "run.json").read_text())
    return {"seconds": record["seconds"]["predict"], "worker_mib": peaks[:2]}


def theirs(data: Path, model: Path, folder: Path) -> dict[str, Any]:
    """One run of the plain Dask way."""
    shutil.rmtree(folder / "theirs", ignore_errors=True)
    output, peaks = measured(
        [sys.executable, "-m", "benchmarks.peers_dask", str(data), str(model), str(folder / "theirs")]
    )
    return {**json.loads(output.splitlines()[-1]), "worker_mib": peaks[:2]}


def same_labels(folder: Path) -> int:
    """Rows whose label is the same in both outputs, in order; all of them, or the run does not count."""
    left = ds.dataset(sorted((folder / "ours").glob("*.parquet")), format="parquet")
    parts = sorted((folder / "theirs").glob("*.parquet"), key=lambda path: int(path.name.split(".")[1]))
    right = ds.dataset(parts, format="parquet")
    ours_labels = left.to_table(columns=["prediction"])["prediction"]
    their_labels = right.to_table(columns=["prediction"])["prediction"].cast("string")
    if not ours_labels.cast("string").combine_chunks().equals(their_labels.combine_chunks()):
        raise RuntimeError("the labels differ")
    return len(ours_labels)


def alone(data: Path, kind: str, folder: Path) -> dict[str, Any]:
    """One run of scoreline without the peer: for its memory on data of another size."""
    hand_over(min(data.glob("*.parquet")), kind, folder)
    run = ours(config(data, folder / f"{kind}-pipeline.joblib", folder), folder)
    return {"model": kind, "files": len(list(data.glob("*.parquet"))), "runs": [{"ours": run}]}


def compared(data: Path, kind: str, folder: Path, pairs: int) -> dict[str, Any]:
    """Several pairs of runs in turns, and the median ratio of their throughputs."""
    hand_over(min(data.glob("*.parquet")), kind, folder)
    model = folder / f"{kind}-pipeline.joblib"
    job = config(data, model, folder)
    runs = [{"ours": ours(job, folder), "theirs": theirs(data, model, folder)} for _ in range(pairs)]
    rows = same_labels(folder)
    ratios = [run["theirs"]["seconds"] / run["ours"]["seconds"] for run in runs]
    return {
        "model": kind,
        "rows": rows,
        "files": len(list(data.glob("*.parquet"))),
        "rows_per_second": {
            who: round(rows / statistics.median(r[who]["seconds"] for r in runs)) for who in ("ours", "theirs")
        },
        "ratio": {"median": round(statistics.median(ratios), 3), "all": [round(ratio, 3) for ratio in ratios]},
        "worker_mib": {who: max(max(r[who]["worker_mib"]) for r in runs) for who in ("ours", "theirs")},
        "runs": runs,
    }


def main() -> None:
    """Make the data, compare, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--models", default="logistic,forest")
    parser.add_argument("--pairs", type=int, default=1, help="0: scoreline alone, for its memory")
    parser.add_argument("--folder", type=Path, help="where data are made and kept; a temporary folder without it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch:
        folder = options.folder or Path(scratch)
        data = folder / f"data-{options.rows}" / "transactions"
        if not data.exists():
            write_demo(data.parent, options.rows, "parquet")
        kinds = options.models.split(",")
        found = [compared(data, k, folder, options.pairs) if options.pairs else alone(data, k, folder) for k in kinds]
    result = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "processor": platform.machine(), "system": platform.platform()},
        "versions": {name: version(name) for name in PACKAGES},
        "results": found,
    }
    path = HERE / "results" / f"predict_against_dask-{options.rows}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
