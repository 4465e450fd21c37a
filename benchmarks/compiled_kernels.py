"""`Bundle.score` against scikit-learn on the same parts in one process, in turns; writes a result file.

Run: python -m benchmarks.compiled_kernels
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from benchmarks.fitted_elsewhere import TARGET, features
from benchmarks.in_process import DEMO, as_bundle, read_rows
from benchmarks.machine import keep
from scoreline.bundle.bisection import predict_or_refuse
from scoreline.cleaning import CleanPart
from scoreline.compiled.answers import is_identical
from scoreline.compiled.linear_kernel import KERNEL_ROWS
from scoreline.compiled.scorer import FIRST_ROWS
from scoreline.demo import write_demo
from scoreline.frame import to_frame
from scoreline.scoring import BLOCK_ROWS
from scoreline.threads import limited

if TYPE_CHECKING:
    from scoreline.bundle.bundle import Bundle

TRAINING_ROWS = 30_000
WARM_UP = 2 + (FIRST_ROWS + KERNEL_ROWS) // BLOCK_ROWS
"""Parts that are scored before the clock runs: the last to be compiled are linear models, after so many."""
MODELS = {
    "logistic": LogisticRegression(max_iter=200),
    "forest_deep": RandomForestClassifier(100, min_samples_leaf=2, random_state=0),
    "forest_shallow": RandomForestClassifier(100, max_depth=8, random_state=0),
    "gradient_boosting": GradientBoostingClassifier(n_estimators=10, random_state=0),
    "hist_gradient_boosting": HistGradientBoostingClassifier(max_iter=30, random_state=0),
    "mlp": MLPClassifier((32,), max_iter=30, tol=1e-2, random_state=0),
}


def fitted(rows: pa.Table, kind: str, folder: Path) -> Bundle:
    """A pipeline fitted on the first rows, as a bundle."""
    training = rows.slice(0, TRAINING_ROWS)
    pipeline = make_pipeline(features(), MODELS[kind])
    pipeline.fit(to_frame(training, DEMO), training[TARGET].to_numpy(zero_copy_only=False))
    return as_bundle(pipeline, DEMO, folder / f"{kind}.joblib", pa.string())


def timed(bundle: Bundle, part: pa.Table, *, proba: bool) -> tuple[float, float]:
    """Seconds of both ways for one part. Raises where a label or a bit of a probability differs."""
    begin = time.process_time()
    scored = bundle.score(CleanPart(part, np.arange(part.num_rows)), proba=proba)
    middle = time.process_time()
    expected = predict_or_refuse(bundle.fitted, bundle.frame(part), proba=proba)
    end = time.process_time()
    if scored.predictions.to_pylist() != np.asarray(expected.predictions).tolist():
        raise RuntimeError("the labels differ")
    if scored.proba is not None and not is_identical(scored.proba, np.asarray(expected.proba)):
        raise RuntimeError("the probabilities differ")
    return middle - begin, end - middle


def compared(bundle: Bundle, rows: pa.Table, *, proba: bool) -> dict[str, Any]:
    """Both ways over the same parts in turns."""
    parts = [rows.slice(start, BLOCK_ROWS) for start in range(0, rows.num_rows - BLOCK_ROWS + 1, BLOCK_ROWS)]
    start = time.process_time()
    for part in parts[:WARM_UP]:
        bundle.score(CleanPart(part, np.arange(part.num_rows)), proba=proba)
    warm_up = time.process_time() - start
    found = [timed(bundle, part, proba=proba) for part in parts[WARM_UP:]]
    ours, theirs = zip(*found, strict=True)
    ratios = [slow / fast for fast, slow in zip(ours, theirs, strict=True)]
    return {
        "tier": str(bundle.scorer.tier),
        "reasons": list(bundle.scorer.reasons),
        "parts": len(found),
        "rows_per_second": {
            "ours": round(BLOCK_ROWS / statistics.median(ours)),
            "theirs": round(BLOCK_ROWS / statistics.median(theirs)),
        },
        "ratio": {
            "median": round(statistics.median(ratios), 2),
            "least": round(min(ratios), 2),
            "most": round(max(ratios), 2),
            "of_sums": round(sum(theirs) / sum(ours), 2),
        },
        "warm_up_seconds": round(warm_up, 2),
    }


def main() -> None:
    """Fit, compare with and without probabilities, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--parts", type=int, default=12, help="parts that are timed")
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch, limited(1):
        write_demo(Path(scratch) / "data", (WARM_UP + options.parts) * BLOCK_ROWS, "parquet")
        rows = read_rows(Path(scratch) / "data" / "transactions")
        for kind in options.models.split(","):
            for proba in (False, True):
                # Fitted again, so that each measurement compiles afresh.
                bundle = fitted(rows, kind, Path(scratch))
                found.append({"model": kind, "proba": proba, **compared(bundle, rows, proba=proba)})
                print(json.dumps(found[-1]), flush=True)
    keep("compiled_kernels", {"rows_a_part": BLOCK_ROWS, "results": found})


if __name__ == "__main__":
    main()
