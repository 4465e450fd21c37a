"""The plain Dask way: read_parquet, map_partitions(pipeline.predict), to_parquet."""

from __future__ import annotations

import json
import os
import sys
import time

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))


def predict(frame, pipeline):  # type: ignore[no-untyped-def]
    """One partition with its predictions.

    Dask's string type has pd.NA for null, which the fitted encoder does not know: without the conversion, the labels
    of rows with a null would differ from those of `pipeline.predict` on what pandas reads.
    """
    features = frame[list(pipeline.feature_names_in_)]
    texts = features.select_dtypes("string").columns
    return frame.assign(prediction=pipeline.predict(features.astype(dict.fromkeys(texts, "str"))))


def main(source: str, model: str, output: str) -> None:
    """Predict all files on two workers and print the seconds that it took, start-up apart."""
    import dask.dataframe as dd
    import joblib
    from distributed import Client, LocalCluster

    pipeline = joblib.load(model)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        start = time.perf_counter()
        frame = dd.read_parquet(source)
        meta = frame._meta.assign(prediction="")  # noqa: SLF001 - as the documentation of `meta` does
        handle = client.scatter(pipeline, broadcast=True, hash=False)
        frame.map_partitions(predict, handle, meta=meta).to_parquet(output, write_index=False)
        print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(*sys.argv[1:])
