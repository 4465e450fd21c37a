"""The commands and what is common to all of them. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

from typing import Annotated

import typer

from scoreline.cli import again, configs, data, jobs, starting

app = typer.Typer(
    name="scoreline",
    help="One JSON file describes a batch machine-learning job; Scoreline runs it in parallel.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    starting.demo,
    starting.init,
    jobs.check,
    jobs.plan,
    jobs.run,
    jobs.train,
    jobs.evaluate,
    jobs.predict,
    again.status,
    again.replay,
):
    app.command()(command)
app.add_typer(again.quarantine, name="quarantine")
app.add_typer(data.app, name="data")
app.add_typer(configs.app, name="config")


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        print(f"scoreline {version('scoreline')}")
        raise typer.Exit


@app.callback()
def _scoreline(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """One JSON file describes a batch machine-learning job; Scoreline runs it in parallel."""
