"""The one place that spells locations under the artifacts folder."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from scoreline.storage import join


def new_run_id(now: datetime | None = None) -> str:
    """A name for a run: the time in UTC, and four random digits for runs of the same second.

    >>> new_run_id(datetime(2026, 11, 23, 5, 12, 33, tzinfo=UTC))[:16]
    '20261123-051233-'
    """
    return f"{now or datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


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
