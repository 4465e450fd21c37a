"""Linear models with an L2 penalty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class Ridge(Model):
    """Linear models with an L2 penalty."""

    kind: Literal["ridge"] = "ridge"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.linear_model.RidgeClassifier",
        "regression": "sklearn.linear_model.Ridge",
    }
