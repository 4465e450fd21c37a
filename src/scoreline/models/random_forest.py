"""Random forests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class RandomForest(Model):
    """Random forests."""

    kind: Literal["random_forest"] = "random_forest"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.ensemble.RandomForestClassifier",
        "regression": "sklearn.ensemble.RandomForestRegressor",
    }
