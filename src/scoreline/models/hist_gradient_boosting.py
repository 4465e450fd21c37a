"""Gradient boosting of trees on binned features; fast, and nulls may stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class HistGradientBoosting(Model):
    """Gradient boosting of trees on binned features; fast, and nulls may stay."""

    kind: Literal["hist_gradient_boosting"] = "hist_gradient_boosting"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.ensemble.HistGradientBoostingClassifier",
        "regression": "sklearn.ensemble.HistGradientBoostingRegressor",
    }
