"""Commands about configs themselves: schema, show."""

from __future__ import annotations

import typer

from scoreline.cli.options import ConfigArgument, DebugOption, ModuleOption, SetOption
from scoreline.cli.outcome import Outcome
from scoreline.cli.printing import say

app = typer.Typer(help="Print the JSON Schema of configs, or a config.", no_args_is_help=True)


@app.command()
def schema(debug: DebugOption = False) -> None:
    """Print the JSON Schema, for completion in editors."""
    with Outcome(debug=debug):
        from scoreline.config.schema import schema_text

        say(schema_text().removesuffix("\n"))


@app.command()
def show(
    config: ConfigArgument, overrides: SetOption = None, modules: ModuleOption = None, debug: DebugOption = False
) -> None:
    """Print the config with overrides and defaults."""
    with Outcome(debug=debug):
        from scoreline.config import load_config
        from scoreline.starter import config_text

        job = load_config(config, overrides or [], modules or [])
        say(config_text(job.as_json()).removesuffix("\n"))
