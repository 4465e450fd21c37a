"""Gradient boosting of trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class GradientBoosting(Model):
    """Gradient boosting of trees."""

    kind: Literal["gradient_boosting"] = "gradient_boosting"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.ensemble.GradientBoostingClassifier",
        "regression": "sklearn.ensemble.GradientBoostingRegressor",
    }
