"""pandas in one process, file by file; scikit-learn itself may use all cores (n_jobs, OpenMP)."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pyarrow as pa

from benchmarks.peers.scoring import BATCH, Job, answers, job, joined, loaded


def main(of: Job) -> None:
    """Predict one file after the other."""
    pipeline = loaded(of.model)
    if "n_jobs" in pipeline[-1].get_params():
        pipeline[-1].set_params(n_jobs=of.workers)
    Path(of.output).mkdir()
    for path in sorted(Path(of.source).glob("*.parquet")):
        rows = pd.read_parquet(path, columns=of.columns)
        found = joined([answers(rows.iloc[start : start + BATCH][list(of.features)], of) for start in _starts(rows)])
        new = {name: pd.Series(pa.chunked_array([column]).to_pandas(), rows.index) for name, column in found.items()}
        rows[list(of.keep)].assign(**new).to_parquet(Path(of.output) / path.name, index=False)


def _starts(rows: pd.DataFrame) -> range:
    return range(0, len(rows), BATCH)


if __name__ == "__main__":
    told = job()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(told.workers)
    main(told)
