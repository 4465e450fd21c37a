"""Each series of faults at full size; the same code as in `tests/faults`, where it is small."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterator
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

from tests.faults.interruptions import cases, play_all, steps_of
from tests.faults.kills import Amount, kill_all
from tests.faults.races import RACES, pair, race_all
from tests.faults.remains import Place
from tests.faults.rot import damage_all, published
from tests.faults.scene import Scene, quiet
from tests.faults.steps import nothing
from tests.faults.stories import STORIES, World, play
from tests.faults.swaps import Reader, swap
from tests.faults.weather import LOST_ANSWERS, STORM, by_command_line, through, weathered
from tests.lossy_proxy import DROP, Weather
from tests.seaweedfs import SeaweedFS

HERE = Path(__file__).parent
ENVIRONMENT = HERE / ".readers-venv"


def local_places(folder: Path) -> Iterator[Place]:
    """Fresh data sets on the local disk."""
    folder.mkdir(parents=True)
    return (Place(str(folder / f"{number:05}")) for number in count())


def s3_places(server: SeaweedFS) -> Iterator[Place]:
    """Fresh data sets in a bucket of their own."""
    bucket = server.bucket()
    return (Place(f"s3://{bucket}/{number:05}", server.client()) for number in count())


def every_step(scene: Scene, server: SeaweedFS, folder: Path) -> dict[str, Any]:
    """Break every step in every way and every company, on a local disk and on S3."""
    places = local_places(folder / "steps")
    with quiet():
        steps = steps_of(scene, next(places), "steps-local")
    local = play_all(scene, places, cases(steps, proxied=False), nothing)
    with through(server, Weather(), 0) as proxy:
        places = s3_places(server)
        with quiet():
            steps_on_s3 = steps_of(scene, next(places), "steps-s3")
        s3 = play_all(scene, places, cases(steps_on_s3, proxied=True), lambda: proxy.faults.append(DROP))
    found = local.cases + s3.cases
    return {
        "steps": {"local": len(steps), "s3": len(steps_on_s3)},
        "cases": found.total(),
        "looks of readers": local.looks + s3.looks,
        "by kind": dict(found),
        "violations": local.violations + s3.violations,
    }


def other_commands(scene: Scene, folder: Path) -> dict[str, Any]:
    """Break every step of commands that go on from a version that is there, on a local disk."""
    with quiet():
        played = {story.__name__: play(World(scene, folder / story.__name__), story) for story in STORIES}
    return {
        "cases": sum(cases for cases, _ in played.values()),
        "by kind": {name: cases for name, (cases, _) in played.items()},
        "violations": [violation for _, violations in played.values() for violation in violations],
    }


def kills(folder: Path, amount: Amount, seed: int = 1) -> dict[str, Any]:
    """Kill real processes."""
    with quiet():
        # Units of so many rows have columns that are passed on as they are stored.
        scene = Scene(folder / "kills-scene", units=40, rows=20_000)
    (folder / "kills").mkdir()
    return kill_all(scene, folder / "kills", amount, seed).as_json()


def two_writers(scene: Scene, server: SeaweedFS, folder: Path, races: int) -> dict[str, Any]:
    """Race two processes, half the times on a local disk and half on S3."""
    half = races // 2
    chosen = [
        *zip(islice(cycle(RACES), half), local_places(folder / "races"), strict=False),
        *zip(islice(cycle(RACES), races - half), s3_places(server), strict=False),
    ]
    with through(server, Weather(), 0), pair(server.env()) as drivers:
        raced = race_all(scene, drivers, chosen)
    return {"races": len(chosen), "endings": dict(sorted(raced.endings.items())), "violations": raced.violations}


def weather(scene: Scene, server: SeaweedFS, runs: int) -> dict[str, Any]:
    """Run through lost answers and storms."""
    found = {"clear": weathered(scene, server, Weather(), runs // 10 or 1).as_json()}
    for name, lost in LOST_ANSWERS.items():
        found[name] = weathered(scene, server, lost, runs // 2, patience=1).as_json()
    found["10 % of answers lost, command line, local cluster"] = by_command_line(
        scene, server, LOST_ANSWERS["10 % of answers lost"], runs // 20
    ).as_json()
    found["storm"] = weathered(scene, server, STORM, runs // 10, patience=20).as_json()
    return {**found, "violations": [each for part in found.values() for each in part.pop("violations")]}


def readers_python() -> str:
    """The Python of an environment with libraries that read and that Scoreline does not need; made when it is not."""
    python = ENVIRONMENT / "bin/python"
    if not (ENVIRONMENT / "ready").exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        wanted = str(HERE / "readers-requirements.txt")
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--requirement", wanted], check=True)
        (ENVIRONMENT / "ready").touch()
    return str(python)


def readers(scene: Scene, folder: Path, swaps: int) -> dict[str, Any]:
    """Let every library read while versions are swapped."""
    other = readers_python()
    reading = [
        Reader(sys.executable, "pyarrow", "current"),
        Reader(sys.executable, "pandas", "symlink"),
        *(Reader(other, library, way) for library in ("polars", "duckdb") for way in ("symlink", "current")),
    ]
    folder = folder / "readers"
    folder.mkdir()
    seen = swap(scene, folder, swaps, reading, pause=0.1)
    samples = sum(counts["whole"] for counts in seen.values())
    return {"swaps": swaps, "samples": samples, "seen": seen, "violations": [*_confused(seen)]}


def _confused(seen: dict[str, Any]) -> Iterator[str]:
    """Readers that saw a mixture, that failed although they asked first, or whose retry did not succeed soon."""
    for name, counts in seen.items():
        if counts.get("mixed") or counts["most_failures_in_a_row"] > 5 or (counts["failures"] and "current" in name):
            yield f"{name}: {counts}"


def bit_rot(scene: Scene, folder: Path, damages: int) -> dict[str, Any]:
    """Damage files of a published store, one at a time."""
    folder = folder / "rot"
    folder.mkdir()
    rotted = damage_all(published(scene, folder), damages, seed=1)
    return {"damages": damages, "by kind": dict(rotted.damages), "violations": rotted.violations}


__all__ = ["bit_rot", "every_step", "kills", "other_commands", "readers", "two_writers", "weather"]
