"""What every model must do: fit, answer in the labels it was given, the same way twice, and refuse bad parameters."""

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

from scoreline.catalogue import kinds, load_kind
from scoreline.errors import UsageError
from scoreline.models.base import Model, single_threaded
from scoreline.task import Task

SMALL: dict[str, dict[str, Any]] = {
    "extra_trees": {"n_estimators": 5},
    "gradient_boosting": {"n_estimators": 5},
    "hist_gradient_boosting": {"max_iter": 5},
    "lightgbm": {"n_estimators": 5},
    "mlp": {"hidden_layer_sizes": [4, 3], "max_iter": 400, "tol": 0.1},
    "random_forest": {"n_estimators": 5},
    "xgboost": {"n_estimators": 5},
}


def _model(kind: str, **params: Any) -> Model:
    found = load_kind("models", kind)(params={**SMALL.get(kind, {}), **params})
    assert isinstance(found, Model)
    return found


CASES: list[tuple[str, Task]] = [(kind, task) for kind in kinds("models") for task in _model(kind).tasks()]
LABELS = {
    "text": np.array(["no", "perhaps", "yes"], dtype=object),
    "numbers": np.array([-7, 2, 40]),
    "booleans": np.array([False, True]),
}


def _features() -> np.ndarray:
    return np.random.default_rng(7).normal(size=(150, 3))


def _target(task: Task, labels: np.ndarray = LABELS["text"]) -> np.ndarray:
    value = _features() @ [1.0, -2.0, 0.5]
    if task == "regression":
        return value
    codes = np.digitize(value, np.quantile(value, np.linspace(0, 1, len(labels) + 1)[1:-1]))
    return labels[codes]


def _fitted(kind: str, task: Task, labels: np.ndarray = LABELS["text"]) -> Any:
    return _model(kind).build(task, seed=3, threads=2).fit(_features(), _target(task, labels))


@pytest.mark.parametrize(("kind", "task"), [case for case in CASES if case[1] == "classification"])
@pytest.mark.parametrize("labels", LABELS)
def test_labels_come_out_as_they_went_in(kind: str, task: Task, labels: str) -> None:
    fitted = _fitted(kind, task, LABELS[labels])
    answers = fitted.predict(_features())
    assert fitted.classes_.tolist() == LABELS[labels].tolist()
    assert {(type(label), label) for label in answers.tolist()} <= {
        (type(label), label) for label in LABELS[labels].tolist()
    }


@pytest.mark.parametrize(("kind", "task"), CASES)
def test_the_same_seed_gives_the_same_answers(kind: str, task: Task) -> None:
    first, second = (single_threaded(_fitted(kind, task)).predict(_features()) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize(("kind", "task"), CASES)
def test_fitting_and_predicting_prints_and_warns_of_nothing(
    kind: str, task: Task, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _fitted(kind, task).predict(_features())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("kind", "task"), CASES)
def test_a_fitted_model_pickles_and_answers_the_same_with_one_thread(kind: str, task: Task) -> None:
    fitted = _fitted(kind, task)
    alone, again = single_threaded(fitted), single_threaded(pickle.loads(pickle.dumps(fitted)))
    np.testing.assert_array_equal(alone.predict(_features()), again.predict(_features()))
    if task == "classification":
        np.testing.assert_array_equal(alone.predict(_features()), fitted.predict(_features()))
    else:
        np.testing.assert_allclose(alone.predict(_features()), fitted.predict(_features()), rtol=1e-12)


@pytest.mark.parametrize(("kind", "task"), CASES)
def test_seed_and_threads_reach_the_estimator_and_the_config_wins(kind: str, task: Task) -> None:
    params = _model(kind).build(task, seed=3, threads=2).get_params()
    wanted = {"random_state": 3, "n_jobs": 2 if _model(kind).uses_threads else None}
    for name, value in wanted.items():
        found = [own for key, own in params.items() if key.rpartition("__")[2] == name]
        assert value in found or not found
    if "random_state" in params:
        assert _model(kind, random_state=9).build(task, seed=3, threads=2).get_params()["random_state"] == 9


@pytest.mark.parametrize(("kind", "task"), CASES)
def test_a_parameter_that_is_not_there_is_refused(kind: str, task: Task) -> None:
    with pytest.raises(UsageError, match=f"{kind} has no parameter 'no_such_thing'"):
        _model(kind, no_such_thing=1).build(task, seed=3, threads=2)


@pytest.mark.parametrize(("kind", "task"), CASES)
def test_learning_in_parts_is_promised_only_where_it_works(kind: str, task: Task) -> None:
    model = _model(kind)
    assert model.can_learn_in_parts(task) == hasattr(model.build(task, seed=3, threads=2), "partial_fit")
