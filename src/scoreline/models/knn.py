"""Nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Mapping


class Knn(Model):
    """Nearest neighbours."""

    kind: Literal["knn"] = "knn"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.neighbors.KNeighborsClassifier",
        "regression": "sklearn.neighbors.KNeighborsRegressor",
    }
