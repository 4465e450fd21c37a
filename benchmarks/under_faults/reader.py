"""What a reader finds: rows by key and by version, as JSON. Runs in the peers' environment."""

from __future__ import annotations

import json
import sys
from typing import Any


def read(kind: str, uri: str) -> Any:
    """The table at `uri`: Parquet files in a folder as pandas reads them, or a Delta table."""
    import pandas as pd

    columns = ["key", "prediction"]
    if kind == "delta":
        from deltalake import DeltaTable  # type: ignore[import-not-found]

        return DeltaTable(uri, storage_options={"AWS_ALLOW_HTTP": "true"}).to_pandas(columns=columns)
    return pd.read_parquet(_current(uri) if kind == "pointer" else uri, columns=columns)


def _current(uri: str) -> str:
    """On S3: the only prefix of the newest version, as latest.json names it."""
    import s3fs

    with s3fs.S3FileSystem().open(f"{uri}.store/latest.json") as file:
        (prefix,) = json.load(file)["prefixes"]
    return f"{uri}.store/{prefix}"


def counts(frame: Any) -> dict[str, int]:
    """Rows and different keys of the old and of the new version, and different keys in all."""
    is_new = frame["prediction"].str.startswith("new")
    new, old = frame["key"][is_new], frame["key"][~is_new]
    return {
        "old_rows": len(old),
        "old_keys": int(old.nunique()),
        "new_rows": len(new),
        "new_keys": int(new.nunique()),
        "keys": int(frame["key"].nunique()),
    }


def main(kind: str, uri: str) -> None:
    """Print the counts, or why it cannot be read."""
    try:
        found: dict[str, Any] = counts(read(kind, uri))
    except Exception as error:  # noqa: BLE001  whatever stops a reader is what is asked for
        found = {"error": f"{type(error).__name__}: {str(error)[:200]}"}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
