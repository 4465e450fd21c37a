"""The whole job, start-up included: `scoreline predict` against every engine that calls scikit-learn, in pairs.

Each run is a new process on so many cores. Outputs are compared with Scoreline's before their times count. Before the
pairs Scoreline runs once with an empty cache: that run proves what it compiles, and those in pairs find the proof.
Workloads, contenders and sizes that are not run this time keep their results, so it can be measured piece by piece.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import RESULTS, setting
from benchmarks.peers import environments
from benchmarks.peers.contenders import OURS, PEERS, our_command, our_environment
from benchmarks.peers.outputs import Answers, difference, read
from benchmarks.peers.workloads import WORKLOADS, Prepared, prepare
from benchmarks.process_tree import Run, run

RESULT = RESULTS / "peers_speed.json"


class NoRunError(RuntimeError):
    """A run that does not count, and why."""


@dataclass(frozen=True)
class Stand:
    """One workload with so many rows and workers against one contender, and a folder for what is written."""

    of: Prepared
    contender: str
    folder: Path
    workers: int
    limit: float

    def run(self, side: str) -> Run:
        """One run of "ours" or "theirs", from nothing. Raises NoRunError when it fails."""
        for name in ("ours", "ours.store", "artifacts") if side == "ours" else ("theirs",):
            _remove(self.folder / name)
        if side == "ours":
            command, environment = our_command(self.of.config(self.folder)), our_environment(self.folder / "cache")
        else:
            peer = PEERS[self.contender]
            command, environment = peer.command(self.of, self.folder / side, self.workers), peer.environment()
        done = run(command, environment, self.workers, self.limit)
        if done.code:
            raise NoRunError(f"{side}: exit code {done.code}: {done.said[-1500:]}")
        return done

    def answers(self, side: str) -> Answers:
        """What was written."""
        return read(self.folder / side, self.of.of.data.key, self.of.labels)


def compared(stand: Stand, pairs: int) -> dict[str, Any]:
    """The first run of all, then pairs in turns, the first one of a pair alternating."""
    found: list[dict[str, Any]] = []
    first = stand.run("ours").figures
    for number in range(pairs):
        done = {side: stand.run(side) for side in sorted(("ours", "theirs"), reverse=bool(number % 2))}
        found.append({side: done[side].figures for side in ("ours", "theirs")})
        if None in (done["ours"].code, done["theirs"].code):
            return {"first": first, "pairs": found, "over_seconds": stand.limit}
        if other := difference(stand.answers("ours"), stand.answers("theirs")):
            raise NoRunError(f"not the same: {other}")
    return {"first": first, "pairs": found, "ratio": ratio(found), "median": medians(found)}


def ratio(pairs: list[dict[str, Any]]) -> dict[str, float]:
    """How many times as long the peer took: the median over pairs, with the least and the most."""
    each = sorted(pair["theirs"]["seconds"] / pair["ours"]["seconds"] for pair in pairs)
    return {"median": round(median(each), 3), "least": round(each[0], 3), "most": round(each[-1], 3)}


def medians(pairs: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Of each figure of each side."""
    return {side: {of: round(median(p[side][of] for p in pairs), 3) for of in pairs[0][side]} for side in pairs[0]}


def alone(stand: Stand, runs: int) -> dict[str, Any]:
    """Scoreline without a peer: for sizes that the peers need too long for."""
    first, *done = [stand.run("ours") for _ in range(1 + runs)]
    found = [{"ours": one.figures} for one in done]
    over = any(one.code is None for one in done)
    return {
        "first": first.figures,
        "pairs": found,
        **({"over_seconds": stand.limit} if over else {"median": medians(found)}),
    }


def add(result: Path, key: str, found: dict[str, Any]) -> None:
    """Put what was found into the result file, in place of what was there for the same."""
    known = json.loads(result.read_text()) if result.exists() else {}
    result.write_text(json.dumps({**known, key: found}, indent=1) + "\n")


def measure(about: dict[str, Any], options: argparse.Namespace) -> None:
    """One workload, size, number of workers and contender."""
    name, rows, workers, contender = about.values()
    of = prepare(name, rows, options.folder)
    told = setting() | ({} if contender == OURS else {"peers": environments.versions(PEERS[contender].peer)})
    with tempfile.TemporaryDirectory(prefix="scoreline-bench-", dir=options.folder) as scratch:
        stand = Stand(of, contender, Path(scratch), workers, options.limit)
        try:
            found = alone(stand, options.pairs) if contender == OURS else compared(stand, options.pairs)
        except NoRunError as error:
            found = {"failed": str(error)}
    add(options.result, "|".join(map(str, about.values())), {**about, **told, **found})
    print(json.dumps({**about, **{key: value for key, value in found.items() if key != "pairs"}}), flush=True)


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def main() -> None:
    """Measure, and add to the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="which ones, by name")
    parser.add_argument("--contenders", default=",".join(PEERS), help=f"which ones, by name; {OURS}: it alone")
    parser.add_argument("--rows", help="sizes; by default each workload has its own")
    parser.add_argument("--workers", default="2", help="workers, and cores; 1,2 for both")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=600, help="seconds after which a run is ended")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "scoreline-peers", help="for data")
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    for name in options.workloads.split(","):
        sizes = map(int, options.rows.split(",")) if options.rows else WORKLOADS[name].sizes
        for rows, workers, contender in product(sizes, options.workers.split(","), options.contenders.split(",")):
            about = {"workload": name, "rows": rows, "workers": int(workers), "contender": contender}
            measure(about, options)


if __name__ == "__main__":
    main()
