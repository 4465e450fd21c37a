"""The one place that spells locations under the artifacts folder."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scoreline.errors import Problem, UsageError
from scoreline.storage import absolute, exists, join, list_names, parent, read_json


def new_run_id(now: datetime | None = None) -> str:
    """A name for a run: the time in UTC, then its fraction of a second in hexadecimal, so that names sort by time.

    Two random digits are for runs of the same moment.

    >>> new_run_id(datetime(2026, 11, 23, 5, 12, 33, 500_000, tzinfo=UTC))[:20]
    '20261123-051233-8000'
    """
    began = now or datetime.now(UTC)
    return f"{began:%Y%m%d-%H%M%S}-{began.microsecond * 0x10000 // 1_000_000:04x}{secrets.token_hex(1)}"


def find_run(place: str, *, scored: bool = False) -> tuple[RunFolder, dict[str, Any]]:
    """A run by its folder, or the newest one of an artifacts folder, with its record; if `scored`, one that predicts.

    Raises UsageError when there is none.
    """
    where = absolute(place).rstrip("/")
    if exists(join(where, "run.json")):
        known = [RunFolder(parent(parent(where)), where.rpartition("/")[2])]
    else:
        known = [RunFolder(where, name) for name in reversed(list_names(join(where, "runs")))]
    for folder in known:
        if exists(folder.record) and ("score" in (record := read_json(folder.record)).get("keys", {}) or not scored):
            return folder, record
    what = "no run that predicts is there" if scored else "no run is there"
    advice = "name the folder of a run, the artifacts folder of a config, or the config"
    raise UsageError(Problem(what, place, advice))


@dataclass(frozen=True)
class RunFolder:
    """Locations of one run's files, ``<artifacts>/runs/<run>/``, and of the models beside them."""

    artifacts: str
    run_id: str

    @property
    def root(self) -> str:
        """The run's own folder."""
        return join(self.artifacts, "runs", self.run_id)

    @property
    def record(self) -> str:
        """What ran, when, how long and how it ended."""
        return join(self.root, "run.json")

    @property
    def config(self) -> str:
        """The config with overrides and defaults written out."""
        return join(self.root, "config.resolved.json")

    @property
    def events(self) -> str:
        """One JSON object per event."""
        return join(self.root, "events.jsonl")

    @property
    def log(self) -> str:
        """The same events as lines to read."""
        return join(self.root, "log.txt")

    @property
    def plan(self) -> str:
        """The units of work."""
        return join(self.root, "plan.json")

    def forecast(self, key: str) -> str:
        """What a plan said of the run with this score_key, to be compared with what happened."""
        return join(self.artifacts, "forecasts", f"{key}.json")

    @property
    def metrics(self) -> str:
        """What evaluation found."""
        return join(self.root, "metrics.json")

    @property
    def data(self) -> str:
        """Folder of scratch and kept intermediate data."""
        return join(self.root, "data")

    @property
    def models(self) -> str:
        """Folder of the bundles of all runs."""
        return join(self.artifacts, "models")

    def worker_log(self, name: str) -> str:
        """The log of one worker; `name` is safe as a file name."""
        return join(self.root, "workers", f"{name}.log")
