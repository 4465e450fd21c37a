"""Whole jobs of an artifact that the cache knows, against the same ones with an empty cache, in turns; a result file.

With an empty cache each worker proves what it compiles, and packs large trees; later jobs find certificates and trees.
Outputs must be the same bytes.

Run: python -m benchmarks.remembered
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.machine import keep
from benchmarks.peers.contenders import our_command, our_environment
from benchmarks.peers.workloads import prepare
from benchmarks.process_tree import run

if TYPE_CHECKING:
    from benchmarks.peers.workloads import Prepared

WORKLOADS = {"logistic": 2_000_000, "forest": 2_000_000, "hgb": 1_000_000}
WORKERS, LIMIT_S = 2, 600.0


def one(of: Prepared, folder: Path, cache: Path) -> tuple[dict[str, Any], str]:
    """The figures of one job from nothing, and a hash of what it wrote. Raises RuntimeError when it fails."""
    for name in ("ours", "ours.store", "artifacts"):
        path = folder / name
        path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
    done = run(our_command(of.config(folder)), our_environment(cache), WORKERS, LIMIT_S)
    if done.code:
        raise RuntimeError(f"exit code {done.code}: {done.said[-1500:]}")
    written = hashlib.sha256()
    for file in sorted((folder / "ours").resolve().rglob("*.parquet")):
        written.update(file.read_bytes())
    return done.figures, written.hexdigest()


def in_turns(of: Prepared, folder: Path, pairs: int) -> dict[str, Any]:
    """Pairs of a job that finds nothing in the cache and one that finds all, the first one of a pair alternating."""
    known = folder / "known"
    _, expected = one(of, folder, known)
    found: dict[str, list[dict[str, Any]]] = {"empty": [], "known": []}
    for number in range(pairs):
        for side in sorted(found, reverse=bool(number % 2)):
            cache = known if side == "known" else folder / f"empty{number}"
            figures, written = one(of, folder, cache)
            if written != expected:
                raise RuntimeError(f"other bytes with a cache that is {side}")
            found[side].append(figures)
    return {"pairs": pairs, **{name: _compared(found, name) for name in ("seconds", "cpu_seconds")}}


def _compared(found: dict[str, list[dict[str, Any]]], name: str) -> dict[str, float]:
    """Medians of a figure, and how many times as long it took with an empty cache: median, least and most of pairs."""
    empty, known = ([each[name] for each in found[side]] for side in ("empty", "known"))
    ratios = sorted(one / other for one, other in zip(empty, known, strict=True))
    sides = {"empty": median(empty), "known": median(known)}
    told = {**sides, "ratio": median(ratios), "least": ratios[0], "most": ratios[-1]}
    return {key: round(value, 3) for key, value in told.items()}


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "scoreline-peers", help="for data")
    options = parser.parse_args()
    found = {}
    for name, rows in WORKLOADS.items():
        of = prepare(name, rows, options.folder)
        with tempfile.TemporaryDirectory(prefix="scoreline-bench-", dir=options.folder) as scratch:
            found[name] = {"rows": rows, **in_turns(of, Path(scratch), options.pairs)}
        print(name, found[name], flush=True)
    keep("remembered", {"workloads": found})


if __name__ == "__main__":
    main()
