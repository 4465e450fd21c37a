"""Logistic regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class LogisticRegression(Model):
    """Logistic regression."""

    kind: Literal["logistic_regression"] = "logistic_regression"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.linear_model.LogisticRegression",
    }
    uses_threads: ClassVar[bool] = False
