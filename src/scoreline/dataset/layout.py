"""Where everything of a data set lies. The only place that spells these paths."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scoreline.storage import absolute, join

VERSION_DIGITS = 20


@dataclass(frozen=True)
class Layout:
    """The files of the data set published at `uri`, for one run identified by its score_key."""

    uri: str
    score_key: str

    def of(self, run: str) -> Layout:
        """The same data set, for another run."""
        return replace(self, score_key=run)

    @property
    def link(self) -> str:
        """Local only: the symbolic link that leads readers to the current version."""
        return absolute(self.uri).rstrip("/")

    @property
    def store(self) -> str:
        """The folder beside the data set that holds its history."""
        return self.link + ".store"

    def below_store(self, uri: str) -> str:
        """The path of something in the store, relative to it, as receipts spell it."""
        return uri.removeprefix(self.store).lstrip("/")

    @property
    def short_key(self) -> str:
        """What of the score_key stands in file names."""
        return self.score_key[:10]

    @property
    def plans(self) -> str:
        """Folder of the plans of all runs."""
        return join(self.store, "plans")

    @property
    def plan(self) -> str:
        """What the run scores."""
        return join(self.plans, f"{self.score_key}.json")

    @property
    def runs(self) -> str:
        """Folder of the folders of all runs."""
        return join(self.store, "runs")

    @property
    def run(self) -> str:
        """The run's folder."""
        return join(self.runs, self.score_key)

    @property
    def driver(self) -> str:
        """When a driver began to work on the run last."""
        return join(self.run, "driver.json")

    @property
    def mark(self) -> str:
        """There while a collection deletes the run."""
        return join(self.marks, self.score_key)

    @property
    def marks(self) -> str:
        """Folder of the marks of all runs that a collection deletes."""
        return join(self.store, "collecting")

    @property
    def prefix(self) -> str:
        """The folder of the run's unit files, below the store, as commits and ``latest.json`` spell it."""
        return f"runs/{self.score_key}/data/"

    @property
    def data(self) -> str:
        """Folder of the run's unit files; nothing but Parquet is ever in it."""
        return join(self.run, "data")

    def file_name(self, unit: str) -> str:
        """Name of a unit's file; unique across runs."""
        return f"{unit}-{self.short_key}.parquet"

    def unit_file(self, unit: str) -> str:
        """Predictions of a unit."""
        return join(self.data, self.file_name(unit))

    def quarantine_file(self, unit: str) -> str:
        """Refused rows of a unit."""
        return join(self.quarantine, self.file_name(unit))

    @property
    def quarantine(self) -> str:
        """Folder of the run's refused rows."""
        return join(self.store, "quarantine", self.score_key)

    def receipt(self, unit: str) -> str:
        """The record that a unit is done."""
        return join(self.receipts, f"{unit}.json")

    @property
    def receipts(self) -> str:
        """Folder of the run's receipts."""
        return join(self.store, "receipts", self.score_key)

    @property
    def manifests(self) -> str:
        """Folder of the manifests of all runs."""
        return join(self.store, "manifests")

    @property
    def manifest(self) -> str:
        """The list of the run's units, one JSON object a line."""
        return join(self.manifests, f"{self.score_key}.ndjson")

    @property
    def commits(self) -> str:
        """Folder of the commits."""
        return join(self.store, "commits")

    def commit(self, version: int) -> str:
        """The record that publishes a version."""
        return join(self.commits, f"{version:0{VERSION_DIGITS}d}.json")

    @property
    def versions(self) -> str:
        """Local only: the folder of the versions' folders."""
        return join(self.store, "versions")

    def version(self, version: int) -> str:
        """Local only: the folder of hard links that readers are led to."""
        return join(self.versions, str(version))

    def staged_version(self, version: int, label: str) -> str:
        """Local only: the same folder while a driver fills it; `label` is that driver's."""
        return join(self.versions, f".{version}-{label}")

    @property
    def latest(self) -> str:
        """The advisory pointer."""
        return join(self.store, "latest.json")
