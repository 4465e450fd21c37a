"""Linear support vector machines; no probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from scoreline.models.base import Model


class LinearSvm(Model):
    """Linear support vector machines; no probabilities."""

    kind: Literal["linear_svm"] = "linear_svm"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.svm.LinearSVC",
        "regression": "sklearn.svm.LinearSVR",
    }
