"""Extremely randomised trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExtraTrees(Model):
    """Extremely randomised trees."""

    kind: Literal["extra_trees"] = "extra_trees"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.ensemble.ExtraTreesClassifier",
        "regression": "sklearn.ensemble.ExtraTreesRegressor",
    }
