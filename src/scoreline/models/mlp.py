"""Neural networks of a few dense layers; they can learn in parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class Mlp(Model):
    """Neural networks of a few dense layers; they can learn in parts."""

    kind: Literal["mlp"] = "mlp"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.neural_network.MLPClassifier",
        "regression": "sklearn.neural_network.MLPRegressor",
    }
