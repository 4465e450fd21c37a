"""A part of which a compiled way answers for most rows, and scikit-learn alone for those in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoreline.bundle.bisection import Outcome, moved, predict_or_refuse, together
from scoreline.compiled.doubts import taken
from scoreline.compiled.proof import attempt
from scoreline.refusal import refused_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

    from scoreline.bundle.fitted import Fitted
    from scoreline.compiled.doubts import Partial

    MakeFrame = Callable[[pa.Table], pd.DataFrame]


def completed(part: Partial, fitted: Fitted, frame: MakeFrame, table: pa.Table, *, proba: bool) -> Outcome:
    """What `predict_or_refuse` makes of a table, whose rows in doubt alone it is given; eager.

    Raises DataError as `frame` does, and ModelError as `predict_or_refuse` does.
    """
    asked = moved(predict_or_refuse(fitted, frame(taken(table, part.doubts)), proba=proba), part.doubts)
    rest = np.delete(np.arange(table.num_rows), part.doubts)
    answered = Outcome(part.answers.predictions, part.answers.proba, rest)
    if part.way.by_row:
        return _joined([answered, asked], asked)
    segments = list(_segments(asked, table.num_rows))
    if [rows.tolist() for rows in segments] == [rest.tolist()]:
        return _joined([answered], asked)

    def alone(rows: np.ndarray) -> Outcome:
        some = taken(table, rows)
        found = attempt(part.way, some, proba=proba)
        if found is None:
            return moved(predict_or_refuse(fitted, frame(some), proba=proba), rows)
        return Outcome(found.predictions, found.proba, rows)

    return _joined(list(map(alone, segments)), asked)


def _segments(asked: Outcome, count: int) -> Iterator[np.ndarray]:
    """The rows that `predict_or_refuse` gives to the model at once, where these refusals are what it finds.

    Where BLAS adds up, the last bits depend on them.
    """
    left = np.delete(np.arange(count), asked.set_aside)
    return _halved(left, refused_rows(asked.refusals, count)[left])


def _halved(rows: np.ndarray, refused: np.ndarray) -> Iterator[np.ndarray]:
    if not refused.any():
        yield from [rows] if len(rows) else []
    elif len(rows) > 1:
        middle = len(rows) // 2
        yield from _halved(rows[:middle], refused[:middle])
        yield from _halved(rows[middle:], refused[middle:])


def _joined(pieces: Sequence[Outcome], asked: Outcome) -> Outcome:
    """One outcome, in the order of the part; the refusals are those of `asked`."""
    some = [piece for piece in pieces if len(piece.positions)]
    if not some:
        return asked
    positions = np.concatenate([piece.positions for piece in some])
    order = np.argsort(positions)
    proba = [piece.proba for piece in some if piece.proba is not None]
    return Outcome(
        together(some)[order],
        np.concatenate(proba)[order] if proba else None,
        positions[order],
        asked.refusals,
    )
