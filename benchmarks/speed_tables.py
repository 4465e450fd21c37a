"""Tables and the plot of `peers_speed.json`: the short ones for the README, all figures for the benchmarks' own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from benchmarks.markdown import table
from benchmarks.peers.contenders import OURS, PEERS
from benchmarks.peers.titles import TITLES
from benchmarks.plot import Line, Panel, drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Found = dict[str, Any]
Group = tuple[str, int, int]
"""Workload, rows, workers."""
PLOTTED, MAIN_WORKERS = "logistic", 2

DETAILS = (
    "contender",
    "pairs",
    "wall s, Scoreline",
    "wall s, peer",
    "ratio: median (least to most)",
    "processor s, Scoreline",
    "processor s, peer",
    "all processes, MiB, Scoreline",
    "all processes, MiB, peer",
    "biggest process, MiB, Scoreline",
    "biggest process, MiB, peer",
)


def short(found: Found) -> str:
    """Times as fast as each peer, for two workers: the README's table, with versions, and a geometric mean."""
    groups = {group: of for group, of in _groups(found).items() if group[2] == MAIN_WORKERS}
    heads = ["job", "rows", "Scoreline, rows/s", *(peer.title for peer in PEERS.values())]
    rows = [_short_row(group, of) for group, of in groups.items()]
    told = "Times as fast as each, median of pairs in turns (least to most of them), two workers, start-up included."
    if any("first" in o for of in groups.values() for o in of):
        heads, rows = (
            [*heads, "first run, fastest peer"],
            [[*row, _first(of)] for row, of in zip(rows, groups.values(), strict=True)],
        )
        told += " The last column is of one run that found nothing in the cache, as the first one of an artifact does."
    return "\n\n".join([told, table(heads, rows), _mean(groups), f"Versions: {versions(found)}. {loads(found)}"])


def full(found: Found) -> str:
    """All figures, a table for each workload, size and number of workers."""
    blocks = []
    for (workload, rows, workers), of in _groups(found).items():
        cores = f"{workers} worker{'s' if workers > 1 else ''}"
        blocks += [f"{TITLES[workload]}, {rows:,} rows, {cores}", table(DETAILS, map(_details, of))]
    return "\n\n".join([*blocks, f"Versions: {versions(found)}. {loads(found)}"])


def plot(found: Found) -> str:
    """SVG of throughput and of memory against rows, for one workload."""
    sides = [("Scoreline", _ours), *((peer.title, _theirs(name)) for name, peer in PEERS.items())]
    speed = [Line(title, _points(found, get, lambda rows, of: rows / of["seconds"])) for title, get in sides]
    memory = [Line(title, _points(found, get, lambda _, of: of["tree_mib"])) for title, get in sides]
    title = TITLES[PLOTTED]
    return drawn([Panel(f"{title}: rows/s", speed), Panel("memory of all processes, MiB", memory)])


def _groups(found: Found) -> dict[Group, list[Found]]:
    """Results by workload, rows and workers, in the order of the lists of workloads and contenders."""
    names, order = list(TITLES), [*PEERS, OURS]
    groups: dict[Group, list[Found]] = {}
    for of in sorted(found.values(), key=lambda of: order.index(of["contender"])):
        groups.setdefault((of["workload"], of["rows"], of["workers"]), []).append(of)
    return dict(sorted(groups.items(), key=lambda group: (names.index(group[0][0]), *group[0][1:])))


def _short_row(group: Group, of: list[Found]) -> list[str]:
    workload, rows, _ = group
    ours = [o["median"]["ours"]["seconds"] for o in of if "median" in o]
    cells = {o["contender"]: ratio(o) for o in of}
    speed = f"{rows / sorted(ours)[len(ours) // 2]:,.0f}" if ours else ""
    return [TITLES[workload], f"{rows:,}", speed, *(cells.get(name, "") for name in PEERS)]


def _first(of: list[Found]) -> str:
    """Times as fast as the fastest peer where the cache was empty."""
    ratios = [o["median"]["theirs"]["seconds"] / o["first"]["seconds"] for o in of if "first" in o and "ratio" in o]
    return f"{min(ratios):.2f}" if ratios else ""


def ratio(of: Found) -> str:
    """Times as fast as a peer; words where there is no figure."""
    if "failed" in of:
        return "failed"
    if "over_seconds" in of:
        least = of["over_seconds"] / max(pair["ours"]["seconds"] for pair in of["pairs"])
        return f"over {of['over_seconds']:.0f} s: more than {least:.1f}"
    if "ratio" not in of:
        return ""
    return "{median:.2f} ({least:.2f} to {most:.2f})".format(**of["ratio"])


def _mean(groups: dict[Group, list[Found]]) -> str:
    """Of the ratios to the fastest peer, over all lines with a figure."""
    lines = [[o["ratio"]["median"] for o in of if "ratio" in o] for of in groups.values()]
    logs = [math.log(min(ratios)) for ratios in lines if ratios]
    if not logs:
        return ""
    return f"Against the fastest peer of each line, geometric mean: {math.exp(sum(logs) / len(logs)):.2f}."


def _details(of: Found) -> list[str]:
    title = "Scoreline alone" if of["contender"] == OURS else PEERS[of["contender"]].title
    medians = of.get("median", {})
    sides = [medians.get(side, {}) for side in ("ours", "theirs")]

    def figures(name: str, form: str) -> list[str]:
        return [format(side[name], form) if name in side else "" for side in sides]

    seconds, memory = figures("seconds", ".1f"), [*figures("tree_mib", ",.0f"), *figures("process_mib", ",.0f")]
    return [title, str(len(of.get("pairs", ()))), *seconds, ratio(of), *figures("cpu_seconds", ".1f"), *memory]


def _ours(found: Iterator[Found]) -> dict[int, Found]:
    """Scoreline's medians by rows, from whichever peer it was last in turns with."""
    return {of["rows"]: of["median"]["ours"] for of in found if "median" in of}


def _theirs(name: str) -> Callable[[Iterator[Found]], dict[int, Found]]:
    def get(found: Iterator[Found]) -> dict[int, Found]:
        return {of["rows"]: of["median"]["theirs"] for of in found if of["contender"] == name and "ratio" in of}

    return get


def _points(
    found: Found, get: Callable[[Iterator[Found]], dict[int, Found]], value: Callable[[int, Found], float]
) -> list[tuple[float, float]]:
    wanted = (of for of in found.values() if of["workload"] == PLOTTED and of["workers"] == MAIN_WORKERS)
    return sorted((rows, value(rows, of)) for rows, of in get(wanted).items())


def versions(found: Found) -> str:
    """Of everything that took part."""
    every: dict[str, str] = {}
    for of in found.values():
        every |= {**{f"{name}": number for name, number in of.get("peers", {}).items() if name != "pyarrow"}}
        every |= of["versions"]
    return ", ".join(f"{name} {number}" for name, number in sorted(every.items()))


def loads(found: Found) -> str:
    """How busy the machine was."""
    before = [side["load"] for of in found.values() for pair in of.get("pairs", ()) for side in pair.values()]
    return f"Load of the machine before the runs: {min(before)} to {max(before)}." if before else ""
