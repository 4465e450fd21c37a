"""Linear models fitted by stochastic gradient descent; they can learn in parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class Sgd(Model):
    """Linear models fitted by stochastic gradient descent; they can learn in parts."""

    kind: Literal["sgd"] = "sgd"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.linear_model.SGDClassifier",
        "regression": "sklearn.linear_model.SGDRegressor",
    }
