"""Dask: `read_parquet(...).map_partitions(...).to_parquet(...)`, on a local cluster of two workers.

As the documentation of `to_parquet` has it; `overwrite=True` is what it offers to write over a data set.
"""

from __future__ import annotations

import sys

from benchmarks.under_faults.answers import answered, told


def main(mode: str, source: str, word: str, target: str) -> None:
    """Predict `source` into `target`; `mode` is "plain" or "overwrite"."""
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        frame = dd.read_parquet(source)
        meta = frame._meta.assign(prediction="")  # noqa: SLF001 - as the documentation of `meta` does
        predicted = frame.map_partitions(answered, word, meta=meta)
        with told():
            predicted.to_parquet(target, write_index=False, overwrite=mode == "overwrite")


if __name__ == "__main__":
    main(*sys.argv[1:])
