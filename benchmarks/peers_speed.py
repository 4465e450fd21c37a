"""The whole job, start-up included: `scoreline predict` against every engine that calls scikit-learn, in pairs.

Each run is a new process on so many cores. Outputs are compared with Scoreline's before their times count. Workloads,
contenders and sizes that are not run this time keep their results, so the whole can be measured piece by piece.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.machine import RESULTS, setting
from benchmarks.peers import environments
from benchmarks.peers.contenders import OURS, PEERS, our_command, our_environment
from benchmarks.peers.outputs import Answers, difference, read
from benchmarks.peers.workloads import WORKLOADS, Prepared, prepare
from benchmarks.process_tree import Run, run

if TYPE_CHECKING:
    from collections.abc import Callable

    Sides = dict[str, Callable[[], tuple[Run, Answers | None]]]

RESULT = RESULTS / "peers_speed.json"


class NoRunError(RuntimeError):
    """A run that does not count, and why."""


@dataclass(frozen=True)
class Stand:
    """One workload with so many rows and workers, and a folder for what is written."""

    of: Prepared
    folder: Path
    workers: int
    limit: float

    def ours(self) -> tuple[Run, Answers | None]:
        """One run of Scoreline, from nothing."""
        for name in ("ours", "ours.store", "artifacts"):
            _remove(self.folder / name)
        done = run(our_command(self.of.config(self.folder)), our_environment(), self.workers, self.limit)
        return done, self._read(done, self.folder / "ours")

    def theirs(self, name: str) -> tuple[Run, Answers | None]:
        """One run of a peer."""
        output = self.folder / "theirs"
        _remove(output)
        peer = PEERS[name]
        done = run(peer.command(self.of, output, self.workers), peer.environment(), self.workers, self.limit)
        return done, self._read(done, output)

    def _read(self, done: Run, output: Path) -> Answers | None:
        """None for a run over the limit. Raises NoRunError for one that failed."""
        if done.code is None:
            return None
        if done.code:
            raise NoRunError(f"exit code {done.code}: {done.said[-1500:]}")
        return read(output, self.of.of.data.key, self.of.labels)


def compared(stand: Stand, name: str, pairs: int) -> dict[str, Any]:
    """Pairs in turns, the first one of a pair alternating."""
    found: list[dict[str, Any]] = []
    rows = 0
    for number in range(pairs):
        sides: Sides = {"ours": stand.ours, "theirs": partial(stand.theirs, name)}
        done = {side: sides[side]() for side in sorted(sides, reverse=bool(number % 2))}
        found.append({side: done[side][0].figures for side in sides})
        ours, theirs = (done[side][1] for side in sides)
        if ours is None or theirs is None:
            return {"pairs": found, "over_seconds": stand.limit}
        if other := difference(ours, theirs):
            raise NoRunError(f"not the same: {other}")
        rows = len(ours.keys)
    return {"rows_compared": rows, "pairs": found, "ratio": ratio(found), "median": medians(found)}


def ratio(pairs: list[dict[str, Any]]) -> dict[str, float]:
    """How many times as long the peer took: the median over pairs, with the least and the most."""
    each = sorted(pair["theirs"]["seconds"] / pair["ours"]["seconds"] for pair in pairs)
    return {"median": round(median(each), 3), "least": round(each[0], 3), "most": round(each[-1], 3)}


def medians(pairs: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Of each figure of each side."""
    return {side: {of: round(median(p[side][of] for p in pairs), 3) for of in pairs[0][side]} for side in pairs[0]}


def alone(stand: Stand, runs: int) -> dict[str, Any]:
    """Scoreline without a peer: for sizes that the peers need too long for."""
    found = []
    for _ in range(runs):
        done, answers = stand.ours()
        found.append({"ours": done.figures})
        if answers is None:
            return {"pairs": found, "over_seconds": stand.limit}
    return {"pairs": found, "median": medians(found)}


def add(result: Path, key: str, found: dict[str, Any]) -> None:
    """Put what was found into the result file, in place of what was there for the same."""
    known = json.loads(result.read_text()) if result.exists() else {}
    result.write_text(json.dumps({**known, key: found}, indent=1) + "\n")


def measure(name: str, rows: int, workers: int, options: argparse.Namespace) -> None:
    """One workload, all wanted contenders."""
    of = prepare(name, rows, options.folder)
    rows = WORKLOADS[name].rows or rows
    for contender in options.contenders.split(","):
        about = {"workload": name, "rows": rows, "workers": workers, "contender": contender}
        told = setting()
        if contender != OURS:
            told["peers"] = environments.versions(PEERS[contender].peer)
        with tempfile.TemporaryDirectory(prefix="scoreline-bench-", dir=options.folder) as scratch:
            stand = Stand(of, Path(scratch), workers, options.limit)
            try:
                found = alone(stand, options.pairs) if contender == OURS else compared(stand, contender, options.pairs)
            except NoRunError as error:
                found = {"failed": str(error)}
        add(options.result, f"{name}|{rows}|{workers}|{contender}", {**about, **told, **found})
        print(json.dumps({**about, **{k: v for k, v in found.items() if k != "pairs"}}), flush=True)


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def main() -> None:
    """Measure, and add to the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="which ones, by name")
    parser.add_argument("--contenders", default=",".join(PEERS), help=f"which ones, by name; {OURS}: it alone")
    parser.add_argument("--rows", default="200000", help="sizes; workloads with a size of their own have only that")
    parser.add_argument("--workers", default="2", help="workers, and cores, for example 1,2")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=600, help="seconds after which a run is ended")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "scoreline-peers", help="for data")
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    for name in options.workloads.split(","):
        sizes = [0] if WORKLOADS[name].rows else map(int, options.rows.split(","))
        for rows in sizes:
            for workers in map(int, options.workers.split(",")):
                measure(name, rows, workers, options)


if __name__ == "__main__":
    main()
