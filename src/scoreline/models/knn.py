"""Nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class Knn(Model):
    """Nearest neighbours."""

    kind: Literal["knn"] = "knn"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.neighbors.KNeighborsClassifier",
        "regression": "sklearn.neighbors.KNeighborsRegressor",
    }
