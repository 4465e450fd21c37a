"""Logistic regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Mapping


class LogisticRegression(Model):
    """Logistic regression."""

    kind: Literal["logistic_regression"] = "logistic_regression"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.linear_model.LogisticRegression",
    }
