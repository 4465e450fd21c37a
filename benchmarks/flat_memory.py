"""The memory of a worker while `scoreline predict` scores more and more rows, and rows that lie in one row group.

A pipeline with one-hot text, handed over, predicts demo Parquet with two worker processes. Larger data sets are the
same eight files under many names. Every case is a fresh run; memory is the high-water mark of each process.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import joblib
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fitted_elsewhere import fitted
from benchmarks.machine import keep
from benchmarks.small_jobs import TWO_WORKERS, predict, write_config
from scoreline.demo import write_demo

if TYPE_CHECKING:
    from collections.abc import Callable

FILE_ROWS, FILES = 250_000, 8


class Case(NamedTuple):
    """Input of so many rows in so many files, and what makes it of the demo files, in a folder."""

    rows: int
    files: int
    write: Callable[[list[Path], Path], None]

    def measured(self, demo: list[Path], model: Path, folder: Path) -> dict[str, Any]:
        """One run: seconds, and the most memory that a worker and that the driver held."""
        data = folder / "data"
        data.mkdir()
        self.write(demo, data)
        config = write_config(folder / "job.json", str(data), model, f"{folder}/out", TWO_WORKERS)
        done = predict(config)
        largest = max(
            _largest_row_group(file) for file in {path.stat().st_ino: path for path in data.iterdir()}.values()
        )
        return {
            "rows": self.rows,
            "files": self.files,
            "largest_row_group": largest,
            "held_while_reading_mib": held_while_reading(min(data.iterdir())),
            "worker_mib": done.worker_mib[:2],
            "driver_mib": done.driver_mib,
            "seconds": round(done.seconds, 1),
        }


def repeated(files: int) -> Case:
    """The demo files under so many names."""

    def write(demo: list[Path], folder: Path) -> None:
        for number in range(files):
            os.link(demo[number % len(demo)], folder / f"{number:05}.parquet")

    return Case(files * FILE_ROWS, files, write)


def one_row_group(rows: int) -> Case:
    """One file whose rows are in one row group."""

    def write(demo: list[Path], folder: Path) -> None:
        tables = [pq.read_table(path) for path in demo]
        together = pa.concat_tables(tables * -(-rows // (FILE_ROWS * len(demo)))).slice(0, rows)
        pq.write_table(together, folder / "one.parquet", compression="zstd", row_group_size=rows)

    return Case(rows, 1, write)


def held_while_reading(path: Path) -> list[float]:
    """What Arrow holds after the first and after the last batch of a file, when it does nothing but read it."""
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 16) as file:
        held = [pa.total_allocated_bytes() for _ in file.iter_batches(65_536, use_threads=False)]
    return [round(each / 2**20, 1) for each in (held[0], held[-1])]


def _largest_row_group(path: Path) -> int:
    footer = pq.read_metadata(path)
    return max(int(footer.row_group(group).num_rows) for group in range(footer.num_row_groups))


def main() -> None:
    """Make the data, measure every case, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=int, nargs="+", default=[2, 20], help="rows; 100 takes minutes")
    parser.add_argument("--row-group", type=int, default=5_000_000, help="rows of the one row group")
    options = parser.parse_args()
    cases = [*(repeated(millions * 1_000_000 // FILE_ROWS) for millions in options.millions)]
    found = []
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch:
        write_demo(Path(scratch), FILE_ROWS * FILES, "parquet")
        demo = sorted(Path(scratch, "transactions").glob("*.parquet"))
        model = Path(scratch, "model.joblib")
        joblib.dump(fitted(demo[0], "logistic", rows=10_000), model)
        for case in (*cases, one_row_group(options.row_group)):
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                found.append(case.measured(demo, model, Path(folder)))
                print(found[-1], flush=True)
    keep("flat_memory", {"cases": found})


if __name__ == "__main__":
    main()
