"""LightGBM; needs the extra `boost`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Mapping


class Lightgbm(Model):
    """LightGBM; needs the extra `boost`."""

    kind: Literal["lightgbm"] = "lightgbm"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "lightgbm.LGBMClassifier",
        "regression": "lightgbm.LGBMRegressor",
    }
