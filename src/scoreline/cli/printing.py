"""What a command prints on stdout."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from scoreline.errors import Problem, StorageError


def say(text: str) -> None:
    """Print text on stdout now, and not at the end of the process, where nobody could tell what went wrong.

    Raises StorageError where it cannot be written, after which nothing more is printed; BrokenPipeError where nobody
    reads it.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        _give_up()
        if isinstance(error, BrokenPipeError):
            raise
        advice = "what the command has done is kept: make room for its output, then run it again"
        raise StorageError(Problem(f"the result cannot be printed: {error.strerror}", "stdout", advice)) from error


def _give_up() -> None:
    """Send the rest nowhere; at the end of the process it would fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
