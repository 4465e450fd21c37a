"""Daft: a batch method of a class with as many instances as workers, each in a process of its own."""

from __future__ import annotations

import os

from benchmarks.peers.scoring import BATCH, Job, answers, frame, job


def main(of: Job) -> None:
    """Predict all files."""
    import daft
    import pyarrow as pa

    text, number = daft.DataType.string(), daft.DataType.float64()
    kind = daft.DataType.struct({"prediction": text, **dict.fromkeys(of.shares, number)}) if of.proba else text

    @daft.cls(max_concurrency=of.workers, use_process=True)
    class Predictor:
        """The pipeline in a worker."""

        @daft.method.batch(return_dtype=kind, batch_size=BATCH)  # type: ignore[untyped-decorator]
        def predict(self, *columns: daft.Series) -> pa.Array:
            rows = pa.table({name: column.to_arrow() for name, column in zip(of.features, columns, strict=True)})
            found = answers(frame(rows, of), of)
            return pa.StructArray.from_arrays(list(found.values()), list(found)) if of.proba else found["prediction"]

    rows = daft.read_parquet(f"{of.source}/*.parquet").select(*of.columns)
    kept = rows.with_column("prediction", Predictor().predict(*(rows[name] for name in of.features)))
    answer = [kept["prediction"][name].alias(name) for name in ("prediction", *of.shares)]
    kept.select(*of.keep, *(answer if of.proba else [kept["prediction"]])).write_parquet(of.output)


if __name__ == "__main__":
    main(job())
    # Daft's threads may still run when Python ends, which then crashes now and then, all being written.
    os._exit(0)
