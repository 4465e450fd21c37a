"""How `scoreline predict` bears many files and many units: time and memory, and how soon a finished run goes on.

``files`` predicts N small Parquet files with two worker processes. ``resume`` makes N finished units, then starts the
same command with nothing left to do and with one unit to do again, on local disk and on S3.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.machine import keep
from benchmarks.s3_server import seaweedfs
from benchmarks.small_jobs import TWO_WORKERS, Finished, begin, hand_over, predict, write_config
from scoreline.storage import create, delete, delete_tree, exists, is_s3, join, list_names

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL_ROWS, UNIT_ROWS = 1000, 10
SAME = (pa.float64(),)
ALTERNATING = (pa.float64(), pa.float32())
"""Small files go together in units, unless their types differ: then each is a unit of its own."""


def body(rows: int, kind: pa.DataType) -> bytes:
    """A Parquet file of so many rows, its column x of this type."""
    random, file = np.random.default_rng(0), io.BytesIO()
    x, y = random.normal(size=rows), random.normal(size=rows)
    pq.write_table(pa.table({"key": np.arange(rows), "x": pa.array(x).cast(kind), "y": y}), file)
    return file.getvalue()


def write_files(uri: str, count: int, rows: int, kinds: Sequence[pa.DataType]) -> None:
    """Make input files whose types take turns; to be predicted they need not differ in what they hold."""
    bodies = [body(rows, kind) for kind in kinds]
    if is_s3(uri):
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda n: create(join(uri, f"{n:06d}.parquet"), bodies[n % len(bodies)]), range(count)))
        return
    Path(uri).mkdir(parents=True)
    for number in range(count):
        Path(uri, f"{number:06d}.parquet").write_bytes(bodies[number % len(bodies)])


def many_files(folder: Path, count: int) -> dict[str, Any]:
    """Predict `count` files of a thousand rows, end to end."""
    data = folder / f"files-{count}"
    write_files(str(data), count, SMALL_ROWS, SAME)
    model, output = folder / "model.joblib", folder / f"of-files-{count}"
    done = predict(write_config(folder / f"files-{count}.json", str(data), model, str(output), TWO_WORKERS))
    told = done.output["predictions"]
    if told["predicted"] != count * SMALL_ROWS:
        raise RuntimeError(f"{told['predicted']} rows predicted")
    shutil.rmtree(data)
    return {"files": count, "units": told["units_computed"], **figures(done)}


def figures(done: Finished) -> dict[str, Any]:
    """What a run took."""
    return {
        "seconds": round(done.seconds, 2),
        "stages": done.record["seconds"],
        "driver_mib": done.driver_mib,
        "worker_mib": done.worker_mib[:2],
    }


def resumed(folder: Path, where: str, count: int) -> dict[str, Any]:
    """Finish `count` units once, then start the same command again; `where` is a folder or an S3 prefix."""
    data, output = join(where, f"units-{count}"), join(where, f"done-{count}")
    write_files(data, count, UNIT_ROWS, ALTERNATING)
    name = f"{'s3' if is_s3(where) else 'local'}-{count}.json"
    config = write_config(folder / name, data, folder / "model.joblib", output, TWO_WORKERS)
    first = predict(config)
    if first.output["predictions"]["units_computed"] != count:
        raise RuntimeError("files were put together in units")
    again = predict(config)
    return {
        "units": count,
        "first": figures(first),
        "nothing_left": figures(again) | moments(again),
        "one_left": first_receipt(config, output),
    }


def moments(done: Finished) -> dict[str, float]:
    """Seconds from the start of the process to events of its journal."""
    events = [json.loads(line) for line in (done.folder / "events.jsonl").read_text().splitlines()]
    times = {event["event"]: datetime.fromisoformat(event["time"]).timestamp() - done.began for event in events}
    return {f"until_{name}": round(times[name], 2) for name in ("cluster", "published")}


def first_receipt(config: Path, output: str) -> dict[str, float]:
    """Seconds from the start of the process until the receipt of the only unit without one is there.

    What comes after all receipts is taken away, as if the run had been killed at its last unit.
    """
    store = f"{output}.store"
    (run,) = list_names(join(store, "receipts"))
    receipt = join(store, "receipts", run, list_names(join(store, "receipts", run))[-1])
    for file in (receipt, join(store, "manifests", f"{run}.ndjson"), join(store, "latest.json")):
        delete(file)
    for folder in ("commits", "versions"):
        delete_tree(join(store, folder))
    start = time.perf_counter()
    with begin(config) as process:
        while not exists(receipt) and process.poll() is None:
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        process.communicate()
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}")
    return {"until_receipt": round(seconds, 2)}


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", default="10000,100000", help="numbers of small files; empty: leave out")
    parser.add_argument("--units", default="1,10000", help="numbers of finished units on local disk; 1: start-up alone")
    parser.add_argument("--s3-units", default="1,10000", help="the same on an S3 server on this machine")
    options = parser.parse_args()
    wanted = {name: [int(n) for n in text.split(",") if n] for name, text in vars(options).items()}
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        hand_over(folder / "model.joblib", ("low", "high"))
        found: dict[str, Any] = {"files": [many_files(folder, count) for count in wanted["files"]]}
        found["resume"] = [resumed(folder, str(folder), count) for count in wanted["units"]]
        if wanted["s3_units"]:
            server = stack.enter_context(seaweedfs(folder))
            os.environ.update(server.env())
            bucket = f"s3://{server.bucket()}"
            found["resume_s3"] = [resumed(folder, bucket, count) for count in wanted["s3_units"]]
    keep("many_units", found)


if __name__ == "__main__":
    main()
