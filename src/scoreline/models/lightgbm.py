"""LightGBM; needs the extra `boost`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class Lightgbm(Model):
    """LightGBM; needs the extra `boost`."""

    kind: Literal["lightgbm"] = "lightgbm"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "lightgbm.LGBMClassifier",
        "regression": "lightgbm.LGBMRegressor",
    }
