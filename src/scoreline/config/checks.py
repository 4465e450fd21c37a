"""Whether models and searches get parameters that their estimators have, asked of scikit-learn before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scoreline.errors import Problem
from scoreline.search import search_problems

if TYPE_CHECKING:
    from scoreline.config.models import JobConfig, TrainConfig
    from scoreline.task import Task


def check_parameters(job: JobConfig) -> list[Problem]:
    """All problems of the model's parameters, of the search's, and of learning incrementally. Imports scikit-learn.

    Where the task is not settled yet, a parameter is good when one of the possible tasks knows it.
    """
    if job.train is None:
        return []
    found = {task: _problems(job, job.train, task) for task in _possible_tasks(job, job.train)}
    return [] if [] in found.values() else next(iter(found.values()), [])


def _possible_tasks(job: JobConfig, train: TrainConfig) -> tuple[Task, ...]:
    if train.task is not None:
        return (train.task,)
    measured = {metric.task for metric in job.evaluate.metrics or ()}
    able = train.model.tasks()
    return tuple(task for task in able if task in measured) or able


def _problems(job: JobConfig, train: TrainConfig, task: Task) -> list[Problem]:
    found = [Problem(each.what, _where(job, each.where), each.advice) for each in train.model.check(task)]
    if train.search is not None and not found:
        tried = search_problems(train.search, train.model, task)
        found = [Problem(each.what, _where_searched(job, each.where), each.advice) for each in tried]
    if found or train.fit == "sample" or train.model.can_learn_in_parts(task):
        return found
    what = f'the model "{train.model.kind}" cannot learn incrementally'
    advice = 'choose a model that can, such as "sgd", or write "fit": "sample"'
    return [Problem(what, job.where("train", "fit"), advice)]


def _where(job: JobConfig, place: str) -> str:
    """The place in the config of what a model calls ``params.NAME``."""
    _, marked, name = place.partition("params.")
    return job.where("train", "model", "params", name) if marked else job.where("train", "model", "kind")


def _where_searched(job: JobConfig, place: str) -> str:
    """The same for the parameters that a search tries, and for its metric."""
    _, marked, name = place.partition("params.")
    return job.where("train", "search", "params", name) if marked else job.where("train", "search", "metric")
