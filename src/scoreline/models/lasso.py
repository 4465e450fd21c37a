"""Linear regression with an L1 penalty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class Lasso(Model):
    """Linear regression with an L1 penalty."""

    kind: Literal["lasso"] = "lasso"

    estimators: ClassVar[Mapping[str, str]] = {
        "regression": "sklearn.linear_model.Lasso",
    }
