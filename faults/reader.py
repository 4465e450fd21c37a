"""Read a data set again and again, as its users do, and tell how often it was one whole version of one run.

``python faults/reader.py LIBRARY WAY URI ROWS STOP``: LIBRARY is pandas, pyarrow, polars or duckdb; WAY is ``symlink``
for reading through it or ``current`` for asking first where it leads; ROWS is how many rows a version has; the loop
ends when the file STOP is there. The libraries may be those of an environment without Scoreline.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

LABELS = ({"no", "yes"}, {"ja", "nein"})
"""The answers of the two models: a row tells by its answer which run it comes from."""

PATIENCE = 1000
"""After so many failures in a row a reader is not merely caught by a swap."""

Rows = tuple[list[str], list[str]]


def by_pandas(folder: str) -> Rows:
    """Identity and answer of every row."""
    import pandas as pd

    frame = pd.read_parquet(folder, columns=["id", "prediction"])
    return frame["id"].tolist(), frame["prediction"].tolist()


def by_pyarrow(folder: str) -> Rows:
    """Identity and answer of every row."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder, columns=["id", "prediction"])
    return table["id"].to_pylist(), table["prediction"].to_pylist()


def by_polars(folder: str) -> Rows:
    """Identity and answer of every row."""
    import polars as pl

    frame = pl.scan_parquet(f"{folder}/*.parquet").select("id", "prediction").collect()
    return frame["id"].to_list(), frame["prediction"].to_list()


def by_duckdb(folder: str) -> Rows:
    """Identity and answer of every row."""
    import duckdb

    question = f"select id, prediction from read_parquet('{folder}/*.parquet')"  # noqa: S608  a folder of our own
    rows = duckdb.sql(question).fetchall()
    return [row[0] for row in rows], [row[1] for row in rows]


READERS: dict[str, Callable[[str], Rows]] = {
    "pandas": by_pandas,
    "pyarrow": by_pyarrow,
    "polars": by_polars,
    "duckdb": by_duckdb,
}


def current(uri: str) -> str:
    """Where the newest version is: by Scoreline where that is installed, else where the symlink leads."""
    try:
        from scoreline import current as ask
    except ImportError:
        return str(Path(uri).resolve())
    (folder,) = ask(uri)
    return folder


def whole(rows: Rows, expected: int) -> bool:
    """Whether these are all rows of a run, each once, with the answers of one model."""
    identities, answers = rows
    return len(identities) == len(set(identities)) == expected and set(answers) in LABELS


def main() -> None:
    """Read until told to stop; print the counts as JSON."""
    library, way, uri, expected, stop = sys.argv[1:]
    counts: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    in_a_row = longest = 0
    while not Path(stop).exists() or 0 < in_a_row < PATIENCE:
        try:
            rows = READERS[library](current(uri) if way == "current" else uri)
        except Exception as error:  # noqa: BLE001  each library has its own errors, and any of them is loud
            failures[type(error).__name__] += 1
            in_a_row += 1
            longest = max(longest, in_a_row)
        else:
            in_a_row = 0
            counts["whole" if whole(rows, int(expected)) else "mixed"] += 1
    print(json.dumps({**counts, "failures": dict(failures), "most_failures_in_a_row": longest}))


if __name__ == "__main__":
    main()
