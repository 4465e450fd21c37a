"""Seconds from the start of a process to its first prediction, and microseconds of one record; writes a result file.

Run: python -m benchmarks.first_prediction
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks.fitted_elsewhere import NUMBERS, TARGET, TEXTS, features
from benchmarks.machine import keep
from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle
from scoreline.bundle.files import MODEL, dumped, write_bundle
from scoreline.bundle.golden import golden_rows
from scoreline.cleaners.clip import Clip
from scoreline.cleaners.trim_strings import TrimStrings
from scoreline.cleaning import Cleaning
from scoreline.contract import Contract
from scoreline.demo import write_demo
from scoreline.frame import to_frame
from scoreline.storage import create
from scoreline.threads import limited

ROWS, RECORDS = 30_000, 100
SCHEMA = pa.schema([*((name, pa.float64()) for name in NUMBERS), *((name, pa.string()) for name in TEXTS)])
MODELS = {
    "logistic": LogisticRegression(max_iter=1000, tol=1e-2),
    "forest": RandomForestClassifier(100, min_samples_leaf=2, random_state=0),
    "hist_gradient_boosting": HistGradientBoostingClassifier(max_iter=20, random_state=0),
}
STEPS = Cleaning((TrimStrings(columns=tuple(TEXTS)), Clip(columns=("idade",), min=0, max=120)))
CASES = {**{name: (name, Cleaning()) for name in MODELS}, "logistic_cleaned": ("logistic", STEPS)}


def read_rows(folder: Path) -> pa.Table:
    """Rows with a label, typed."""
    table = pq.read_table(folder, columns=[*SCHEMA.names, TARGET])
    columns = [table[field.name].cast(field.type) for field in SCHEMA]
    made = pa.table([*columns, table[TARGET].cast(pa.string())], names=[*SCHEMA.names, TARGET])
    return made.filter(made[TARGET].is_valid())


def make(case: str, rows: pa.Table, folder: Path) -> Path:
    """A bundle of one of the cases."""
    name, cleaning = CASES[case]
    pipeline = make_pipeline(features(), MODELS[name])
    clean = cleaning.apply(rows.select(SCHEMA.names)).table
    pipeline.fit(to_frame(clean, SCHEMA), rows[TARGET].to_numpy(zero_copy_only=False))
    uri, body = str(folder / case), dumped(pipeline)
    create(f"{uri}/{MODEL}", body)
    bundle = Bundle(
        contract=Contract(SCHEMA, {}),
        needs=tuple(SCHEMA.names),
        cleaning=cleaning,
        inputs=SCHEMA,
        model=ArtifactConfig(uri=f"{uri}/{MODEL}", sha256=hashlib.sha256(body).hexdigest(), trust=True),
        transformer=None,
        answer_type=pa.string(),
        labels=tuple(pipeline.classes_.tolist()),
    )
    write_bundle(uri, bundle, pipeline, golden_rows(bundle, rows), {}, real=clean)
    return folder / case


def in_new_process(way: str, uri: Path, records: Path) -> dict[str, Any]:
    """What a new process finds."""
    script = Path(__file__).with_name("first_record.py")
    command = [sys.executable, str(script), way, str(uri), str(records), repr(time.time())]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def compared(uri: Path, records: Path, pairs: int, forbidden: set[str]) -> dict[str, Any]:
    """New processes of both ways in turns. Raises where a label differs, or `forbidden` was imported for ours."""
    # The first process compiles the kernels, where the cache is cold.
    in_new_process("bundle", uri, records)
    found: dict[str, list[dict[str, Any]]] = {"bundle": [], "scikit-learn": []}
    for _ in range(pairs):
        for way, runs in found.items():
            runs.append(in_new_process(way, uri, records))
    if len({json.dumps(run["answers"]) for runs in found.values() for run in runs}) != 1:
        raise RuntimeError("the labels differ")
    heavy = {name for run in found["bundle"] for name in run["imported"]} & forbidden
    if heavy:
        raise RuntimeError(f"{', '.join(heavy)} were imported")
    return {way: summary(runs) for way, runs in found.items()}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Seconds to the first answer: median, least and most; microseconds of a record: medians over processes."""
    seconds = [run["seconds"] for run in runs]
    return {
        "seconds": {"median": statistics.median(seconds), "least": min(seconds), "most": max(seconds)},
        "imported": runs[0]["imported"],
        "microseconds": {name: percentile(runs, part) for name, part in (("p50", 0.5), ("p99", 0.99))},
    }


def percentile(runs: list[dict[str, Any]], part: float) -> float:
    """The median over processes of a percentile of each."""
    every: list[list[float]] = [run["microseconds"] for run in runs]
    return round(statistics.median(took[int(part * (len(took) - 1))] for took in every), 1)


def main() -> None:
    """Make the bundles, compare, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    found = {}
    # New processes inherit the setting: one record is no work for several threads.
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch, limited(1):
        write_demo(Path(scratch) / "data", ROWS, "parquet")
        rows = read_rows(Path(scratch) / "data" / "transactions")
        records = Path(scratch) / "records.json"
        records.write_text(json.dumps(rows.select(SCHEMA.names).slice(rows.num_rows - RECORDS).to_pylist()))
        for case in options.cases.split(","):
            # Cleaning steps that give Arrow a Python number make it import pandas.
            forbidden = {"sklearn", "dask"} if CASES[case][1].steps else {"sklearn", "dask", "pandas"}
            found[case] = compared(make(case, rows, Path(scratch)), records, options.pairs, forbidden)
            print(case, json.dumps(found[case]), flush=True)
    keep("first_prediction", {"records": RECORDS, "pairs": options.pairs, "cases": found})


if __name__ == "__main__":
    main()
