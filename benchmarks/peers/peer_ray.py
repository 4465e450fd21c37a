"""Ray Data: `read_parquet(...).map_batches(...).write_parquet(...)`, Arrow batches, the model loaded once a worker.

A function and not a class: tasks are fused with reading and writing, and actors of one core each would leave none to
read with on a machine of so few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.peers.scoring import BATCH, Job, answered, job

if TYPE_CHECKING:
    import pyarrow as pa


def predict(rows: pa.Table, of: Job) -> pa.Table:
    """One batch with its answers."""
    kept = rows.select(list(of.keep))
    for name, column in answered(rows, of).items():
        kept = kept.append_column(name, column)
    return kept


def main(of: Job) -> None:
    """Predict all files."""
    import ray

    ray.init(num_cpus=of.workers, include_dashboard=False, log_to_driver=False, configure_logging=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = ray.data.read_parquet(of.source, columns=of.columns)
    rows = rows.map_batches(predict, fn_kwargs={"of": of}, batch_format="pyarrow", batch_size=BATCH)
    rows.write_parquet(of.output)
    ray.shutdown()


if __name__ == "__main__":
    main(job())
