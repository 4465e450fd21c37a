"""Artifacts fitted elsewhere: where they are, what hash they must have, and whether they may run code when loaded."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ArtifactConfig(BaseModel):
    """A fitted object in a file: skops, joblib, pickle or dill, told by the suffix."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str = Field(min_length=1, description="Location of the file.")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="Hash of the file's bytes.")
    trust: bool = Field(False, description="Load a format that can run code (joblib, pickle, dill). Needs sha256.")
    columns: tuple[str, ...] | None = Field(
        None, description="Feature columns in order, for an object that was fitted without column names."
    )
