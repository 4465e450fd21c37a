"""Extremely randomised trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class ExtraTrees(Model):
    """Extremely randomised trees."""

    kind: Literal["extra_trees"] = "extra_trees"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.ensemble.ExtraTreesClassifier",
        "regression": "sklearn.ensemble.ExtraTreesRegressor",
    }
