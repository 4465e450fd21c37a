"""Commands about published data sets: current, history, verify, rollback, gc."""

from __future__ import annotations

from typing import Annotated

import typer

from scoreline.cli.options import DebugOption, JsonOption
from scoreline.cli.outcome import Outcome

app = typer.Typer(help="Look at published versions, verify them, go back, and collect old ones.", no_args_is_help=True)

UriArgument = Annotated[str, typer.Argument(metavar="URI", help="The data set: predict.sink.uri of the config.")]


@app.command()
def current(uri: UriArgument, json: JsonOption = False, debug: DebugOption = False) -> None:
    """Print the folders of the current version, to be read without races."""
    with Outcome(as_json=json, debug=debug) as outcome:
        from scoreline.dataset.history import where_current

        outcome.show(where_current(uri))


@app.command()
def history(uri: UriArgument, json: JsonOption = False, debug: DebugOption = False) -> None:
    """List all versions, oldest first."""
    with Outcome(as_json=json, debug=debug) as outcome:
        from scoreline.dataset.history import history as read_history

        outcome.show(read_history(uri))


@app.command()
def verify(uri: UriArgument, json: JsonOption = False, debug: DebugOption = False) -> None:
    """Read everything back and compare it with the hashes that were kept."""
    with Outcome(as_json=json, debug=debug) as outcome:
        from scoreline.dataset.verification import verify as read_back
        from scoreline.errors import StorageError

        found = read_back(uri)
        if found.problems:
            raise StorageError(*found.problems)
        outcome.show(found)


@app.command()
def rollback(
    uri: UriArgument,
    to: Annotated[
        int | None, typer.Option("--to", metavar="N", min=1, help="The version to go back to; the one before.")
    ] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Publish an older version again, as the next one."""
    with Outcome(as_json=json, debug=debug) as outcome:
        from scoreline.dataset.history import rolled_back

        outcome.show(rolled_back(uri, to))


@app.command()
def gc(
    uri: UriArgument,
    keep: Annotated[int, typer.Option("--keep", metavar="N", min=1, help="Newest versions to keep.")] = 3,
    older_than: Annotated[
        float, typer.Option("--older-than", metavar="DAYS", min=0, help="Delete nothing that was touched since.")
    ] = 7.0,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, tell what would go.")] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Delete runs that no kept version has; by default only tell which."""
    with Outcome(as_json=json, debug=debug) as outcome:
        from scoreline.dataset.collection import collect

        outcome.show(collect(uri, keep=keep, older_than=older_than * 86_400, delete_them=yes))
