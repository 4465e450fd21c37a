"""The command line: parse, call one function, print; errors become exit codes."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path

_STOPPED = 130


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    from scoreline.cli.ending import Ending

    ending = Ending()
    try:
        _run(sys.argv[1:])
    except SystemExit as end:
        ending.take(end.code)
        raise
    except KeyboardInterrupt:
        # Before the command itself has begun, which would tell more.
        print("stopped by Ctrl-C", file=sys.stderr)
        ending.take(_STOPPED)
        raise SystemExit(_STOPPED) from None


def _run(arguments: list[str]) -> None:
    from scoreline.cli.ahead import workers_ahead
    from scoreline.garbage import uncollected

    with workers_ahead(arguments):
        with uncollected():
            from scoreline.cli.app import app
        _say_everything()
        app()


def _say_everything() -> None:
    """Have both streams take whatever is said."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open to the end of the process
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that knows fewer characters than file names have must not end a run.
        sys.stdout.reconfigure(errors="backslashreplace")


__all__ = ["main"]
