"""Writing a unit: input columns passed on as they are stored, against encoded anew, in turns; writes a result file.

Run: python -m benchmarks.passing_on
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from benchmarks.machine import keep
from benchmarks.protocol_overhead import Workload, planned
from benchmarks.small_jobs import INLINE, write_config
from scoreline.dataset.spool import Spool
from scoreline.scoring import Account, output_rows, writing
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.dataset.unit_file import Write
    from scoreline.scoring import PredictTask
    from scoreline.sinks.base import NumberedRows
    from scoreline.units import Unit

ROWS = 250_000
CASES = {
    "labels": (False, False),
    "labels, file and row": (False, True),
    "labels, 22 probabilities": (True, False),
}
"""What is written beside the input columns: probabilities, and where each row comes from."""


def spent(write: Write, file: Path) -> float:
    """Processor seconds of writing a file."""
    start = time.process_time()
    with file.open("wb", buffering=2**20) as opened:
        write(opened, {})
    return time.process_time() - start


def compared(task: PredictTask, unit: Unit, turns: int, folder: Path) -> dict[str, Any]:
    """Both ways in turns, from the same rows. Raises where a reader finds other rows."""
    with Spool() as refused:
        rows = list(output_rows(task, unit, Account(refused)))
    ways = {"passed on": partial(_passed_on, task, unit, rows), "encoded": partial(_encoded, task, rows)}
    files = {way: folder / f"{way}.parquet" for way in ways}
    found = [{way: spent(write, files[way]) for way, write in ways.items()} for _ in range(turns + 1)]
    tables = [pq.read_table(file, page_checksum_verification=True) for file in files.values()]
    if not tables[0].equals(tables[1]):
        raise RuntimeError("the two files hold other rows")
    # In the first turn what is passed on is read back once.
    ratios = sorted(turn["encoded"] / turn["passed on"] for turn in found[1:])
    return {
        "turns": turns,
        "microseconds_a_row": {
            way: round(1e6 * statistics.median(turn[way] for turn in found[1:]) / unit.rows, 4) for way in ways
        },
        "megabytes": {way: round(file.stat().st_size / 1e6, 2) for way, file in files.items()},
        "ratio": {
            "median": round(statistics.median(ratios), 2),
            "least": round(ratios[0], 2),
            "most": round(ratios[-1], 2),
        },
    }


def _passed_on(task: PredictTask, unit: Unit, rows: Sequence[NumberedRows], file: Any, footer: Any) -> int:
    return writing(task, unit, rows)(file, footer)


def _encoded(task: PredictTask, rows: Sequence[NumberedRows], file: Any, footer: Any) -> int:
    return task.sink.write((table for table, _ in rows), task.output_schema, file, footer)


def main() -> None:
    """Compare for each kind of output, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=25)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch, limited(1):
        folder = Path(scratch)
        Workload(ROWS, 2, pipeline=True).prepare(folder)
        config = write_config(
            folder / "job.json", str(folder / "data"), folder / "model.joblib", f"{folder}/out", INLINE
        )
        plan = planned(config)
        found = []
        for name, (proba, row_id) in CASES.items():
            task = replace(plan.task, proba=proba, row_id=row_id)
            found.append({"written": name, **compared(task, plan.survey.units[1], options.turns, folder)})
            print(json.dumps(found[-1]), flush=True)
    keep("passing_on", {"rows": ROWS, "columns": len(plan.task.keep), "results": found})


if __name__ == "__main__":
    main()
