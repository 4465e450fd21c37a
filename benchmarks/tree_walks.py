"""Ways to take rows through deep trees, in one process and in turns over the same codes; writes a result file.

Run: python -m benchmarks.tree_walks
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

from benchmarks.compiled_kernels import TRAINING_ROWS
from benchmarks.fitted_elsewhere import TARGET, features
from benchmarks.in_process import DEMO, read_rows
from benchmarks.machine import keep
from scoreline.bundle.compiling import made_of
from scoreline.bundle.fitted import Fitted
from scoreline.compiled import descent
from scoreline.compiled.kernels import walk
from scoreline.compiled.matrix import Encoding, layout_of
from scoreline.compiled.packing import as_walk
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.tree_model import TreeModel, compile_trees
from scoreline.compiled.way import no_look_up
from scoreline.demo import write_demo
from scoreline.frame import to_frame
from scoreline.scoring import BLOCK_ROWS
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from scoreline.compiled.flat import Walk

    Add = Callable[[np.ndarray, np.ndarray], None]
    """Adds to scores what the leaves of all trees add for codes (columns, rows)."""

PARTS = 9
"""Of which the first one is not counted: kernels are compiled then."""
VOTING = "down, until the label is certain: in use for labels alone"
"""Its sums are of fewer trees; the largest one of each row must be the same."""
FORESTS = {
    "deep": RandomForestClassifier(100, min_samples_leaf=2, random_state=0),
    "shallow": RandomForestClassifier(100, max_depth=8, random_state=0),
}


def compiled(rows: pa.Table, forest: RandomForestClassifier) -> tuple[TreeModel, list[np.ndarray]]:
    """A forest after the transformers, fitted on the first rows, as flat arrays; and the codes of parts."""
    training = rows.slice(0, TRAINING_ROWS)
    pipeline = make_pipeline(features(), forest)
    pipeline.fit(to_frame(training, DEMO), training[TARGET].to_numpy(zero_copy_only=False))
    known = Fitted(pipeline, None, tuple(DEMO.names), named=True)
    plan, frame, _ = made_of(known, DEMO, from_pandas=False)
    if isinstance(plan, NotCompilable):
        raise TypeError(plan.reason)
    first = Encoding(plan, DEMO, frame, no_look_up)
    blocks = first.blocks(training)
    model = compile_trees(plan, layout_of(blocks, first.stacked(blocks, len(training))))
    if isinstance(model, NotCompilable):
        raise TypeError(model.reason)
    encoding = Encoding(plan, DEMO, frame, model.derive)
    parts = [rows.slice(start, BLOCK_ROWS).select(DEMO.names) for start in range(0, PARTS * BLOCK_ROWS, BLOCK_ROWS)]
    return model, [model.ranks.codes(encoding.blocks(part), BLOCK_ROWS) for part in parts]


def ways(model: TreeModel) -> Mapping[str, Add]:
    """By name; the first one is what the others are compared with, the second one and the last one are in use."""
    nodes, made = as_walk(model.ensemble.trees, model.ranks), model.packed
    if not isinstance(made, descent.Going):
        raise TypeError("the forest is too large")
    plain = made._replace(views=replace(made.views, sorting=()))
    return {
        "node by node, eight rows abreast": lambda codes, scores: _walked(nodes, codes, scores),
        "down, a root for each category, rows in order: in use": made.add,
        "the same, 4,096 rows at a time": lambda codes, scores: _in_pieces(made, codes, scores),
        "the same, rows as they come": plain.add,
        "the same, one root for all, rows in order": _one_root(model, nodes).add,
        "node by node, rows in order": lambda codes, scores: _ordered(made, nodes, codes, scores),
        VOTING: partial(_until_certain, model),
    }


def _until_certain(model: TreeModel, codes: np.ndarray, scores: np.ndarray) -> None:
    if model.voting is None:
        raise TypeError("the forest is asked all trees")
    scores[:] = model.voting.sums(codes, scores[0])


def _walked(nodes: Walk, codes: np.ndarray, scores: np.ndarray) -> None:
    walk(np.ascontiguousarray(codes.T), nodes, scores, 8192)


def _ordered(made: descent.Going, nodes: Walk, codes: np.ndarray, scores: np.ndarray) -> None:
    order = made.views.order(codes)
    found = scores[order]
    _walked(nodes, codes[:, order], found)
    scores[order] = found


def _in_pieces(made: descent.Going, codes: np.ndarray, scores: np.ndarray, rows: int = 4096) -> None:
    for start in range(0, len(scores), rows):
        made.add(codes[:, start : start + rows], scores[start : start + rows])


def _one_root(model: TreeModel, nodes: Walk) -> descent.Going:
    most, descent.MOST_ASKING = descent.MOST_ASKING, 0
    try:
        made = descent.going(nodes, len(model.ensemble.start), np.zeros(len(model.ensemble.trees), np.int64))
    finally:
        descent.MOST_ASKING = most
    if made is None:
        raise TypeError("the forest is too large")
    return made


def compared(model: TreeModel, parts: list[np.ndarray]) -> list[dict[str, Any]]:
    """Processor seconds of all ways, in turns. Raises where a bit of a sum differs."""
    named = ways(model)
    seconds: dict[str, list[float]] = {name: [] for name in named}
    asked: dict[str, list[float]] = {name: [] for name in named}
    for codes in parts:
        sums = []
        for name, add in named.items():
            scores = np.tile(model.ensemble.start, (BLOCK_ROWS, 1))
            start = time.process_time()
            add(codes, scores)
            seconds[name].append(time.process_time() - start)
            # What a leaf adds to all scores comes to one.
            asked[name].append(scores.sum() / BLOCK_ROWS)
            sums.append(scores.argmax(axis=1).tobytes() if name == VOTING else scores.tobytes())
        labels = np.frombuffer(sums[0]).reshape(scores.shape).argmax(axis=1)
        if set(sums) != {sums[0], labels.tobytes()}:
            raise RuntimeError("the sums differ, or a label")
    base = next(iter(seconds.values()))[1:]
    found = []
    for name, taken in seconds.items():
        ratios = [slow / fast for slow, fast in zip(base, taken[1:], strict=True)]
        median, least, most = (round(of(ratios), 2) for of in (statistics.median, min, max))
        speed = round(BLOCK_ROWS / statistics.median(taken[1:]))
        trees, ratio = round(statistics.mean(asked[name][1:]), 1), {"median": median, "least": least, "most": most}
        found.append({"way": name, "trees": trees, "rows_per_second": speed, "ratio": ratio})
    return found


def main() -> None:
    """Fit, compare, and write the result."""
    results = []
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-") as scratch, limited(1):
        write_demo(Path(scratch) / "data", PARTS * BLOCK_ROWS, "parquet")
        rows = read_rows(Path(scratch) / "data" / "transactions")
        for name, forest in FORESTS.items():
            model, parts = compiled(rows, forest)
            results += [{"forest": name, **found} for found in compared(model, parts)]
            print(json.dumps(results, indent=1), flush=True)
    keep("tree_walks", {"rows_a_part": BLOCK_ROWS, "results": results})


if __name__ == "__main__":
    main()
