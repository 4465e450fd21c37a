"""Polars, file by file, in a pool of threads or of processes: columns stay Arrow, features become pandas."""

from __future__ import annotations

import multiprocessing
import os
import sys
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks.peers.scoring import Job, answered, job


def predict(path: Path, of: Job) -> None:
    """One file."""
    rows = pl.read_parquet(path, columns=of.columns)
    found = answered(rows.to_arrow(), of)
    new = [pl.Series(name, column) for name, column in found.items()]
    rows.select(of.keep).with_columns(new).write_parquet(Path(of.output) / path.name)


def pool(kind: str, workers: int) -> Executor:
    """Workers; processes are spawned, since Polars must not be forked."""
    if kind == "threads":
        return ThreadPoolExecutor(workers)
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))


def main(of: Job, kind: str) -> None:
    """Predict all files."""
    Path(of.output).mkdir()
    with pool(kind, of.workers) as workers:
        list(workers.map(partial(predict, of=of), sorted(Path(of.source).glob("*.parquet"))))


if __name__ == "__main__":
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    main(job(), sys.argv[2])
