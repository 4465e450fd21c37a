"""Linear models fitted by stochastic gradient descent; they can learn in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sgd(Model):
    """Linear models fitted by stochastic gradient descent; they can learn in parts."""

    kind: Literal["sgd"] = "sgd"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.linear_model.SGDClassifier",
        "regression": "sklearn.linear_model.SGDRegressor",
    }
