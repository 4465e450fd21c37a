"""A model that ignores its input, to compare with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class Dummy(Model):
    """A model that ignores its input, to compare with."""

    kind: Literal["dummy"] = "dummy"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.dummy.DummyClassifier",
        "regression": "sklearn.dummy.DummyRegressor",
    }
