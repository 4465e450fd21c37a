"""`Bundle.predict` against the pipeline's own `predict` for many kinds of pipelines, in turns; writes a result file.

Run: python -m benchmarks.never_slower
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.in_process import as_bundle, read_rows
from benchmarks.machine import RESULTS, keep
from benchmarks.suite_workloads import WORKLOADS, prepared
from scoreline.bundle.bundle import answer_type_of
from scoreline.clusters._given_to_workers import WORKER_ENVIRONMENT
from scoreline.compiled.answers import is_identical
from scoreline.demo import write_demo
from scoreline.frame import to_frame
from scoreline.scoring import BLOCK_ROWS
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from benchmarks.suite_workloads import Workload
    from scoreline.bundle.bundle import Bundle, Scored

FIRST_ROWS, STEADY_PARTS = 200_000, 16
"""Rows that a new process predicts first, then parts in the long run."""
STEADY_SECONDS = 1
"""Those parts are predicted again until ours has taken so much processor time."""
TINY_PARTS, TINY_BEFORE = 150, 20
"""Parts of tiny sizes that are timed for each size, and those before."""


def cut(workload: Workload, rows: pa.Table) -> tuple[list[pa.Table], int]:
    """The parts that are timed, and how many of them are the first ones."""
    if workload.sizes is None:
        first = [rows.slice(start, min(BLOCK_ROWS, FIRST_ROWS - start)) for start in range(0, FIRST_ROWS, BLOCK_ROWS)]
        later = [rows.slice(FIRST_ROWS + place * BLOCK_ROWS, BLOCK_ROWS) for place in range(STEADY_PARTS)]
        return first + later, len(first)
    sizes = workload.sizes * (TINY_PARTS + TINY_BEFORE)
    # Where there are not enough rows for all parts, they are taken again.
    starts = [start % (rows.num_rows - max(sizes)) for start in accumulate(sizes, initial=0)]
    parts = [rows.slice(start, size) for start, size in zip(starts, sizes, strict=False)]
    return parts, TINY_BEFORE * len(workload.sizes)


def seconds(bundle: Bundle, part: pa.Table, workload: Workload, *, ours_first: bool) -> list[float]:
    """Seconds of ours, of a frame's making and end, and of scikit-learn's answers for it. Raises where a bit differs.

    Ours makes a frame and lets go of it, too.
    """
    given = to_frame(part, bundle.inputs) if workload.as_frame else part

    def ours() -> tuple[Any, list[float]]:
        return timed(lambda _: bundle.predict(given, proba=workload.proba), None)

    def theirs() -> tuple[Any, list[float]]:
        frames, making = timed(lambda rows: [rows if workload.as_frame else to_frame(rows, bundle.inputs)], given)
        expected, predicting = timed(lambda frames: plain(bundle.fitted.model, frames[0], proba=workload.proba), frames)
        _, ending = timed(lambda frames: frames.clear(), frames)
        return expected, [making[0] + ending[0], *predicting]

    if ours_first:
        (scored, mine), (expected, other) = ours(), theirs()
    else:
        (expected, other), (scored, mine) = theirs(), ours()
    check(scored, *expected)
    return mine + other


def timed(work: Callable[[Any], Any], given: Any) -> tuple[Any, list[float]]:
    """What some work makes, and the processor seconds that it takes."""
    start = time.process_time()
    made = work(given)
    return made, [time.process_time() - start]


def check(scored: Scored, predictions: np.ndarray, proba: np.ndarray | None) -> None:
    """Raise where an answer is another one."""
    if not is_identical(np.array(scored.predictions.to_pylist()), np.array(predictions.tolist())):
        raise RuntimeError("the answers differ")
    if scored.proba is not None and not is_identical(scored.proba, np.asarray(proba)):
        raise RuntimeError("the probabilities differ")


def plain(pipeline: Any, frame: pd.DataFrame, *, proba: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """The answers of scikit-learn."""
    return pipeline.predict(frame), pipeline.predict_proba(frame) if proba else None


def one(name: str, folder: Path) -> dict[str, Any]:
    """A workload, in this process."""
    workload = WORKLOADS[name]
    rows = prepared(workload.rows, pq.read_table(folder / "demo.parquet", read_dictionary=[]))
    pipeline = workload.fitted(rows)
    few = to_frame(rows.slice(0, 2), workload.schema)
    bundle = as_bundle(pipeline, workload.schema, folder / "pipeline.joblib", answer_type_of(pipeline.predict(few)))
    plain(bundle.fitted.model, few, proba=workload.proba)
    parts, first = cut(workload, rows.select(workload.schema.names))
    with limited(1):
        at_first = in_turns(bundle, workload, parts[:first])
        later: list[list[float]] = []
        while sum(ours for ours, *_ in later) < STEADY_SECONDS:
            later += in_turns(bundle, workload, parts[first:])
    return {
        "tier": str(bundle.scorer.tier) if workload.sizes is None else "C",
        "reasons": list(bundle.scorer.reasons),
        "first": figures(at_first, parts[:first]),
        "steady": figures(later, parts[first:]),
    }


def in_turns(bundle: Bundle, workload: Workload, parts: list[pa.Table]) -> list[list[float]]:
    """The seconds of each part; ours comes first every other time."""
    return [seconds(bundle, part, workload, ours_first=place % 2 == 0) for place, part in enumerate(parts)]


def figures(found: list[list[float]], parts: list[pa.Table]) -> dict[str, Any]:
    """Rows a second of ours, and of scikit-learn with the frame's making; how many times as fast ours is."""
    ours, frame, theirs = np.array(found).sum(axis=0).tolist()
    rows = sum(part.num_rows for part in parts) * len(found) // len(parts)
    return {
        "parts": len(found),
        "rows": rows,
        "rows_per_second": {"ours": round(rows / ours), "theirs": round(rows / (frame + theirs))},
        "ratio": round((frame + theirs) / ours, 3),
        "ratio_without_frame": round(theirs / ours, 3),
    }


def in_new_process(name: str, folder: Path) -> dict[str, Any]:
    """What a new process finds, in the environment of a worker: glibc by itself gives memory back all the time."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.never_slower", "--one", name, "--folder", str(folder)]
    here = os.environ | WORKER_ENVIRONMENT
    found: dict[str, Any] = json.loads(
        subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=here).stdout
    )
    return found


def every(names: list[str]) -> Iterator[dict[str, Any]]:
    """Each workload in a new process; before the first one the kernels are compiled, for numba's cache."""
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch:
        folder = Path(scratch)
        write_demo(folder / "data", FIRST_ROWS + STEADY_PARTS * BLOCK_ROWS, "parquet")
        pq.write_table(read_rows(folder / "data" / "transactions"), folder / "demo.parquet")
        in_new_process("decision tree regressor", folder)
        for name in names:
            found = {"workload": name, **in_new_process(name, folder)}
            print(json.dumps(found), flush=True)
            yield found


def kept() -> dict[str, dict[str, Any]]:
    """What was measured before, by workload; those that are measured anew replace it."""
    result = RESULTS / "never_slower.json"
    return {of["workload"]: of for of in json.loads(result.read_text())["results"]} if result.exists() else {}


def main() -> None:
    """Measure and write the result; or one workload, which is printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", nargs="*", default=list(WORKLOADS))
    parser.add_argument("--one")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.folder)))
    else:
        found = kept() | {of["workload"]: of for of in every(options.workloads)}
        results = [found[name] for name in WORKLOADS if name in found]
        keep("never_slower", {"rows_a_part": BLOCK_ROWS, "results": results})


if __name__ == "__main__":
    main()
