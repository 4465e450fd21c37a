"""Delta Lake from Dask by `dask_deltatable.to_deltalake`, on two workers: files by tasks, one commit.

As the page on Dask of Delta Lake's documentation has it. It can append; overwriting is not implemented.
"""

from __future__ import annotations

import sys

from benchmarks.under_faults.answers import answered, told


def main(mode: str, source: str, word: str, target: str) -> None:
    """Predict `source` into the table `target`, which exists; `mode` is "append"."""
    import dask.dataframe as dd
    from dask_deltatable import to_deltalake  # type: ignore[import-not-found]
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        frame = dd.read_parquet(source)
        meta = frame._meta.assign(prediction="")  # noqa: SLF001 - as the documentation of `meta` does
        predicted = frame.map_partitions(answered, word, meta=meta)
        with told():
            to_deltalake(target, predicted, mode=mode)


if __name__ == "__main__":
    main(*sys.argv[1:])
