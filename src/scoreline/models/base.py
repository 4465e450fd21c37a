"""What every model is: a named scikit-learn estimator with parameters that are checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from scoreline.errors import Problem, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoreline.task import Task


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
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Parameters in which the kind differs from its estimator's own defaults; the config wins."""
    uses_threads: ClassVar[bool] = True
    """False where ``n_jobs`` is there but does nothing."""

    def tasks(self) -> tuple[Task, ...]:
        """The tasks that this kind can do."""
        return tuple(task for task in ("classification", "regression") if task in self.estimators)

    def build(self, task: Task, seed: int, threads: int) -> Any:
        """An unfitted estimator with the config's parameters, and seed and threads where it has such parameters.

        Parameters that the config sets win. Raises UsageError as `check` does, but ModuleNotFoundError where the
        estimator's package is not installed: after a check that can only be so on a worker.
        """
        if task in self.estimators:
            self._class(task)
        problems = self.check(task)
        if problems:
            raise UsageError(*problems)
        estimator = self._class(task)()
        shared = {"random_state": seed, **({"n_jobs": threads} if self.uses_threads else {})}
        has = estimator.get_params()
        given = {name: value for name, value in shared.items() if name in has}
        return self.finished(estimator.set_params(**{**given, **self.defaults, **_as_tuples(self.params)}), task)

    def finished(self, estimator: Any, task: Task) -> Any:
        """The estimator as it is fitted; a kind whose estimator cannot take any label wraps it here."""
        return estimator

    def other_names(self) -> frozenset[str]:
        """Parameters that the estimator takes beside those of ``get_params``."""
        return frozenset()

    def check(self, task: Task) -> tuple[Problem, ...]:
        """What is wrong with the parameters: names the estimator does not have (with the nearest), values it refuses.

        Imports the estimator's package; a package that is not installed is a problem that names the extra.
        """
        if task not in self.estimators:
            return (_wrong_task(self, task),)
        try:
            estimator = self._class(task)()
        except ModuleNotFoundError as error:
            return (_not_installed(self, error),)
        known = sorted({*estimator.get_params(), *self.other_names()})
        unknown = [name for name in self.params if name not in known]
        problems = [_unknown(self, name, known) for name in unknown]
        return (*problems, *_refused(self, estimator, unknown))

    def can_learn_in_parts(self, task: Task) -> bool:
        """True when the estimator has ``partial_fit``."""
        return hasattr(self._class(task), "partial_fit")

    def gives_probabilities(self, task: Task) -> bool:
        """True when the estimator with these parameters has ``predict_proba``; raises UsageError as `check` does."""
        return task == "classification" and hasattr(self.build(task, seed=0, threads=1), "predict_proba")

    def _class(self, task: Task) -> Any:
        module, _, name = self.estimators[task].rpartition(".")
        return getattr(import_module(module), name)


def single_threaded(estimator: Any) -> Any:
    """The fitted estimator, it and all estimators inside it predicting with one thread; the given one stays as it is.

    Forests add up trees in the order in which threads finish; with one thread the sum is the same every time.
    """
    if type(estimator) in (list, tuple):
        return type(estimator)(single_threaded(inner) for inner in estimator)
    if not hasattr(estimator, "get_params") or isinstance(estimator, type):
        return estimator
    twin = copy(estimator)
    for name, value in vars(twin).items():
        setattr(twin, name, 1 if name == "n_jobs" else single_threaded(value))
    return twin


def _as_tuples(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with tuples for lists: JSON knows lists only, and some estimators ask for tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in params.items()}


def _refused(model: Model, estimator: Any, unknown: Sequence[str]) -> list[Problem]:
    """Problems of values that scikit-learn's own rules for the parameter refuse."""
    from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints

    rules = getattr(estimator, "_parameter_constraints", {})
    problems = []
    for name, value in _as_tuples(model.params).items():
        if name not in unknown and name in rules:
            try:
                validate_parameter_constraints({name: rules[name]}, {name: value}, type(estimator).__name__)
            except InvalidParameterError as error:
                problems.append(Problem(str(error), _place(model, name), "give it one of the values named"))
    return problems


def _unknown(model: Model, name: str, known: Sequence[str]) -> Problem:
    close = nearest(name, known)
    advice = f"did you mean '{close[0]}'?" if close else f"it has: {', '.join(known)}"
    return Problem(f"{model.kind} has no parameter '{name}'", _place(model, name), advice)


def _place(model: Model, name: str) -> str:
    return f"model '{model.kind}', params.{name}"


def _wrong_task(model: Model, task: Task) -> Problem:
    return Problem(
        f"{model.kind} does not do {task}",
        f"model '{model.kind}'",
        f"it does {' and '.join(model.tasks())}: choose another model, or another train.task",
    )


def _not_installed(model: Model, error: ModuleNotFoundError) -> Problem:
    return Problem(
        f"{model.kind} needs the package '{error.name}', which is not installed",
        f"model '{model.kind}'",
        "pip install 'scoreline[boost]'",
    )
