"""What every model is: a named scikit-learn estimator with parameters that are checked before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

Task = Literal["classification", "regression"]


class Model(BaseModel):
    """One model kind. A kind names its estimator classes; everything else is shared.

    A kind file is a class like

        class RandomForest(Model):
            kind: Literal["random_forest"] = "random_forest"
            estimators = {"classification": "sklearn.ensemble.RandomForestClassifier",
                          "regression": "sklearn.ensemble.RandomForestRegressor"}
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters of the scikit-learn estimator.")

    estimators: ClassVar[Mapping[str, str]] = {}
    """Import path of the estimator class by task. Only kinds carry such paths, never a config."""

    def tasks(self) -> tuple[Task, ...]:
        """The tasks that this kind can do."""
        return tuple(task for task in ("classification", "regression") if task in self.estimators)  # type: ignore[misc]

    def build(self, task: Task, seed: int, threads: int) -> Any:
        """An unfitted estimator with the config's parameters, ``random_state=seed`` and ``n_jobs=threads`` where it has them.

        Parameters that the config sets win. Raises UsageError for a parameter that the estimator does not have (with the
        nearest names) or a value it refuses, and when the package that holds it is not installed (naming the extra).
        """
        raise NotImplementedError

    def can_learn_in_parts(self, task: Task) -> bool:
        """True when the estimator has ``partial_fit``."""
        raise NotImplementedError
