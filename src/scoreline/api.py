"""The commands for Python programs: a config in, the same record out that ``--json`` prints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scoreline import pipeline
from scoreline.config.loading import load_config
from scoreline.dataset.versions import current
from scoreline.errors import ScorelineError
from scoreline.runs import Journal, RunFolder, new_run_id
from scoreline.work import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scoreline.config.models import JobConfig
    from scoreline.results import CheckReport, RunRecord

__all__ = ["check", "current", "evaluate", "predict", "run", "train"]


def run(config: str | Path, overrides: Sequence[str] = (), modules: Sequence[str | Path] = ()) -> RunRecord:
    """Run all stages of a config file; `overrides` are as after ``--set``, `modules` as after ``--module``.

    Raises a ScorelineError with all problems. Eager; a local cluster is started and closed where the config asks for
    one, so a script that calls this must guard its main program with ``if __name__ == "__main__":``.
    """
    return _commanded(pipeline.run, config, overrides, modules)


def train(config: str | Path, overrides: Sequence[str] = (), modules: Sequence[str | Path] = ()) -> RunRecord:
    """Train the model of a config file; see `run`."""
    return _commanded(pipeline.train, config, overrides, modules)


def evaluate(config: str | Path, overrides: Sequence[str] = (), modules: Sequence[str | Path] = ()) -> RunRecord:
    """Judge the model that a config file trained; see `run`."""
    return _commanded(pipeline.evaluate, config, overrides, modules)


def predict(config: str | Path, overrides: Sequence[str] = (), modules: Sequence[str | Path] = ()) -> RunRecord:
    """Predict with the model that a config file trained or names; see `run`."""
    return _commanded(pipeline.predict, config, overrides, modules)


def check(config: str | Path, overrides: Sequence[str] = (), modules: Sequence[str | Path] = ()) -> CheckReport:
    """Check a config file against its data, running nothing; see `run`."""
    job, paths = _loaded(config, overrides, modules)
    journal = Journal(name=job.name)
    return pipeline.check(job, Context(journal, RunFolder(job.artifacts, new_run_id()), paths))


def _loaded(
    config: str | Path, overrides: Sequence[str], modules: Sequence[str | Path]
) -> tuple[JobConfig, tuple[Path, ...]]:
    paths = tuple(Path(module) for module in modules)
    return load_config(str(config), overrides=overrides, modules=paths), paths


def _commanded(
    command: Callable[[JobConfig, Context], RunRecord],
    config: str | Path,
    overrides: Sequence[str],
    modules: Sequence[str | Path],
) -> RunRecord:
    job, paths = _loaded(config, overrides, modules)
    folder = RunFolder(job.artifacts, new_run_id())
    journal = Journal(folder, name=job.name, command=sys.argv)
    status, code = "failed", 1
    try:
        record = command(job, Context(journal, folder, paths))
        status, code = "done", 0
    except ScorelineError as error:
        code = error.exit_code
        raise
    finally:
        journal.close(status, code)
    return record
