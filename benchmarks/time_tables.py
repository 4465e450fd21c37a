"""Tables of `where_time_goes.json`, and what it says of the ratios that whole jobs come to."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.machine import kept
from benchmarks.markdown import table
from benchmarks.peers.titles import TITLES

Found = dict[str, Any]

ASKED = {("logistic", 20_000_000): 10.0, ("forest", 10_000_000): 3.5, ("hgb", 1_000_000): 25.0}
"""How many times as fast as the fastest peer whole jobs are to be, with two workers."""
WORKERS = 2

IMPORTS = ("imported by a new process", "processor s")
ROWS = ("pipeline", "plan, s", "compile and prove, s", "µs a row")
FLOOR = "pyarrow reads and writes the same, no model, µs a row"
LIMITS = (
    "job",
    "asked",
    "reached (least)",
    "fastest peer, s",
    "s left for a job that is as fast as asked",
    "our rows alone, s",
    "reading and writing by pyarrow alone, s",
    "importing scikit-learn alone, s",
)


def where_time_goes(found: Found) -> str:
    """What starts cost, what rows cost by stage, and what is left where a ratio is to be reached."""
    imports = [(name, f"{seconds:.2f}") for name, seconds in found["imports"].items()]
    pipelines: Found = found["pipelines"]
    stages = list(dict.fromkeys(stage for of in pipelines.values() for stage in of["stages"]))
    heads = (*ROWS, *stages, FLOOR)
    rows = [_pipeline(name, of, stages) for name, of in pipelines.items()]
    load = ", ".join(map(str, found["load"]))
    blocks = [
        table(IMPORTS, imports),
        f"One process with one thread, {found['rows']:,} rows; the stages are part of what a row takes",
        table(heads, rows),
        f"What is left to gain, on {WORKERS} cores that are never idle",
        table(LIMITS, [_limit(name, rows, found) for name, rows in ASKED if _peers(name, rows)]),
        f"Load of the machine while it was measured, over 1, 5 and 15 minutes: {load}.",
    ]
    return "\n\n".join(blocks)


def _pipeline(name: str, of: Found, stages: list[str]) -> tuple[str, ...]:
    figures = (of["plan"], of["compile and prove"], of["a row"])
    by_stage = (of["stages"].get(stage, 0.0) for stage in stages)
    every = (*figures, *by_stage, of["read and written without a model"])
    return (TITLES[name], *(f"{figure:.2f}" for figure in every))


def _peers(name: str, rows: int) -> list[Found]:
    """What was measured of a job against each peer."""
    every = (kept("peers_speed") or {}).values()
    return [
        of
        for of in every
        if (of["workload"], of["rows"], of["workers"]) == (name, rows, WORKERS) and "pairs" in of and "ratio" in of
    ]


def _limit(name: str, rows: int, found: Found) -> tuple[str, ...]:
    fastest = min(_peers(name, rows), key=lambda of: float(of["ratio"]["median"]))
    theirs = median(pair["theirs"]["seconds"] for pair in fastest["pairs"])
    of, asked = found["pipelines"][name], ASKED[name, rows]
    alone = (rows * of[what] / WORKERS / 1e6 for what in ("a row", "read and written without a model"))
    reached = f"{fastest['ratio']['median']:.2f} ({fastest['ratio']['least']:.2f})"
    seconds = (theirs, theirs / asked, *alone, found["imports"]["scikit-learn, with pandas and scipy"])
    return (f"{TITLES[name]}, {rows:,} rows", f"{asked:g}", reached, *(f"{second:.1f}" for second in seconds))
