"""Dask: `read_parquet(...).map_partitions(...).to_parquet(...)` on a local cluster, the model loaded once a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.scoring import BATCH, Job, answers, job, joined

if TYPE_CHECKING:
    import pandas as pd


def predict(rows: pd.DataFrame, of: Job) -> pd.DataFrame:
    """One partition with its answers."""
    parts = [answers(_features(rows.iloc[start : start + BATCH], of), of) for start in range(0, len(rows), BATCH)]
    found = joined(parts)
    return rows[list(of.keep)].assign(**{name: _column(name, column) for name, column in found.items()})


def _features(rows: pd.DataFrame, of: Job) -> pd.DataFrame:
    """Features as pandas reads them: Dask's text has pd.NA for null, which the fitted encoder does not know."""
    features = rows[list(of.features)]
    texts = [name for name, kind in features.dtypes.items() if kind == "string"]
    return features.astype(dict.fromkeys(texts, "str"))


def _column(name: str, column):  # type: ignore[no-untyped-def]
    import pandas as pd

    return pd.array(column, dtype="string[pyarrow]") if name == "prediction" else column.to_numpy()


def main(of: Job) -> None:
    """Predict all files."""
    import dask.dataframe as dd
    import pandas as pd
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=of.workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        rows = dd.read_parquet(of.source, columns=of.columns)
        kinds = {"prediction": pd.array([], dtype="string[pyarrow]"), **dict.fromkeys(of.shares, 0.0)}
        meta = rows._meta[list(of.keep)].assign(**kinds)  # noqa: SLF001 - as the documentation of `meta` does
        rows.map_partitions(predict, of, meta=meta).to_parquet(of.output, write_index=False)


if __name__ == "__main__":
    main(job())
