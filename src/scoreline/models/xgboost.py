"""XGBoost; needs the extra `boost`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from scoreline.models.base import Model

if TYPE_CHECKING:
    from scoreline.task import Task


class Xgboost(Model):
    """XGBoost; needs the extra `boost`.

    It classifies the numbers 0, 1, 2, ... only. So that any label goes in and comes out with plain libraries alone, its
    classifier is the one voter of a scikit-learn ``VotingClassifier``, which codes the labels and keeps its
    probabilities.
    """

    kind: Literal["xgboost"] = "xgboost"

    estimators: ClassVar[Mapping[str, str]] = {
        "classification": "xgboost.XGBClassifier",
        "regression": "xgboost.XGBRegressor",
    }

    def finished(self, estimator: Any, task: Task) -> Any:
        """The regressor, or the classifier inside a vote of one."""
        from sklearn.ensemble import VotingClassifier

        return VotingClassifier([("xgboost", estimator)], voting="soft") if task == "classification" else estimator
