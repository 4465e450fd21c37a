"""The transform stage alone: our encoding against fitted `ColumnTransformer.transform`, in turns; writes a result file.

Run: python -m benchmarks.encoding
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from benchmarks.fitted_elsewhere import TARGET, features
from benchmarks.in_process import DEMO, as_bundle, read_rows
from benchmarks.machine import keep
from scoreline.bundle.compiling import made_of
from scoreline.compiled.matrix import Encoding, is_same_matrix, layout_of
from scoreline.compiled.plan import NotCompilable, worthwhile
from scoreline.compiled.tree_model import compile_trees
from scoreline.compiled.trees import is_made_of_trees
from scoreline.compiled.trials import REAL_ROWS
from scoreline.compiled.way import no_look_up
from scoreline.demo import write_demo
from scoreline.frame import to_frame
from scoreline.scoring import BLOCK_ROWS
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scoreline.bundle.bundle import Bundle

    Encode = Callable[[pa.Table], Any]

TRAINING_ROWS, WARM_UP = 30_000, 3
TURN = 8
"""Parts that each way has before it is the turn of the other."""
MODELS = {"linear": LogisticRegression(max_iter=200), "trees": DecisionTreeClassifier(max_depth=12, random_state=0)}
WAYS = {
    "codes and numbers": ("linear", False),
    "codes and numbers, sparse one-hot": ("linear", True),
    "16-bit codes for trees": ("trees", False),
}


def fitted(rows: pa.Table, way: str, folder: Path) -> Bundle:
    """A pipeline fitted on the first rows, as a bundle."""
    model, sparse = WAYS[way]
    encoder = features()
    if sparse:
        encoder.set_params(texts__sparse_output=True, sparse_threshold=1.0)
    training = rows.slice(0, TRAINING_ROWS)
    pipeline = make_pipeline(encoder, MODELS[model])
    pipeline.fit(to_frame(training, DEMO), training[TARGET].to_numpy(zero_copy_only=False))
    return as_bundle(pipeline, DEMO, folder / f"{way}.joblib", pa.string())


def encoding_of(bundle: Bundle, first: pa.Table) -> tuple[Encode, Encoding]:
    """From a table to what the model's kernel takes, and the encoding in there; raises where nothing is compiled."""
    plan, frame, _ = made_of(bundle.fitted, bundle.inputs, from_pandas=False)
    if isinstance(plan, NotCompilable):
        raise TypeError(plan.reason)
    plan = worthwhile(plan, first)
    probe = Encoding(plan, bundle.inputs, frame, no_look_up)
    if not is_made_of_trees(plan.model):
        probe.settle(first.slice(0, REAL_ROWS))
        return probe.blocks, probe
    blocks = probe.blocks(first)
    trees = compile_trees(plan, layout_of(blocks, probe.stacked(blocks, first.num_rows)))
    if isinstance(trees, NotCompilable):
        raise TypeError(trees.reason)
    encoding = Encoding(plan, bundle.inputs, frame, trees.derive)
    encoding.settle(first.slice(0, REAL_ROWS))
    return lambda table: trees.ranks.codes(encoding.blocks(table), table.num_rows), encoding


def timed(bundle: Bundle, encode: Encode, parts: Sequence[pa.Table]) -> tuple[float, float, float]:
    """Seconds a part of our encoding, of making the frames, and of transforming them, over the same parts."""
    transform = bundle.fitted.model[0].transform
    ours, frame = _seconds(encode, parts), _seconds(bundle.frame, parts)
    return ours, frame, _seconds(transform, [bundle.frame(part) for part in parts])


def _seconds(work: Callable[[Any], Any], given: Sequence[Any]) -> float:
    # What one way leaves in the caches and in the allocator is no concern of the other.
    work(given[-1])
    start = time.process_time()
    for each in given:
        work(each)
    return (time.process_time() - start) / len(given)


def compared(rows: pa.Table, way: str, folder: Path) -> dict[str, Any]:
    """Both ways over the same parts in turns. Raises where the blocks do not make the matrix of scikit-learn."""
    bundle = fitted(rows, way, folder)
    parts = [rows.slice(start, BLOCK_ROWS) for start in range(0, rows.num_rows - BLOCK_ROWS + 1, BLOCK_ROWS)]
    encode, encoding = encoding_of(bundle, parts[0])
    for part in parts[:WARM_UP]:
        encode(part)
        if not is_same_matrix(encoding.stacked(encoding.blocks(part), part.num_rows), encoding.expected(part)):
            raise RuntimeError("the matrices differ")
    starts = range(WARM_UP, len(parts) - TURN + 1, TURN)
    found = [timed(bundle, encode, parts[start : start + TURN]) for start in starts]
    return {
        "turns": len(found),
        "features": int(encoding.expected(parts[0]).shape[1]),
        "milliseconds": dict(
            zip(
                ("ours", "frame", "transform"),
                (round(1e3 * statistics.median(times), 3) for times in zip(*found, strict=True)),
                strict=True,
            )
        ),
        "ratio": spread([theirs / ours for ours, _, theirs in found]),
        "ratio_with_frame": spread([(frame + theirs) / ours for ours, frame, theirs in found]),
    }


def spread(ratios: list[float]) -> dict[str, float]:
    """The median, the least and the most."""
    return {
        "median": round(statistics.median(ratios), 2),
        "least": round(min(ratios), 2),
        "most": round(max(ratios), 2),
    }


def main() -> None:
    """Compare each way, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15, help="turns of eight parts that are timed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch, limited(1):
        write_demo(Path(scratch) / "data", (WARM_UP + options.turns * TURN) * BLOCK_ROWS, "parquet")
        rows = read_rows(Path(scratch) / "data" / "transactions")
        found = []
        for way in WAYS:
            found.append({"way": way, **compared(rows, way, Path(scratch))})
            print(json.dumps(found[-1]), flush=True)
    keep("encoding", {"rows_a_part": BLOCK_ROWS, "parts_a_turn": TURN, "results": found})


if __name__ == "__main__":
    main()
