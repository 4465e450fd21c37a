"""Input that changes while a run lasts: noticed at every piece that is read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from scoreline.errors import DataError, Problem
from scoreline.storage import info

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoreline.units import Piece


@contextmanager
def unchanged(piece: Piece) -> Iterator[None]:
    """Around reading a piece: raise DataError when its file is gone or is not the one that was surveyed.

    It is asked afterwards, one request, so that nothing read in between was of another state; also when reading failed,
    since a change is the usual reason.
    """
    try:
        yield
    except Exception as error:
        _compare(piece, error)
        raise
    _compare(piece, None)


def _compare(piece: Piece, cause: Exception | None) -> None:
    if not piece.stamp:
        return
    try:
        found = info(piece.uri)
    except DataError as error:
        raise DataError(_problem(piece, "is gone")) from (cause or error)
    if (found.size, found.stamp) != (piece.file_size, piece.stamp):
        how = f"{piece.file_size:,} to {found.size:,} bytes" if found.size != piece.file_size else "of the same size"
        raise DataError(_problem(piece, f"changed ({how})")) from cause


def _problem(piece: Piece, how: str) -> Problem:
    advice = "nothing of it was published; run the same command again when nothing writes there"
    return Problem(f"this input file {how} while the run lasted", piece.uri, advice)
