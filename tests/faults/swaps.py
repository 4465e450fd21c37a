"""Two finished runs that are published in turns, as fast as it goes, while others read."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tests.faults.interruptions import MINE, OTHER
from tests.faults.remains import Place, assert_kept
from tests.faults.scene import Scene, command, quiet

READER = Path(__file__).parents[2] / "faults/reader.py"


@dataclass(frozen=True)
class Reader:
    """A library that reads, in which Python, and how it finds the version."""

    python: str
    library: str
    way: str

    def __str__(self) -> str:
        return f"{self.library}, {self.way}"

    def start(self, uri: str, rows: int, stop: Path) -> subprocess.Popen[str]:
        """Read until the file `stop` is there."""
        command = [self.python, str(READER), self.library, self.way, uri, str(rows), str(stop)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def swap(scene: Scene, folder: Path, swaps: int, readers: Sequence[Reader], pause: float) -> dict[str, Any]:
    """Publish two runs in turns before readers; what each of them saw."""
    place = Place(str(folder / "swapped"))
    with quiet():
        for model in (MINE, OTHER):
            assert command(scene.config(f"swap-{model}", model, place.uri)).code == 0
    rows = pq.read_table(place.uri).num_rows
    stop = folder / "stop"
    reading = [reader.start(place.uri, rows, stop) for reader in readers]
    try:
        # Interpreters that start up see nothing of what they are to read.
        time.sleep(3.0)
        history = [MINE, OTHER, *_published_in_turns(scene, place, swaps, pause)]
        stop.touch()
        told = [process.communicate(timeout=60)[0] for process in reading]
    finally:
        for process in reading:
            process.kill()
            process.communicate()
    assert_kept(scene, place, history)
    return {str(reader): json.loads(text) for reader, text in zip(readers, told, strict=True)}


def _published_in_turns(scene: Scene, place: Place, swaps: int, pause: float) -> list[str]:
    """The same commands in turns: each finds its units done, and publishes them as the next version."""
    models = [(MINE, OTHER)[number % 2] for number in range(swaps)]
    for model in models:
        with quiet():
            ended = command(scene.config(f"swap-{model}", model, place.uri))
        assert (ended.code, ended.computed) == (0, 0), ended
        time.sleep(pause)
    return models
