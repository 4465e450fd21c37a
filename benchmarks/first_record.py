"""A new process that loads a bundle and answers records one by one; run by `benchmarks.first_prediction`.

It imports what a user's program would, and nothing else. Arguments: "bundle" or "scikit-learn", the location of the
bundle, a JSON file of records, and the moment at which this process was started.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 20
HEAVY = ("sklearn", "pandas", "dask", "distributed", "dask_ml", "numba", "scipy")


def by_bundle(uri: str) -> Callable[[dict[str, Any]], Any]:
    """The public way."""
    import scoreline as sl

    bundle = sl.Bundle.load(uri)
    return lambda record: bundle.predict_record(record).prediction


def by_scikit_learn(uri: str) -> Callable[[dict[str, Any]], Any]:
    """What one does without."""
    import joblib
    import pandas as pd

    pipeline = joblib.load(f"{uri}/pipeline.joblib")
    return lambda record: pipeline.predict(pd.DataFrame([record]))[0]


def main() -> None:
    """Print seconds until the first answer, microseconds of the others, and what was imported for the first one."""
    way, uri, given, started = sys.argv[1:]
    records = json.loads(Path(given).read_text())
    answer = {"bundle": by_bundle, "scikit-learn": by_scikit_learn}[way](uri)
    answer(records[0])
    seconds = time.time() - float(started)
    imported = [name for name in HEAVY if name in sys.modules]
    answers = [answer(record) for record in records]
    took = []
    for record in records * (ROUNDS if way == "bundle" else 1):
        begin = time.perf_counter_ns()
        answer(record)
        took.append((time.perf_counter_ns() - begin) / 1000)
    print(json.dumps({"seconds": seconds, "imported": imported, "answers": answers, "microseconds": sorted(took)}))


if __name__ == "__main__":
    main()
