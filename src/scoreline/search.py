"""Trying parameters: which candidates, on which folds, how each scores, and which is best.

The pieces are pure, so that a cluster can score every (candidate, fold) in a task of its own; together they do what
scikit-learn's ``GridSearchCV`` and ``RandomizedSearchCV`` do.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from scoreline.catalogue import kinds, load_kind
from scoreline.errors import DataError, ModelError, Problem, counted
from scoreline.metrics.base import Answers, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scoreline.models.base import Model
    from scoreline.task import Task

    Fold = tuple[np.ndarray, np.ndarray]
    """Positions of the rows to learn from, and of the rows to score on."""


class SearchConfig(BaseModel):
    """The ``search`` of a config's ``train`` section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["grid", "random"] = Field("grid", description="grid: every combination; random: some, drawn.")
    params: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        min_length=1, description="Values to try, by parameter of the model."
    )
    n_iter: int = Field(10, ge=1, description="random: how many combinations are drawn.")
    folds: int = Field(
        3, ge=2, description="Folds of the training sample; each is scored by a model fitted on the rest."
    )
    metric: str | None = Field(
        None, description="Metric that decides; null: the estimator's own score, accuracy or the coefficient r2."
    )

    @model_validator(mode="after")
    def _n_iter_goes_with_random(self) -> Self:
        # The default may be stated: a config with every default written out is a config too.
        if self.kind == "grid" and self.n_iter != type(self).model_fields["n_iter"].default:
            raise ValueError('n_iter is for "kind": "random"')
        return self


def search_problems(search: SearchConfig, model: Model, task: Task) -> tuple[Problem, ...]:
    """What is wrong with a search for this model: parameters and values it refuses, a metric that is not of the task.

    Imports the estimator's package.
    """
    models = tried_models(model, search)
    found = dict.fromkeys(problem for each in models[1:] for problem in each.check(task))
    return (*found, *_metric_problems(search.metric, task, [] if found else models))


def tried_models(model: Model, search: SearchConfig | None) -> list[Model]:
    """The model, then with each value that a search tries alone."""
    tried = [] if search is None else [(name, value) for name, values in search.params.items() for value in values]
    return [model, *(model.model_copy(update={"params": {name: value}}) for name, value in tried)]


def _metric_problems(name: str | None, task: Task, models: Sequence[Model]) -> Iterator[Problem]:
    if name is None:
        return
    metrics = {kind: _metric(kind) for kind in kinds("metrics")}
    usable = [kind for kind, metric in metrics.items() if metric.task == task]
    if name not in usable:
        yield Problem(f"'{name}' is no metric of {task}", "search.metric", f"choose one of {', '.join(usable)}")
    elif metrics[name].needs_proba and models and not any(each.gives_probabilities(task) for each in models):
        what = f"'{name}' needs probabilities, which {models[0].kind} does not give"
        yield Problem(what, "search.metric", "choose another metric, or another model")


def _metric(name: str) -> Metric:
    found = load_kind("metrics", name)()
    if not isinstance(found, Metric):
        raise TypeError(name)
    return found


def candidates(search: SearchConfig, seed: int) -> tuple[dict[str, Any], ...]:
    """The combinations of parameters to try, always in the same order.

    >>> candidates(SearchConfig(params={"alpha": [1, 2]}), seed=0)
    ({'alpha': 1}, {'alpha': 2})
    """
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    grid = ParameterGrid(search.params)
    if search.kind == "grid":
        return tuple(grid)
    return tuple(ParameterSampler(search.params, min(search.n_iter, len(grid)), random_state=seed))


