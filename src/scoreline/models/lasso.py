"""Linear regression with an L1 penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Mapping


class Lasso(Model):
    """Linear regression with an L1 penalty."""

    kind: Literal["lasso"] = "lasso"

    estimators: ClassVar[Mapping[str, str]] = {
        "regression": "sklearn.linear_model.Lasso",
    }
