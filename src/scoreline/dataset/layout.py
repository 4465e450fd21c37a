"""Where everything of a data set lies. The only place that spells these paths."""

from __future__ import annotations

from dataclasses import dataclass

from scoreline.storage import absolute, join

VERSION_DIGITS = 20


@dataclass(frozen=True)
class Layout:
    """The files of the data set published at `uri`, for one run identified by its score_key."""

    uri: str
    score_key: str

    @property
    def store(self) -> str:
        """The folder beside the data set that holds its history."""
        return absolute(self.uri).rstrip("/") + ".store"

    @property
    def short_key(self) -> str:
        """What of the score_key stands in file names."""
        return self.score_key[:10]

    @property
    def data(self) -> str:
        """Folder of the run's unit files; nothing but Parquet is ever in it."""
        return join(self.store, "runs", self.score_key, "data")

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
    def manifest(self) -> str:
        """The list of the run's units, one JSON object a line."""
        return join(self.store, "manifests", f"{self.score_key}.ndjson")

    @property
    def commits(self) -> str:
        """Folder of the commits."""
        return join(self.store, "commits")

    def commit(self, version: int) -> str:
        """The record that publishes a version."""
        return join(self.commits, f"{version:0{VERSION_DIGITS}d}.json")

    def version(self, version: int) -> str:
        """Local only: the folder of hard links that readers are led to."""
        return join(self.store, "versions", str(version))

    def staged_version(self, version: int) -> str:
        """Local only: the same folder while it is being filled."""
        return join(self.store, "versions", f".{version}-{self.short_key}")

    @property
    def latest(self) -> str:
        """The advisory pointer."""
        return join(self.store, "latest.json")
