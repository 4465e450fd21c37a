"""Whole runs on S3 through a proxy that loses answers, refuses, resets and stalls."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from tests.faults.interruptions import MINE
from tests.faults.remains import Place, assert_kept, broken_promise
from tests.faults.scene import Ended, Scene, command, quiet
from tests.lossy_proxy import LossyProxy, Weather
from tests.seaweedfs import SeaweedFS

LOST_ANSWERS = {"1 % of answers lost": Weather(drop=0.01), "10 % of answers lost": Weather(drop=0.1)}
STORM = Weather(refuse=0.3, reset=0.05, stall=0.01, seconds=2.0)
"""Thirty of a hundred requests are refused, five broken off, and one stalls for two seconds."""


@dataclass
class Weathered:
    """What a series of runs came to.

    Attributes
    ----------
    endings : exit codes of first attempts
    again : how many more times the same command was needed
    met : what requests met on their way
    seconds : how long each data set took, all attempts together
    """

    endings: Counter[str] = field(default_factory=Counter)
    again: int = 0
    met: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        spent = {"median_s": round(median(self.seconds), 2), "longest_s": round(max(self.seconds), 2)}
        counts = {"endings": dict(self.endings), "again": self.again, "met": dict(self.met), "said": dict(self.said)}
        return {"runs": len(self.seconds), **counts, **spent, "violations": self.violations}


@contextmanager
def through(server: SeaweedFS, weather: Weather, seed: int) -> Iterator[LossyProxy]:
    """This process reaches the server through such weather until the block ends."""
    with LossyProxy(server.endpoint, weather, seed).running() as proxy, pytest.MonkeyPatch.context() as patch:
        for name, value in server.env().items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def weathered(scene: Scene, server: SeaweedFS, weather: Weather, runs: int, *, patience: int = 0) -> Weathered:
    """Run in this process, each time on a fresh place; a run that fails is repeated at most `patience` times."""
    found, bucket = Weathered(), server.bucket()
    with through(server, weather, seed=runs) as proxy:
        for number in range(runs):
            place = Place(f"s3://{bucket}/{number:03}", server.client())
            config = scene.config(f"weather-{bucket}-{number}", MINE, place.uri)
            started = time.monotonic()
            try:
                _persevere(found, config, patience)
                found.seconds.append(time.monotonic() - started)
                assert_kept(scene, place, [MINE])
            except AssertionError as error:
                found.violations.append(broken_promise(error))
        found.met = proxy.met
    return found


def _persevere(found: Weathered, config: Path, patience: int) -> None:
    for attempt in range(patience + 1):
        with quiet():
            ended = command(config)
        if attempt == 0:
            found.endings[str(ended.code)] += 1
        if ended.code == 0:
            break
        found.said[f"{ended.code}: {ended.said}"] += 1
        found.again += attempt < patience
    assert ended.code == 0, ended


def by_command_line(scene: Scene, server: SeaweedFS, weather: Weather, runs: int) -> Weathered:
    """Run as a user does, with a local cluster, whose workers meet the weather too."""
    found, bucket = Weathered(), server.bucket()
    with through(server, weather, seed=runs) as proxy:
        for number in range(runs):
            place = Place(f"s3://{bucket}/{number:03}", server.client())
            cluster = {"kind": "local", "workers": 2}
            config = scene.config(f"weather-{bucket}-{number}", MINE, place.uri, cluster=cluster)
            started = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", "scoreline", "predict", str(config)],
                env=dict(os.environ),
                capture_output=True,
                text=True,
                check=False,
            )
            found.endings[str(done.returncode)] += 1
            found.seconds.append(time.monotonic() - started)
            try:
                assert done.returncode == 0, done.stderr[-500:]
                assert_kept(scene, place, [MINE])
            except AssertionError as error:
                found.violations.append(broken_promise(error))
        found.met = proxy.met
    return found


__all__ = ["LOST_ANSWERS", "STORM", "Ended", "Weathered", "by_command_line", "weathered"]
