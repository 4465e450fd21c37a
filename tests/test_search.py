from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.linear_model import Ridge as PlainRidge
from sklearn.model_selection import GridSearchCV, KFold, ParameterGrid, RandomizedSearchCV, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from scoreline.clusters.inline import Inline
from scoreline.errors import DataError, ModelError
from scoreline.models.random_forest import RandomForest
from scoreline.search import SearchConfig, best, candidates, folds, score_candidate, search_problems

if TYPE_CHECKING:
    from scoreline.task import Task

GRID = {"max_depth": [1, 2, 4], "min_samples_leaf": [1, 5]}


def _data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(3).normal(size=(120, 4))
    return features, features @ [1.0, -2.0, 0.5, 0.0]


def _labelled() -> tuple[np.ndarray, np.ndarray]:
    features, value = _data()
    return features, np.where(value > 1, "high", np.where(value < -1, "low", "middle")).astype(object)


def _scores(estimator: Any, search: SearchConfig, data: tuple[np.ndarray, np.ndarray], seed: int) -> list[list[float]]:
    task: Task = "classification" if data[1].dtype == object else "regression"
    cut = folds(data[1], task, search.folds, seed)
    return [
        [
            score_candidate(type(estimator)(**{**estimator.get_params(), **tried}), *data, fold, search.metric)
            for fold in cut
        ]
        for tried in candidates(search, seed)
    ]


@pytest.mark.parametrize(
    ("metric", "scoring"),
    [(None, None), ("accuracy", "accuracy"), ("f1_macro", "f1_macro"), ("log_loss", "neg_log_loss")],
)
def test_a_grid_over_labels_scores_and_chooses_as_scikit_learn_does(metric: str | None, scoring: str | None) -> None:
    search = SearchConfig(params=GRID, folds=4, metric=metric)
    ours = _scores(DecisionTreeClassifier(random_state=0), search, _labelled(), seed=5)
    cut = StratifiedKFold(4, shuffle=True, random_state=5)
    plain = GridSearchCV(DecisionTreeClassifier(random_state=0), GRID, scoring=scoring, cv=cut).fit(*_labelled())
    np.testing.assert_allclose(np.mean(ours, axis=1), plain.cv_results_["mean_test_score"], rtol=1e-12)
    assert best(candidates(search, 5), ours) == plain.best_params_


@pytest.mark.parametrize(("metric", "scoring"), [(None, None), ("mae", "neg_mean_absolute_error"), ("r2", "r2")])
def test_a_grid_over_numbers_scores_and_chooses_as_scikit_learn_does(metric: str | None, scoring: str | None) -> None:
    search = SearchConfig(params={"alpha": [0.1, 1.0, 100.0]}, metric=metric)
    ours = _scores(PlainRidge(), search, _data(), seed=5)
    cut = KFold(3, shuffle=True, random_state=5)
    plain = GridSearchCV(PlainRidge(), search.params, scoring=scoring, cv=cut).fit(*_data())
    np.testing.assert_allclose(np.mean(ours, axis=1), plain.cv_results_["mean_test_score"], rtol=1e-12)
    assert best(candidates(search, 5), ours) == plain.best_params_


def test_a_random_search_draws_what_scikit_learn_draws() -> None:
    search = SearchConfig(kind="random", params=GRID, n_iter=4)
    plain = RandomizedSearchCV(DecisionTreeClassifier(), GRID, n_iter=4, random_state=7, cv=3).fit(*_labelled())
    assert list(candidates(search, 7)) == plain.cv_results_["params"]


def test_a_random_search_over_a_small_space_tries_all_of_it() -> None:
    tried = candidates(SearchConfig(kind="random", params=GRID, n_iter=50), 7)
    assert sorted(sorted(each.items()) for each in tried) == sorted(
        sorted(each.items()) for each in ParameterGrid(GRID)
    )


def test_every_pair_can_be_a_task_of_its_own() -> None:
    search = SearchConfig(params=GRID)
    cut = folds(_labelled()[1], "classification", 3, seed=5)

    def score(pair: tuple[dict[str, Any], int]) -> float:
        estimator = DecisionTreeClassifier(random_state=0, **pair[0])
        return score_candidate(estimator, *_labelled(), cut[pair[1]], None)

    pairs = [(tried, fold) for tried in candidates(search, 5) for fold in range(3)]
    with Inline().open() as session:
        found = dict(session.map(partial(score), pairs, "search"))
    ours = np.array([found[number] for number in range(len(pairs))]).reshape(-1, 3).tolist()
    assert ours == _scores(DecisionTreeClassifier(random_state=0), search, _labelled(), seed=5)


def test_rows_of_a_group_stay_together() -> None:
    groups = np.repeat(np.arange(12), 10)
    for learn, judge in folds(_data()[1], "regression", 3, seed=1, groups=groups):
        assert set(groups[learn]) & set(groups[judge]) == set()


def test_folds_depend_on_the_seed_alone() -> None:
    first, same, other = (folds(_labelled()[1], "classification", 3, seed) for seed in (1, 1, 2))
    assert [judge.tolist() for _, judge in first] == [judge.tolist() for _, judge in same]
    assert [judge.tolist() for _, judge in first] != [judge.tolist() for _, judge in other]


def test_a_label_with_fewer_rows_than_folds_is_no_reason_to_stop() -> None:
    target = np.array(["a"] * 20 + ["b"], dtype=object)
    assert sum(len(judge) for _, judge in folds(target, "classification", 3, seed=1)) == 21


def test_too_few_rows_for_the_folds_are_refused() -> None:
    with pytest.raises(DataError, match="too small for 5 folds"):
        folds(np.array([1.0, 2.0]), "regression", 5, seed=1)


def test_a_label_that_a_fold_never_learned_counts_as_wrong() -> None:
    features, labels = np.zeros((4, 1)), np.array(["a", "a", "a", "b"], dtype=object)
    fold = (np.array([0, 1]), np.array([2, 3]))
    assert score_candidate(DecisionTreeClassifier(), features, labels, fold, "accuracy") == 0.5


def test_a_combination_that_the_estimator_refuses_is_never_the_best() -> None:
    fold = (np.arange(80), np.arange(80, 120))
    refused = score_candidate(DecisionTreeClassifier(max_depth=-1), *_labelled(), fold, None)
    assert np.isnan(refused)
    assert best([{"bad": 1}, {"good": 1}], [[refused, 0.9], [0.1, 0.1]]) == {"good": 1}


def test_no_combination_that_works_is_an_error() -> None:
    with pytest.raises(ModelError, match="no candidate of the search could be fitted"):
        best([{"bad": 1}], [[float("nan")]])


def test_parameters_values_and_metric_are_checked_like_those_of_a_model() -> None:
    search = SearchConfig(params={"max_dept": [1, 2], "max_depth": [3, -3]}, metric="rmse")
    found = search_problems(search, RandomForest(), "classification")
    assert [problem.where.rpartition(", ")[2] for problem in found] == [
        "params.max_dept",
        "params.max_depth",
        "search.metric",
    ]
    assert "did you mean 'max_depth'?" in found[0].advice


@pytest.mark.parametrize(
    "wrong",
    [{"params": {}}, {"params": {"a": []}}, {"params": {"a": [1]}, "n_iter": 3}, {"params": {"a": [1]}, "folds": 1}],
)
def test_searches_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SearchConfig.model_validate(wrong)