def folds(target: np.ndarray, task: Task, count: int, seed: int, groups: np.ndarray | None = None) -> tuple[Fold, ...]:
    """Cut the rows into `count` folds, shuffled: stratified by label, or with the rows of a group together.

    Raises DataError when there are fewer rows, or fewer groups, than folds.
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

    kind = KFold if task == "regression" else StratifiedKFold
    splitter = (kind if groups is None else GroupKFold)(count, shuffle=True, random_state=seed)
    try:
        with warnings.catch_warnings():
            # A label with fewer rows than folds is in some folds only; that is no reason to stop.
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            return tuple(splitter.split(np.zeros((len(target), 1)), target, groups))
    except ValueError as error:
        problem = Problem(
            f"the sample is too small for {count} folds: {error}",
            "$.train.search.folds",
            "ask for fewer folds, or sample more rows",
        )
        raise DataError(problem) from error


def score_candidate(estimator: Any, features: np.ndarray, target: np.ndarray, fold: Fold, metric: str | None) -> float:
    """Fit the unfitted `estimator` itself on a fold's training rows and score it on the others; greater is better.

    NaN when the estimator refuses a combination of parameters that are good one by one, as in scikit-learn's searches.
    """
    learn, judge = fold
    try:
        estimator.fit(features[learn], target[learn])
    except ValueError:
        return float("nan")
    if metric is None:
        return float(estimator.score(features[judge], target[judge]))
    measure = _metric(metric)
    value = float(measure.value(measure.sums(_answers(estimator, features[judge], target[judge])))[0])
    return value if measure.greater_is_better else -value


def _answers(estimator: Any, features: np.ndarray, target: np.ndarray) -> Answers:
    predicted = estimator.predict(features)
    weights = np.ones((len(target), 1))
    if not hasattr(estimator, "classes_"):
        return Answers(target.astype(np.float64), np.asarray(predicted, dtype=np.float64), None, (), weights)
    classes = estimator.classes_
    proba = estimator.predict_proba(features) if hasattr(estimator, "predict_proba") else None
    labels = tuple(str(label) for label in classes)
    return Answers(_codes(target, classes), _codes(predicted, classes), proba, labels, weights)


def _codes(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    codes = {label: code for code, label in enumerate(classes.tolist())}
    return np.array([codes.get(value, -1) for value in values.tolist()], dtype=np.int64)


@dataclass(frozen=True)
class Searched:
    """What a search found: the candidates in the order of `candidates`, and their scores, a number for each fold.

    >>> str(Searched(({"alpha": 1}, {"alpha": 2}), ((0.5, 0.7), (0.8, 0.6))))
    'best of 2 candidates: alpha=2, with a mean score of 0.7'
    """

    tried: tuple[Mapping[str, Any], ...]
    scores: tuple[tuple[float, ...], ...]

    @property
    def best(self) -> dict[str, Any]:
        """The parameters to use; raises as `best` does."""
        return best(self.tried, self.scores)

    def __str__(self) -> str:
        """What was chosen, for a person."""
        chosen = self.best
        score = np.mean(self.scores[self.tried.index(chosen)])
        named = ", ".join(f"{name}={value}" for name, value in chosen.items())
        return f"best of {counted(len(self.tried), 'candidate')}: {named}, with a mean score of {score:.4g}"

    def as_json(self) -> list[dict[str, Any]]:
        """Each candidate with its scores as JSON values; null where it could not be scored."""
        return [
            {"params": dict(params), "scores": [None if np.isnan(score) else score for score in scores]}
            for params, scores in zip(self.tried, self.scores, strict=True)
        ]


def best(tried: Sequence[Mapping[str, Any]], scores: Sequence[Sequence[float]]) -> dict[str, Any]:
    """The candidate with the highest mean over its folds, the first of equals. `scores` by candidate, then by fold.

    Raises ModelError when no candidate could be scored on every fold.

    >>> best([{"alpha": 1}, {"alpha": 2}], [[0.5, 0.7], [0.8, 0.6]])
    {'alpha': 2}
    """
    means = np.mean(np.asarray(scores, dtype=np.float64), axis=1)
    if np.isnan(means).all():
        advice = "train once without the search to see why the estimator refuses them"
        raise ModelError(Problem("no candidate of the search could be fitted", "$.train.search.params", advice))
    return dict(tried[int(np.nanargmax(means))])
