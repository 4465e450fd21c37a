"""The command line: parse, call one function, print; errors become exit codes."""


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    import os
    import sys
    from io import TextIOWrapper
    from pathlib import Path

    from scoreline.cli.ending import Ending

    ending = Ending()
    from scoreline.garbage import uncollected

    with uncollected():
        from scoreline.cli.app import app

    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open to the end of the process
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that knows fewer characters than file names have must not end a run.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except SystemExit as end:
        ending.take(end.code)
        raise


__all__ = ["main"]
