"""Gradient boosting of trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Mapping


class GradientBoosting(Model):
    """Gradient boosting of trees."""

    kind: Literal["gradient_boosting"] = "gradient_boosting"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.ensemble.GradientBoostingClassifier",
        "regression": "sklearn.ensemble.GradientBoostingRegressor",
    }
