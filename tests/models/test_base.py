from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from scoreline.errors import UsageError
from scoreline.models.base import single_threaded
from scoreline.models.mlp import Mlp
from scoreline.models.random_forest import RandomForest
from scoreline.models.ridge import Ridge


def test_all_wrong_parameters_are_named_at_once_with_what_to_do() -> None:
    params = {"n_estimator": 10, "max_depth": -1, "criterion": "ginny", "bootstrap": True}
    with pytest.raises(UsageError) as caught:
        RandomForest(params=params).build("classification", seed=0, threads=1)
    by_place = {problem.where: problem for problem in caught.value.problems}
    assert by_place["model 'random_forest', params.n_estimator"].advice == "did you mean 'n_estimators'?"
    assert "'max_depth' parameter" in by_place["model 'random_forest', params.max_depth"].what
    assert "'gini'" in by_place["model 'random_forest', params.criterion"].what
    assert len(by_place) == 3


def test_a_name_that_resembles_none_is_answered_with_all_names() -> None:
    (problem,) = Ridge(params={"xyzzy": 1}).check("regression")
    assert "alpha, copy_X, fit_intercept" in problem.advice


def test_parameters_are_those_of_the_task() -> None:
    forest = RandomForest(params={"criterion": "squared_error"})
    assert forest.check("regression") == ()
    assert len(forest.check("classification")) == 1


def test_a_task_that_the_model_cannot_do_is_refused() -> None:
    from scoreline.models.lasso import Lasso

    with pytest.raises(UsageError, match="lasso does not do classification"):
        Lasso().build("classification", seed=0, threads=1)


def test_lists_of_json_reach_the_estimator_as_tuples_and_the_config_stays_as_it_is() -> None:
    model = Mlp(params={"hidden_layer_sizes": [8, 4]})
    assert model.build("regression", seed=0, threads=1).hidden_layer_sizes == (8, 4)
    assert model.params == {"hidden_layer_sizes": [8, 4]}


def _jobs(estimator: Any) -> list[Any]:
    return [value for name, value in estimator.get_params().items() if name.rpartition("__")[2] == "n_jobs"]


def test_one_thread_goes_through_pipelines_and_leaves_the_given_one_alone() -> None:
    columns = ColumnTransformer([("scale", StandardScaler(), [0, 1])], n_jobs=2)
    pipeline = Pipeline([("columns", columns), ("model", RandomForestClassifier(5, n_jobs=2, random_state=0))])
    features = np.random.default_rng(0).normal(size=(40, 2))
    pipeline.fit(features, features[:, 0] > 0)
    alone = single_threaded(pipeline)
    assert (_jobs(alone), _jobs(pipeline)) == ([1, 1], [2, 2])
    np.testing.assert_array_equal(alone.predict_proba(features), pipeline.predict_proba(features))
