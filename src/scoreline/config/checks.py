"""Whether models and searches get parameters that their estimators have, asked of scikit-learn before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scoreline.errors import Problem, UsageError

if TYPE_CHECKING:
    from scoreline.config.models import JobConfig, TrainConfig
    from scoreline.models.base import Task


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
    problems = []
    try:
        train.model.build(task, train.seed, train.threads)
    except UsageError as error:
        where = job.where("train", "model", "params")
        problems += [Problem(found.what, where, found.advice) for found in error.problems]
    if train.fit == "incremental" and not train.model.can_learn_in_parts(task):
        advice = 'choose a model that can, such as "sgd", or write "fit": "sample"'
        what = f'the model "{train.model.kind}" cannot learn incrementally'
        problems.append(Problem(what, job.where("train", "fit"), advice))
    return problems
