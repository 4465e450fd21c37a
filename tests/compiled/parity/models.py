"""Families of models, and how fast a tier each of them must reach."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn import (
    ensemble,
    linear_model,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)


class Family(NamedTuple):
    """Models that are served alike.

    Attributes
    ----------
    models : with what each predicts, see `rows.target`
    takes_nan : whether all of them accept NaN
    native : whether they are told which features are categories
    compiled : the share of its pipelines that must come to tier A
    faster : the share that must come to tier A or B
    """

    models: tuple[tuple[Any, str], ...]
    takes_nan: bool = False
    native: bool = False
    compiled: float = 0.0
    faster: float = 0.0


def _both(classifier: Any, regressor: Any, **parameters: Any) -> list[tuple[Any, str]]:
    kinds = ("two", "four", "bool", "whole")
    return [(classifier(**parameters), kind) for kind in kinds] + [(regressor(**parameters), "number")] * 2


def _others() -> tuple[tuple[Any, str], ...]:
    made: list[tuple[Any, str]] = [
        *_both(neighbors.KNeighborsClassifier, neighbors.KNeighborsRegressor),
        *_both(neural_network.MLPClassifier, neural_network.MLPRegressor, max_iter=5, random_state=0),
        (ensemble.IsolationForest(n_estimators=8, random_state=0), "number"),
        (naive_bayes.GaussianNB(), "four"),
        (svm.SVC(), "four"),
        (svm.SVR(), "number"),
        (ensemble.BaggingClassifier(n_estimators=3, random_state=0), "two"),
        (ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor())]), "number"),
    ]
    try:
        import lightgbm
        import xgboost
    except ImportError:
        return tuple(made)
    small: dict[str, Any] = {"n_estimators": 4, "n_jobs": 1, "random_state": 0}
    light = _both(lightgbm.LGBMClassifier, lightgbm.LGBMRegressor, min_child_samples=5, verbose=-1, **small)
    booster: list[tuple[Any, str]] = [
        (xgboost.XGBClassifier(**small), "bool"),
        (xgboost.XGBRegressor(**small), "number"),
    ]
    return (*made, *light, *booster)


def _of_several() -> tuple[tuple[Any, str], ...]:
    boosting = ensemble.HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=4, random_state=0)
    flags = linear_model.LogisticRegression(max_iter=30)
    return (
        (tree.DecisionTreeRegressor(max_depth=5, random_state=0), "numbers"),
        (tree.DecisionTreeClassifier(max_depth=5, random_state=0), "labels"),
        (ensemble.RandomForestRegressor(n_estimators=5, random_state=0), "numbers"),
        (ensemble.ExtraTreesClassifier(n_estimators=5, random_state=0), "labels"),
        (neighbors.KNeighborsRegressor(), "numbers"),
        (neighbors.KNeighborsClassifier(), "labels"),
        (neural_network.MLPClassifier(max_iter=5, random_state=0), "flags"),
        (linear_model.Ridge(), "numbers"),
        (linear_model.LinearRegression(), "numbers"),
        (linear_model.MultiTaskLasso(0.01), "numbers"),
        (linear_model.RidgeClassifier(), "flags"),
        (multioutput.MultiOutputRegressor(boosting), "numbers"),
        (multioutput.MultiOutputClassifier(flags), "labels"),
        (multiclass.OneVsRestClassifier(flags), "flags"),
    )


_SMALL_STEPS: dict[str, Any] = {"max_iter": 15, "tol": None, "random_state": 0}

FAMILIES: dict[str, Family] = {
    "tree": Family(
        (
            *_both(tree.DecisionTreeClassifier, tree.DecisionTreeRegressor, random_state=0),
            *_both(tree.ExtraTreeClassifier, tree.ExtraTreeRegressor, random_state=0, max_depth=6),
        ),
        takes_nan=True,
        compiled=0.6,
        faster=0.7,
    ),
    "forest": Family(
        tuple(_both(ensemble.RandomForestClassifier, ensemble.RandomForestRegressor, n_estimators=20, random_state=0)),
        takes_nan=True,
        compiled=0.6,
        faster=0.7,
    ),
    "extra_trees": Family(
        tuple(
            _both(
                ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor, n_estimators=5, random_state=0, max_depth=5
            )
        ),
        takes_nan=True,
        compiled=0.6,
        faster=0.7,
    ),
    "boosting": Family(
        tuple(
            _both(
                ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor, n_estimators=4, random_state=0
            )
        ),
        compiled=0.6,
        faster=0.7,
    ),
    "histogram_boosting": Family(
        (
            *_both(
                ensemble.HistGradientBoostingClassifier,
                ensemble.HistGradientBoostingRegressor,
                max_iter=4,
                min_samples_leaf=4,
                random_state=0,
            ),
            (ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=4, min_samples_leaf=4), "number"),
            (ensemble.HistGradientBoostingRegressor(max_leaf_nodes=None, max_iter=2, min_samples_leaf=1), "number"),
        ),
        takes_nan=True,
        compiled=0.5,
        faster=0.6,
    ),
    "native_categories": Family(
        tuple(
            _both(
                ensemble.HistGradientBoostingClassifier,
                ensemble.HistGradientBoostingRegressor,
                max_iter=4,
                min_samples_leaf=4,
                random_state=0,
            )
        ),
        takes_nan=True,
        native=True,
        compiled=0.8,
        faster=0.9,
    ),
    "linear_classifier": Family(
        (
            (linear_model.LogisticRegression(max_iter=30), "two"),
            (linear_model.LogisticRegression(max_iter=30), "four"),
            (linear_model.LogisticRegression(solver="liblinear", random_state=0), "bool"),
            (linear_model.RidgeClassifier(), "whole"),
            (linear_model.RidgeClassifier(), "two"),
            (linear_model.SGDClassifier(**_SMALL_STEPS), "four"),
            (linear_model.SGDClassifier(loss="log_loss", **_SMALL_STEPS), "four"),
            (linear_model.Perceptron(**_SMALL_STEPS), "two"),
            (svm.LinearSVC(random_state=0, max_iter=50), "whole"),
        ),
        compiled=0.6,
        faster=0.7,
    ),
    "linear_regressor": Family(
        tuple(
            (model, "number")
            for model in (
                linear_model.LinearRegression(),
                linear_model.Ridge(),
                linear_model.Lasso(0.01),
                linear_model.ElasticNet(0.01),
                linear_model.SGDRegressor(**_SMALL_STEPS),
                linear_model.PoissonRegressor(max_iter=20),
                linear_model.HuberRegressor(max_iter=20),
                svm.LinearSVR(random_state=0, max_iter=50),
            )
        ),
        compiled=0.1,
        faster=0.5,
    ),
    "several_outputs": Family(_of_several(), faster=0.5),
    "other": Family(_others(), faster=0.5),
}
