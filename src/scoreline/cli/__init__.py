"""The command line: parse, call one function, print; errors become exit codes."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    from scoreline.cli.ending import Ending

    ending = Ending()
    from scoreline.cli.ahead import workers_first_of_all
    from scoreline.garbage import uncollected

    with workers_first_of_all(sys.argv[1:]):
        with uncollected():
            from scoreline.cli.app import app
        _say_everything()
        try:
            app()
        except SystemExit as end:
            ending.take(end.code)
            raise


def _say_everything() -> None:
    """Have both streams take whatever is said."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open to the end of the process
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that knows fewer characters than file names have must not end a run.
        sys.stdout.reconfigure(errors="backslashreplace")


__all__ = ["main"]
