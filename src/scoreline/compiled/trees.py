"""Fitted trees and their ensembles, taken out of scikit-learn."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.answers import ROUNDING, Answers, Chosen, first_of_best
from scoreline.compiled.plan import NotCompilable, has_own_methods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Finish = Callable[[np.ndarray, bool], Answers]
    """Predictions, and probabilities if asked for, of summed scores (rows, scores)."""


CODES = 256
"""Codes that a category has at most."""

_IN_PAIRS = 8
"""So many numbers of a row that lie side by side NumPy adds up in pairs, and fewer one after another."""


@dataclass(frozen=True, eq=False)
class Tree:
    """A binary tree; node 0 is the root.

    Attributes
    ----------
    left, right : the children of each node; -1 for a leaf
    feature, threshold : a row goes left when its feature is at most the threshold
    nan_left : whether it goes left when its feature is NaN
    values : (nodes, n), what a leaf adds to n scores one after another
    place : the first of these scores
    members : for each node that asks for a category, whether each code goes left, and last whether a missing one does
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    nan_left: np.ndarray
    values: np.ndarray
    place: int = 0
    members: Mapping[int, np.ndarray] = field(default_factory=dict)

    @property
    def inner(self) -> np.ndarray:
        """Whether each node has children."""
        return np.asarray(self.left != -1)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trees whose leaves are summed in order.

    Attributes
    ----------
    start : (scores,), what the sums begin with
    dtype : the type that features are turned into before they are compared
    features : how many there are
    finish : what becomes of the sums
    takes_nan, takes_infinity : whether scikit-learn accepts such features
    categories : of features that are categories the sorted values; others are missing
    tolerance : by how much a probability may differ with the rows beside it
    is_vote : whether a label follows from which sum is the largest, the first one of equal ones
    """

    trees: tuple[Tree, ...]
    start: np.ndarray
    dtype: type
    features: int
    finish: Finish
    takes_nan: bool = False
    takes_infinity: bool = False
    categories: Mapping[int, np.ndarray] = field(default_factory=dict)
    tolerance: float = 0.0
    is_vote: bool = False


def is_made_of_trees(model: Any) -> bool:
    """Whether `read_trees` knows the kind of model."""
    return type(model) in _readers()


def count_trees(model: Any) -> int:
    """How many trees a fitted model asks one after another; 0 for one that is not made of trees."""
    if not is_made_of_trees(model):
        return 0
    if hasattr(model, "_predictors"):
        return sum(map(len, model._predictors))  # noqa: SLF001  scikit-learn has no public way to its trees
    return int(np.size(getattr(model, "estimators_", 1)))


def read_trees(model: Any) -> Ensemble | NotCompilable:
    """The trees of a fitted model of scikit-learn with one output, or why they cannot be used."""
    if not is_made_of_trees(model):
        return NotCompilable(f"{type(model).__name__} is not made of trees")
    if not _has_one_output(model):
        return NotCompilable("several outputs")
    return _readers()[type(model)](model)


def _readers() -> dict[type, Callable[[Any], Ensemble | NotCompilable]]:
    from sklearn import ensemble, tree

    return {
        tree.DecisionTreeClassifier: _tree,
        tree.DecisionTreeRegressor: _tree,
        tree.ExtraTreeClassifier: _tree,
        tree.ExtraTreeRegressor: _tree,
        ensemble.RandomForestClassifier: _forest,
        ensemble.RandomForestRegressor: _forest,
        ensemble.ExtraTreesClassifier: _forest,
        ensemble.ExtraTreesRegressor: _forest,
        ensemble.GradientBoostingClassifier: _boosting,
        ensemble.GradientBoostingRegressor: _boosting,
        ensemble.HistGradientBoostingClassifier: _histogram_boosting,
        ensemble.HistGradientBoostingRegressor: _histogram_boosting,
    }


def _nodes(tree: Any, values: np.ndarray, place: int = 0) -> Tree:
    left, right = tree.children_left.astype(np.int64), tree.children_right.astype(np.int64)
    nan_left = tree.missing_go_to_left.astype(bool)
    return Tree(left, right, tree.feature.astype(np.int64), tree.threshold, nan_left, values, place)


def _tree(model: Any) -> Ensemble | NotCompilable:
    tree = _nodes(model.tree_, model.tree_.value[:, 0, :])
    if _has_minus_zero(tree.values):
        return _MINUS_ZERO

    def finish(sums: np.ndarray, proba: bool) -> Answers:  # noqa: FBT001  passed on by position
        if not hasattr(model, "classes_"):
            return Answers(sums[:, 0])
        return Answers(Chosen(model.classes_, sums.argmax(axis=1)), sums if proba else None)

    start = np.zeros(tree.values.shape[1])
    return Ensemble((tree,), start, np.float32, model.n_features_in_, finish, takes_nan=_takes_nan(model))


_MINUS_ZERO = NotCompilable("minus zero, which a sum does not keep")


def _has_minus_zero(values: np.ndarray) -> bool:
    return bool((np.signbit(values) & (values == 0)).any())


def _forest(model: Any) -> Ensemble | NotCompilable:
    others = [each for each in model.estimators_ if _readers().get(type(each)) is not _tree or has_own_methods(each)]
    if others:
        return NotCompilable(f"a {type(others[0]).__name__} of it answers otherwise than by its nodes")
    trees = tuple(_nodes(each.tree_, each.tree_.value[:, 0, :]) for each in model.estimators_)

    def finish(sums: np.ndarray, proba: bool) -> Answers:  # noqa: FBT001
        means = sums / len(trees)
        if not hasattr(model, "classes_"):
            return Answers(means[:, 0])
        return Answers(Chosen(model.classes_, means.argmax(axis=1)), means if proba else None)

    start, takes_nan = np.zeros(trees[0].values.shape[1]), _takes_nan(model.estimators_[0])
    made = Ensemble(trees, start, np.float32, model.n_features_in_, finish, takes_nan=takes_nan)
    return replace(made, is_vote=hasattr(model, "classes_"))


def _takes_nan(tree: Any) -> bool:
    return bool(tree._support_missing_values(np.zeros((1, 1))))  # noqa: SLF001  what `predict` itself asks


def _boosting(model: Any) -> Ensemble | NotCompilable:
    from sklearn.dummy import DummyClassifier, DummyRegressor

    if not (isinstance(model.init_, str) or type(model.init_) in (DummyClassifier, DummyRegressor)):
        return NotCompilable("boosting that begins with another model")
    trees = tuple(
        _nodes(each.tree_, model.learning_rate * each.tree_.value[:, 0, :], place)
        for stage in model.estimators_
        for place, each in enumerate(stage)
    )
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))[0]  # noqa: SLF001  the same for all rows
    if _has_minus_zero(start):
        return _MINUS_ZERO

    def finish(sums: np.ndarray, proba: bool) -> Answers:  # noqa: FBT001
        if not hasattr(model, "classes_"):
            return Answers(sums.ravel())
        # scikit-learn's own way from sums to labels and probabilities, in its memory order.
        summed, sums = copy(model), np.ascontiguousarray(sums)
        summed.decision_function = lambda _: sums.ravel() if sums.shape[1] == 1 else sums
        return Answers(summed.predict(sums), summed.predict_proba(sums) if proba else None)

    return Ensemble(trees, start, np.float32, model.n_features_in_, finish)


def _histogram_boosting(model: Any) -> Ensemble | NotCompilable:
    order, categories = _categories(model)
    if any(values.dtype.kind not in "fiu" for values in categories.values()):
        return NotCompilable("categories that are no numbers")
    trees = tuple(_predictors(model, order))

    def finish(sums: np.ndarray, proba: bool) -> Answers:  # noqa: FBT001
        summed = copy(model)
        # In its memory order, since it decides in which order probabilities are summed.
        summed._raw_predict = lambda _: np.asfortranarray(sums)  # noqa: SLF001
        if not hasattr(model, "classes_"):
            return Answers(summed.predict(sums))
        places = first_of_best(sums) if sums.shape[1] > 1 else (sums[:, 0] > 0).astype(np.int32)
        return Answers(Chosen(model.classes_, places), summed.predict_proba(sums) if proba else None)

    start = np.zeros(model.n_trees_per_iteration_) + model._baseline_prediction.ravel()  # noqa: SLF001
    made = Ensemble(trees, start, np.float64, model.n_features_in_, finish, takes_nan=True, takes_infinity=True)
    # Sums of several rows lie column by column, so that NumPy adds up their probabilities in turn, and those of a row
    # alone in pairs, if there are so many.
    tolerance = ROUNDING if len(start) >= _IN_PAIRS else 0.0
    return replace(made, categories=categories, tolerance=tolerance)


def goes_once(model: Any) -> bool:
    """Whether it is worth it to compute once what both answers of a model follow from, as `asked_once` does.

    It is for ensembles whose trees take all of their time, and for scores that are products of large matrices.
    """
    kind = type(model)
    return kind.__module__.startswith("sklearn.") and kind.__name__ in _LABELS_FROM and _has_one_output(model)


_LABELS_FROM = {
    "HistGradientBoostingClassifier": "_raw_predict",
    "RandomForestClassifier": "predict_proba",
    "ExtraTreesClassifier": "predict_proba",
    "LogisticRegression": "decision_function",
}
"""The method from whose result `predict` finds labels, by kind of model."""


def _has_one_output(model: Any) -> bool:
    return getattr(model, "n_outputs_", 1) == 1


def asked_once(model: Any, matrix: Any) -> Any:
    """A model that answers for one matrix as `model` does, but goes through its trees, or the matrix, once for both.

    Eager where that is worth it; other models are given back.
    """
    if not goes_once(model):
        return model
    method, answering = _LABELS_FROM[type(model).__name__], copy(model)
    found = getattr(model, method)(matrix)
    # Scores are written into; the order in memory decides in which one they are summed.
    setattr(answering, method, lambda _: found.copy(order="K"))
    return answering


def _categories(model: Any) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """The features in the order in which its trees count them, and the values of those that are categories."""
    if model.is_categorical_ is None:
        return np.arange(model.n_features_in_), {}
    places = np.flatnonzero(model.is_categorical_)
    if model._preprocessor is None:  # noqa: SLF001
        # Its matrix has been put in order, and holds codes; see `scoreline.compiled.plan`.
        counts = model._bin_mapper.n_bins_non_missing_[: len(places)]  # noqa: SLF001
        return np.arange(model.n_features_in_), {place: np.arange(count) for place, count in enumerate(counts)}
    found = model._preprocessor.named_transformers_["encoder"].categories_  # noqa: SLF001
    order = np.concatenate([places, np.flatnonzero(~model.is_categorical_)])
    # NaN comes last, and is encoded as missing.
    return order, {int(place): _without_nan(values) for place, values in zip(places, found, strict=True)}


def _without_nan(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)] if values.dtype.kind == "f" else values


def _bits(sets: np.ndarray) -> np.ndarray:
    """Sets of codes as numbers of 32 bits in a row, as booleans (sets, codes)."""
    return (sets[:, :, np.newaxis] >> np.arange(32, dtype=np.uint32) & 1).astype(bool).reshape(len(sets), CODES)


def _predictors(model: Any, order: np.ndarray) -> Iterator[Tree]:
    """The trees of histogram boosting, which have slices of common arrays: there may be thousands of them."""
    stages = model._predictors  # noqa: SLF001  scikit-learn has no public way to its trees
    every = [(each, place) for stage in stages for place, each in enumerate(stage)]
    nodes = np.concatenate([each.nodes for each, _ in every], dtype=every[0][0].nodes.dtype)
    ends = np.cumsum([len(each.nodes) for each, _ in every])
    leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    nan_left, value = nodes["missing_go_to_left"].astype(bool), nodes["value"].reshape(-1, 1)
    feature, threshold = order[nodes["feature_idx"].astype(np.int64)], nodes["num_threshold"].copy()
    categorical, known = nodes["is_categorical"].astype(bool) & ~leaf, model._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001
    for (each, place), begin, end in zip(every, [0, *ends.tolist()], ends.tolist(), strict=False):
        own = slice(begin, end)
        members = _members(each, *known) if categorical[own].any() else {}
        yield Tree(left[own], right[own], feature[own], threshold[own], nan_left[own], value[own], place, members)


def _members(predictor: Any, known: np.ndarray, place_of: np.ndarray) -> dict[int, np.ndarray]:
    """For each node of a tree that asks for a category, whether each code goes left, and last whether a missing one.

    `known` are the codes of each category, as bits, and `place_of` tells which category each feature is.
    """
    nodes = predictor.nodes
    chosen = np.flatnonzero(nodes["is_categorical"].astype(bool) & ~nodes["is_leaf"].astype(bool))
    nan_left = nodes["missing_go_to_left"][chosen, np.newaxis].astype(bool)
    goes_left = _bits(predictor.raw_left_cat_bitsets)[nodes["bitset_idx"][chosen]]
    # Codes that were not there in training are missing, too.
    goes_left |= ~_bits(known[place_of[nodes["feature_idx"][chosen]]]) & nan_left
    return dict(zip(chosen.tolist(), np.concatenate([goes_left, nan_left], axis=1), strict=True))
