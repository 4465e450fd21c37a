"""The command line: parse, call one function, print; errors become exit codes."""


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    from scoreline.cli.app import app

    app()


__all__ = ["main"]
