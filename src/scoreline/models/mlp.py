"""Neural networks of a few dense layers; they can learn in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Mapping


class Mlp(Model):
    """Neural networks of a few dense layers; they can learn in parts."""

    kind: Literal["mlp"] = "mlp"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.neural_network.MLPClassifier",
        "regression": "sklearn.neural_network.MLPRegressor",
    }
