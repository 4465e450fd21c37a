from typing import Any

import pytest

from scoreline.config import JobConfig
from scoreline.config.checks import check_parameters


def told(config: dict[str, Any], **train: Any) -> list[tuple[str, str]]:
    config["train"] |= train
    return [(problem.where, problem.advice) for problem in check_parameters(JobConfig.model_validate(config))]


def test_good_parameters_are_good(config: dict[str, Any]) -> None:
    assert told(config, model={"kind": "random_forest", "params": {"n_estimators": 5, "max_depth": None}}) == []


def test_every_wrong_parameter_has_its_place(config: dict[str, Any]) -> None:
    found = told(config, model={"kind": "random_forest", "params": {"n_estimatrs": 5, "max_depth": "deep"}})
    places = [where for where, _ in found]
    assert places == ["$.train.model.params.n_estimatrs", "$.train.model.params.max_depth"]
    assert found[0][1] == "did you mean 'n_estimators'?"


def test_a_parameter_of_the_other_task_is_good_while_the_task_is_open(config: dict[str, Any]) -> None:
    model = {"kind": "random_forest", "params": {"criterion": "absolute_error"}}
    assert told(config, model=model) == []
    assert len(told(config, model=model, task="classification")) == 1


def test_metrics_settle_the_task(config: dict[str, Any]) -> None:
    config["evaluate"] = {"metrics": ["accuracy"]}
    assert len(told(config, model={"kind": "random_forest", "params": {"criterion": "absolute_error"}})) == 1


@pytest.mark.parametrize(("kind", "faults"), [("sgd", 0), ("random_forest", 1)])
def test_only_models_that_learn_in_parts_learn_incrementally(config: dict[str, Any], kind: str, faults: int) -> None:
    assert len(told(config, model={"kind": kind}, fit="incremental")) == faults


def test_a_job_that_does_not_train_has_no_parameters(config: dict[str, Any]) -> None:
    assert check_parameters(JobConfig.model_validate({**config, "train": None, "model": {"uri": "m.skops"}})) == []


def test_what_a_search_tries_is_checked_too(config: dict[str, Any]) -> None:
    search = {"params": {"max_depth": [4, "deep"], "colour": ["red"]}, "metric": "rmse"}
    found = told(config, model={"kind": "random_forest"}, task="classification", search=search)
    assert [where for where, _ in found] == [
        "$.train.search.params.max_depth",
        "$.train.search.params.colour",
        "$.train.search.metric",
    ]
