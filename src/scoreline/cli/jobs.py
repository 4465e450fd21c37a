"""Commands that work on a config: check, plan, run, train, evaluate, predict."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from scoreline.cli.ahead import chosen
from scoreline.cli.options import (
    ClusterOption,
    ConfigArgument,
    DebugOption,
    JsonOption,
    LogJsonOption,
    ModuleOption,
    SetOption,
    cluster_override,
)
from scoreline.cli.outcome import Outcome
from scoreline.garbage import uncollected

if TYPE_CHECKING:
    from scoreline.config import JobConfig
    from scoreline.results import RunRecord
    from scoreline.runs import Journal, RunFolder

Verb = Literal["run", "train", "evaluate", "predict"]


@dataclass(frozen=True)
class Request:
    """What the options of a command ask for."""

    config: str
    overrides: tuple[str, ...] = ()
    modules: tuple[Path, ...] = ()
    as_json: bool = False
    log_json: bool = False
    debug: bool = False

    def load(self) -> JobConfig:
        """The checked config."""
        from scoreline.config import load_config

        return load_config(self.config, self.overrides, self.modules)

    def journal(self, job: JobConfig, folder: RunFolder | None) -> Journal:
        """What tells the user what happens."""
        from scoreline.config.secrets import without_secrets
        from scoreline.runs import Journal

        return Journal(
            folder,
            name=job.name,
            command=["scoreline", *(without_secrets(argument) for argument in sys.argv[1:])],
            level="debug" if self.debug else job.logging.level,
            as_json=self.log_json or job.logging.format == "json",
        )


def check(
    config: ConfigArgument,
    overrides: SetOption = None,
    modules: ModuleOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check a config against its data, running nothing."""
    request = Request(config, tuple(overrides or ()), tuple(modules or ()), json, debug=debug)
    with Outcome(as_json=json, debug=debug) as outcome:
        job = request.load()
        from scoreline import pipeline
        from scoreline.work import Context

        outcome.show(pipeline.check(job, Context(request.journal(job, None), new_folder(job), request.modules)))


def plan(
    config: ConfigArgument,
    overrides: SetOption = None,
    cluster: ClusterOption = None,
    modules: ModuleOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Tell what would run, be skipped or predicted again, why, and what it costs."""
    asked = (*(overrides or ()), *cluster_override(cluster))
    request = Request(config, asked, tuple(modules or ()), json, debug=debug)
    with Outcome(as_json=json, debug=debug) as outcome:
        job = request.load()
        from scoreline import pipeline
        from scoreline.work import Context

        outcome.show(pipeline.plan(job, Context(request.journal(job, None), new_folder(job), request.modules)))


def run(
    config: ConfigArgument,
    overrides: SetOption = None,
    cluster: ClusterOption = None,
    modules: ModuleOption = None,
    json: JsonOption = False,
    log_json: LogJsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run all stages; the same command again goes on."""
    _command("run", Request(config, tuple(overrides or ()), tuple(modules or ()), json, log_json, debug), cluster)


def train(
    config: ConfigArgument,
    overrides: SetOption = None,
    cluster: ClusterOption = None,
    modules: ModuleOption = None,
    json: JsonOption = False,
    log_json: LogJsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Fit transformers and model, and keep them."""
    _command("train", Request(config, tuple(overrides or ()), tuple(modules or ()), json, log_json, debug), cluster)


def evaluate(
    config: ConfigArgument,
    overrides: SetOption = None,
    cluster: ClusterOption = None,
    modules: ModuleOption = None,
    json: JsonOption = False,
    log_json: LogJsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Judge the model on rows that it never saw."""
    _command("evaluate", Request(config, tuple(overrides or ()), tuple(modules or ()), json, log_json, debug), cluster)


def predict(
    config: ConfigArgument,
    overrides: SetOption = None,
    cluster: ClusterOption = None,
    modules: ModuleOption = None,
    json: JsonOption = False,
    log_json: LogJsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Predict with the model, and publish."""
    _command("predict", Request(config, tuple(overrides or ()), tuple(modules or ()), json, log_json, debug), cluster)


def _command(verb: Verb, request: Request, cluster: str | None) -> None:
    from dataclasses import replace

    with Outcome(as_json=request.as_json, debug=request.debug) as outcome:
        asked = replace(request, overrides=(*request.overrides, *cluster_override(cluster)))
        outcome.show(execute(verb, asked, outcome))


def execute(verb: Verb, request: Request, outcome: Outcome) -> RunRecord:
    """Run one command of the pipeline in a new run folder."""
    with uncollected():
        job = request.load()
        from scoreline import pipeline
        from scoreline.work import Context

    outcome.journal, folder = journal_and_folder(request, job)
    commands = {
        "run": pipeline.run,
        "train": pipeline.train,
        "evaluate": pipeline.evaluate,
        "predict": pipeline.predict,
    }
    return commands[verb](job, Context(outcome.journal, folder, request.modules, chosen))


def journal_and_folder(request: Request, job: JobConfig) -> tuple[Journal, RunFolder]:
    """A new run folder, and the journal that writes into it."""
    folder = new_folder(job)
    return request.journal(job, folder), folder


def new_folder(job: JobConfig) -> RunFolder:
    """The folder of a run that begins now; nothing is made yet."""
    from scoreline.runs import RunFolder, new_run_id
    from scoreline.storage import absolute

    return RunFolder(absolute(job.artifacts), new_run_id())
