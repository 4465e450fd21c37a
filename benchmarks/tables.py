"""``python -m benchmarks.tables``: write the README's tables again from the results, between their markers."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import speed_tables, suite_tables, time_tables
from benchmarks.machine import RESULTS, kept
from benchmarks.markdown import put, table
from benchmarks.peers.titles import TITLES
from benchmarks.under_faults.contenders import CONTENDERS
from benchmarks.under_faults.verdicts import NEW, OLD, UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

README = Path(__file__).parent / "README.md"
FRONT = README.parents[1] / "README.md"
PLOT = "Rows a second, and memory, against rows"
Trials = list[dict[str, Any]]

KILLED = (
    "contender",
    "killed",
    "trials",
    "old",
    "new",
    "neither: what is wrong",
    "right after the same command",
    "median s until then",
    "units that it computed",
)
LOST = (
    "contender",
    "lost at",
    "trials",
    "says done, and it is",
    "says done, but it is not",
    "says failed, and it did",
    "says failed, but it is done",
    "neither: what is wrong",
    "wrong after the same command",
)
FILES = ("files", "units", "s in all", "s to look at them", "driver with scheduler, MiB", "a worker, MiB")
RESUMED = (
    "where",
    "finished units",
    "s to make them",
    "s until nothing is left to do",
    "s until one unit is done again",
)
KERNELS = (
    "pipeline, 22 classes",
    "probabilities",
    "tier",
    "ours, rows/s",
    "scikit-learn, rows/s",
    "median ratio",
    "least to most",
)
WALKS = ("forest of 100 trees, 22 classes", "way", "trees a row asks", "rows/s", "median ratio", "least to most")
MEMORY = (
    "rows",
    "files",
    "rows of the largest row group",
    "most that a worker held, MiB",
    "driver with scheduler, MiB",
    "s",
    "Arrow alone, reading: MiB after the first batch, and the last",
)
REMEMBERED = (
    "job",
    "rows",
    "pairs",
    "wall s, empty cache",
    "wall s, known",
    "processor s, empty cache",
    "processor s, known",
    "wall time, empty / known",
    "processor time, empty / known",
)
ENVIRONMENT = ("pairs", "wall time, Dask's settings / ours", "processor time, Dask's settings / ours")
FIRST = (
    "pipeline, 22 classes",
    "ours, s to the first answer",
    "scikit-learn, s",
    "ours, p50 µs",
    "scikit-learn, p50 µs",
    "ours, p99 µs",
    "scikit-learn, p99 µs",
)
OVERHEAD = ("workload", "MB a file written", "pairs", "wall time, on / off", "processor time, on / off")


def peers_under_faults(found: dict[str, Any]) -> str:
    """Kills, lost answers, and with which versions and how each contender was run."""
    blocks = [
        "What a reader finds after a kill at a random moment of writing, and what the same command makes of it",
        table(
            KILLED,
            [
                (CONTENDERS[name].name, victim, *_killed(of[victim]))
                for victim in ("driver", "worker")
                for name, of in found.items()
                if of.get(victim)
            ],
        ),
        "One answer to a PUT gets lost on S3: what the program says, and what a reader then finds",
        table(
            LOST,
            [
                (CONTENDERS[name].name, what, *_lost(of[f"lost_at_{what}"]))
                for what in ("commit", "data")
                for name, of in found.items()
                if f"lost_at_{what}" in of
            ],
        ),
        "\n".join(f"- {CONTENDERS[name].name}: {CONTENDERS[name].note}." for name in found),
        f"Versions: {_versions(found)}.",
    ]
    return "\n\n".join(blocks)


def _killed(trials: Trials) -> tuple[str, ...]:
    states = [trial["found"] for trial in trials]
    right = [trial for trial in trials if trial["after_again"]["state"] == NEW]
    seconds = [trial["seconds_until_right"] for trial in right]
    again = [trial["computed_again"] for trial in trials if "code_again" in trial]
    return (
        str(len(trials)),
        str(_count(states, OLD)),
        str(_count(states, NEW)),
        _wrong(states),
        f"{len(right)} of {len(trials)}" + _lasting(trials),
        f"{median(seconds):.1f}" if seconds else "",
        _span(again),
    )


def _lost(trials: Trials) -> tuple[str, ...]:
    trials = [trial for trial in trials if trial["lost"]]
    says = [(trial["code"] == 0, trial["found"]["state"]) for trial in trials]
    after = [trial["after_again"] for trial in trials if trial["after_again"]["state"] != NEW]
    counts = [says.count((said, state)) for said, state in ((True, NEW), (True, OLD), (False, OLD), (False, NEW))]
    return (str(len(trials)), *map(str, counts), _wrong([trial["found"] for trial in trials]), _wrong(after))


def _count(states: Trials, state: str) -> int:
    return sum(found["state"] == state for found in states)


def _wrong(states: Trials) -> str:
    """How many states are neither version, and in what way."""
    wrong = [found for found in states if found["state"] not in (OLD, NEW)]
    kinds = {
        "unreadable": sum(found["state"] == UNREADABLE for found in wrong),
        "rows missing": sum(found.get("missing", 0) > 0 for found in wrong),
        "rows doubled": sum(found.get("doubled", 0) > 0 for found in wrong),
        "versions mixed": sum(bool(found.get("mixed")) for found in wrong),
    }
    return f"{len(wrong)}" + (": " + ", ".join(f"{kind} {n}" for kind, n in kinds.items() if n) if wrong else "")


def _lasting(trials: Trials) -> str:
    """What stays wrong after the same command."""
    wrong = [trial["after_again"] for trial in trials if trial["after_again"]["state"] != NEW]
    return f" (else {_wrong(wrong)})" if wrong else ""


def _span(numbers: Sequence[int]) -> str:
    if not numbers:
        return "none needed"
    return str(numbers[0]) if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"


def _versions(found: dict[str, Any]) -> str:
    every = {name: number for of in found.values() for name, number in {**of["versions"], **of["peers"]}.items()}
    return ", ".join(f"{name} {number}" for name, number in every.items())


def many_units(found: dict[str, Any]) -> str:
    """Many files, and going on with many finished units."""
    blocks = ["Files of a thousand rows, end to end with two workers", table(FILES, map(_of_files, found["files"]))]
    again = {"local disk": found["resume"], "an S3 server on this machine": found.get("resume_s3", ())}
    resumed = [_resumed(where, of) for where, runs in again.items() for of in runs]
    if resumed:
        blocks += ["The same command again, from the start of its process", table(RESUMED, resumed)]
    return "\n\n".join([*blocks, _busy(found)])


def _busy(found: dict[str, Any]) -> str:
    """How many others wanted the processors."""
    return f"Load of the machine while it was measured, over 1, 5 and 15 minutes: {', '.join(map(str, found['load']))}."


def _of_files(of: dict[str, Any]) -> tuple[str, ...]:
    numbers = (of["seconds"], of["stages"]["pull"], of["driver_mib"], max(of["worker_mib"]))
    return (f"{of['files']:,}", f"{of['units']:,}", *(f"{number:,.0f}" for number in numbers))


def _resumed(where: str, of: dict[str, Any]) -> tuple[str, ...]:
    numbers = (of["first"]["seconds"], of["nothing_left"]["until_published"], of["one_left"]["until_receipt"])
    return (where, f"{of['units']:,}", *(f"{number:,.1f}" for number in numbers))


def worker_environment(found: dict[str, Any]) -> str:
    """What the memory settings of workers are worth."""
    of = (
        f"{found[kind]['median']:.2f} ({found[kind]['low']:.2f} to {found[kind]['high']:.2f})"
        for kind in ("seconds", "cpu")
    )
    row = (str(len(found["runs"])), *of)
    return f"{table(ENVIRONMENT, [row])}\n\n{_busy(found)}"


def protocol_overhead(found: dict[str, Any]) -> str:
    """The cost of exactly-once."""

    def interval(of: dict[str, float]) -> str:
        return f"{of['median']:.3f} ({of['low']:.3f} to {of['high']:.3f})"

    rows = [
        (name, f"{of['mean_megabytes']:.1f}", str(len(of["runs"])), interval(of["seconds"]), interval(of["cpu"]))
        for name, of in found["workloads"].items()
    ]
    return f"{table(OVERHEAD, rows)}\n\n{_busy(found)}"


def flat_memory(found: dict[str, Any]) -> str:
    """The memory of processes over rows."""

    def row(of: dict[str, Any]) -> tuple[str, ...]:
        numbers = (
            of["rows"],
            of["files"],
            of["largest_row_group"],
            max(of["worker_mib"]),
            of["driver_mib"],
            of["seconds"],
        )
        held = " and ".join(map(str, of.get("held_while_reading_mib", ())))
        return (*(f"{number:,.0f}" for number in numbers), held)

    return f"{table(MEMORY, map(row, found['cases']))}\n\n{_busy(found)}"


def compiled_kernels(found: dict[str, Any]) -> str:
    """A bundle against scikit-learn in one process."""

    def row(of: dict[str, Any]) -> tuple[str, ...]:
        speeds = [f"{of['rows_per_second'][who]:,}" for who in ("ours", "theirs")]
        ratio = of["ratio"]
        way = (of["model"].replace("_", " "), "yes" if of["proba"] else "no", of["tier"])
        return (*way, *speeds, str(ratio["median"]), f"{ratio['least']} to {ratio['most']}")

    return f"{table(KERNELS, map(row, found['results']))}\n\n{_busy(found)}"


def tree_walks(found: dict[str, Any]) -> str:
    """Ways to take rows through deep trees."""

    def row(of: dict[str, Any]) -> tuple[str, ...]:
        ratio = of["ratio"]
        spread = f"{ratio['least']} to {ratio['most']}"
        return of["forest"], of["way"], str(of["trees"]), f"{of['rows_per_second']:,}", str(ratio["median"]), spread

    return f"{table(WALKS, map(row, found['results']))}\n\n{_busy(found)}"


def first_prediction(found: dict[str, Any]) -> str:
    """A new process and its first prediction, then one record after the other."""

    def row(name: str, of: dict[str, Any]) -> tuple[str, ...]:
        ways = (of["bundle"], of["scikit-learn"])
        seconds = (f"{s['median']:.2f} ({s['least']:.2f} to {s['most']:.2f})" for s in (way["seconds"] for way in ways))
        times = (f"{way['microseconds'][part]:,.0f}" for part in ("p50", "p99") for way in ways)
        return (name.replace("_", " "), *seconds, *times)

    rows = [row(name, of) for name, of in found["cases"].items()]
    return f"{table(FIRST, rows)}\n\n{_busy(found)}"


def remembered(found: dict[str, Any]) -> str:
    """Whole jobs with an empty cache, and with one that knows the artifact."""

    def row(name: str, of: dict[str, Any]) -> tuple[str, ...]:
        wall, cpu = of["seconds"], of["cpu_seconds"]
        seconds = (f"{side[cache]:.2f}" for side in (wall, cpu) for cache in ("empty", "known"))
        ratios = (f"{side['ratio']:.2f} ({side['least']:.2f} to {side['most']:.2f})" for side in (wall, cpu))
        return (TITLES[name], f"{of['rows']:,}", str(of["pairs"]), *seconds, *ratios)

    rows = [row(name, of) for name, of in found["workloads"].items()]
    return f"{table(REMEMBERED, rows)}\n\n{_busy(found)}"


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "peers_under_faults": peers_under_faults,
    "protocol_overhead": protocol_overhead,
    "many_units": many_units,
    "compiled_kernels": compiled_kernels,
    "encoding": suite_tables.encoding,
    "passing_on": suite_tables.passing_on,
    "never_slower": suite_tables.never_slower,
    "tree_walks": tree_walks,
    "first_prediction": first_prediction,
    "peers_speed": speed_tables.full,
    "peers_speed_second_machine": speed_tables.short,
    "peers_speed_third_machine": speed_tables.short,
    "remembered": remembered,
    "flat_memory": flat_memory,
    "worker_environment": worker_environment,
    "where_time_goes": time_tables.where_time_goes,
}


def main() -> None:
    """Write each table whose result is there."""
    for name, content in TABLES.items():
        if (found := kept(name)) is not None:
            put(README, name, content(found))
    if found := kept("peers_speed"):
        (RESULTS / "peers_speed.svg").write_text(speed_tables.plot(found))
        put(FRONT, "peers_speed", f"{speed_tables.short(found)}\n\n![{PLOT}](benchmarks/results/peers_speed.svg)")


if __name__ == "__main__":
    main()
