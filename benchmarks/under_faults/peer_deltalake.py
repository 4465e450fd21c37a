"""Delta Lake by `write_deltalake` in one process: a stream of record batches, one commit.

As the page on writing tables of its documentation has it; data larger than memory are given as an iterator.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from benchmarks.under_faults.answers import answered, told

if TYPE_CHECKING:
    from collections.abc import Iterator


def main(mode: str, source: str, word: str, target: str) -> None:
    """Predict `source` into the table `target`; `mode` is "overwrite" or "append"."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    from deltalake import write_deltalake  # type: ignore[import-not-found]

    data = ds.dataset(source, format="parquet")
    schema = data.schema.append(pa.field("prediction", pa.string())).remove_metadata()

    def batches() -> Iterator[Any]:
        for fragment in data.get_fragments():
            frame = answered(fragment.to_table().to_pandas(), word)
            yield from pa.Table.from_pandas(frame, schema, preserve_index=False).to_batches()

    with told():
        reader = pa.RecordBatchReader.from_batches(schema, batches())
        write_deltalake(target, reader, mode=mode, storage_options={"AWS_ALLOW_HTTP": "true"})


if __name__ == "__main__":
    main(*sys.argv[1:])
