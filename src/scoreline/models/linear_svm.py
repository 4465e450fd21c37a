"""Linear support vector machines; no probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from collections.abc import Mapping


class LinearSvm(Model):
    """Linear support vector machines; no probabilities."""

    kind: Literal["linear_svm"] = "linear_svm"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "sklearn.svm.LinearSVC",
        "regression": "sklearn.svm.LinearSVR",
    }
