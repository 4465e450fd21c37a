"""Commands about runs: status, replay, quarantine show and replay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scoreline.cli.jobs import Request, journal_and_folder, new_folder
from scoreline.cli.options import (
    ClusterOption,
    DebugOption,
    JsonOption,
    LogJsonOption,
    ModuleOption,
    SetOption,
    cluster_override,
)
from scoreline.cli.outcome import Outcome

if TYPE_CHECKING:
    from scoreline.config import JobConfig

quarantine = typer.Typer(help="Look at refused rows, and predict them after a fix.", no_args_is_help=True)

RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="The folder of a run; or a config or its artifacts folder, which mean the newest run."
    ),
]


def status(run: RunArgument, json: JsonOption = False, debug: DebugOption = False) -> None:
    """Tell where a run stands, and what to do next."""
    with Outcome(as_json=json, debug=debug) as outcome:
        from scoreline.plans.standing import standing

        outcome.show(standing(_place(run)))


def replay(
    run: RunArgument,
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="Name of a unit, as in plan.json and file names.")],
    overrides: SetOption = None,
    modules: ModuleOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Predict one unit again in this process, and compare it with what the run wrote; publishes nothing."""
    with Outcome(as_json=json, debug=debug) as outcome:
        request = Request(run, tuple(overrides or ()), tuple(modules or ()), json, debug=debug)
        job, record, request = _found(request)
        from scoreline import pipeline
        from scoreline.plans.replaying import UnitOfRun
        from scoreline.work import Context

        context = Context(request.journal(job, None), new_folder(job), request.modules)
        outcome.show(pipeline.replay_unit(job, context, UnitOfRun(unit, record["keys"]["score"], record.get("model"))))


@quarantine.command()
def show(
    run: RunArgument,
    rows: Annotated[int, typer.Option("--rows", min=0, metavar="N", help="Print so many rows as they came.")] = 0,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print how many rows were refused for which reasons."""
    with Outcome(as_json=json, debug=debug) as outcome:
        job, record, _ = _found(Request(run, as_json=json, debug=debug))
        from scoreline.dataset.layout import Layout
        from scoreline.dataset.refused import refused_rows_of
        from scoreline.plans.prediction import section_to_predict

        layout = Layout(section_to_predict(job).sink.uri, record["keys"]["score"])
        outcome.show(refused_rows_of(layout, rows))


@quarantine.command("replay")
def replay_refused(
    run: RunArgument,
    overrides: SetOption = None,
    cluster: ClusterOption = None,
    modules: ModuleOption = None,
    json: JsonOption = False,
    log_json: LogJsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Predict the units with refused rows again, after a fix, and publish them with all others."""
    with Outcome(as_json=json, debug=debug) as outcome:
        asked = (*(overrides or ()), *cluster_override(cluster))
        request = Request(run, asked, tuple(modules or ()), json, log_json, debug)
        job, record, request = _found(request)
        from scoreline import pipeline
        from scoreline.work import Context

        outcome.journal, folder = journal_and_folder(request, job)
        context = Context(outcome.journal, folder, request.modules)
        outcome.show(pipeline.replay_quarantine(job, context, record.get("model")))


def _place(run: str) -> str:
    """Where runs are: of a config its artifacts folder."""
    if not run.endswith(".json"):
        return run
    return Request(run).load().artifacts


def _found(request: Request) -> tuple[JobConfig, dict[str, Any], Request]:
    """The job of a run that predicts, its record, and the request with the modules that the run had.

    A config means the newest run of its artifacts folder, and counts as it is now; a run's folder means the config that
    it had.
    """
    from scoreline.runs import find_run

    if request.config.endswith(".json"):
        job = request.load()
        return job, find_run(job.artifacts, scored=True)[1], request
    folder, record = find_run(request.config, scored=True)
    modules = request.modules or tuple(Path(path) for path in record.get("modules", ()))
    request = replace(request, config=folder.config, modules=modules)
    return request.load(), record, request
