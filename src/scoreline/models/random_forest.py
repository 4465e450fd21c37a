"""Random forests."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Mapping


class RandomForest(Model):
    """Random forests."""

    kind: Literal["random_forest"] = "random_forest"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.ensemble.RandomForestClassifier",
        "regression": "sklearn.ensemble.RandomForestRegressor",
    }
