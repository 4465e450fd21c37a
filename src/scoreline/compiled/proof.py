"""Proof by trial: a way must answer like scikit-learn, on real rows and on hard ones."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from scoreline.compiled.dictionary import Declined
from scoreline.compiled.doubts import taken, told_apart, without
from scoreline.compiled.edges import at_edges
from scoreline.compiled.matrix import is_same_matrix
from scoreline.compiled.plan import NotCompilable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np

    from scoreline.compiled.answers import Answers
    from scoreline.compiled.way import Way

    Reference = Callable[[pa.Table, bool], Answers]
    """The answers of scikit-learn for a table, with probabilities or without."""

_WHOLE, _FEW = 64, 4
"""Around rows that scikit-learn refuses so many are left together: real ones, and hard ones."""

_AT_ONCE = 256
"""So many rows that are likely to be refused are given to a way together."""

_LEFT_OUT = 3
"""Kinds of hard rows that may be left out so that all others are asked for at once."""


_REFUSED = "it answers for a row that scikit-learn refuses"
_OTHERS = "its answers are others than scikit-learn's"


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows with the answers of scikit-learn; None where it refuses one of them, or was not asked.

    Attributes
    ----------
    kinds : the tables that were put together, if it is made of several
    is_asked : whether scikit-learn was asked; if not, it is for the rows that a way answers
    """

    table: pa.Table
    expected: Answers | None
    kinds: tuple[pa.Table, ...] = ()
    is_asked: bool = True


def pieces(tables: Iterable[pa.Table], reference: Reference, *, proba: bool) -> list[Piece]:
    """The tables with their answers, cut up around the rows that scikit-learn refuses; the first holds real rows."""
    return [
        piece
        for number, table in enumerate(tables)
        for piece in _pieces(table, reference, _FEW if number else _WHOLE, proba=proba)
    ]


def together(tables: Iterable[pa.Table], reference: Reference, *, proba: bool) -> list[Piece]:
    """As `pieces`, but as many kinds of hard rows at once as scikit-learn does not refuse: each call of it costs.

    The tables are real rows, then kinds of hard ones, those first that are hardly ever refused. Of the others, which
    wide tables have hundreds of, scikit-learn is not asked before it is known which of them a way answers.
    """
    real, *kinds = tables
    merged = _merged(kinds, reference, proba=proba)
    left = kinds[len(merged.kinds) :] if merged else kinds
    found = [*pieces([real], reference, proba=proba), *_unasked(left)]
    return [*found, merged] if merged else found


def _unasked(kinds: Iterable[pa.Table]) -> list[Piece]:
    return [
        Piece(kind.slice(start, _AT_ONCE), None, is_asked=False)
        for kind in kinds
        for start in range(0, kind.num_rows, _AT_ONCE)
    ]


def _merged(kinds: Sequence[pa.Table], reference: Reference, *, proba: bool) -> Piece | None:
    for count in range(len(kinds), max(1, len(kinds) - 1 - _LEFT_OUT), -1):
        table = pa.concat_tables(kinds[:count])
        with suppress(Exception):
            return Piece(table, reference(table, proba), tuple(kinds[:count]))
    return None


def _pieces(table: pa.Table, reference: Reference, least: int, *, proba: bool) -> Iterator[Piece]:
    try:
        yield Piece(table, reference(table, proba))
    except Exception:  # noqa: BLE001  whatever a fitted object raises, its rows are the ones to find
        if table.num_rows <= least:
            yield Piece(table, None)
        else:
            half = table.num_rows // 2
            yield from _pieces(table.slice(0, half), reference, least, proba=proba)
            yield from _pieces(table.slice(half), reference, least, proba=proba)


def fault(way: Way, tried: Sequence[Piece], reference: Reference) -> NotCompilable | None:
    """Why a way is no good: the first difference from scikit-learn; None when there is none."""
    trials = (
        _matrix_fault(way, tried[0].table),
        _edge_fault(way, tried),
        *(_fault(way, each, reference) for piece in tried for each in _apart(way, piece)),
        _silence(way, tried),
    )
    found = next(filter(None, trials), "")
    return NotCompilable(found) if found else None


def _apart(way: Way, piece: Piece) -> Sequence[Piece]:
    """The kinds of a piece, each by itself, if a way leaves all of it to scikit-learn for the sake of one."""
    if not piece.kinds or all(attempt(way, piece.table, proba=proba) is not None for proba in _asked(way, piece)):
        return [piece]
    return _unasked(piece.kinds)


def _asked(way: Way, piece: Piece) -> tuple[bool, ...]:
    """Whether for probabilities, too: without and with them."""
    both = way.gives_proba if piece.expected is None else piece.expected.proba is not None
    return (False, True) if both else (False,)


def _silence(way: Way, tried: Sequence[Piece]) -> str:
    """A way that leaves everything to scikit-learn only costs time."""
    answered = (attempt(way, piece.table, proba=False) for piece in tried if piece.expected is not None)
    return "" if any(found is not None for found in answered) else "it answers for no row"


def _edge_fault(way: Way, tried: Sequence[Piece]) -> str:
    """Trees are tried at each threshold and beside it: numbers after all transformers, where rounding hides nothing."""
    known = next((piece.table for piece in tried if piece.expected is not None), None)
    if way.compiled is None or not way.compiled.edges or known is None:
        return ""
    proba = tried[0].expected is not None and tried[0].expected.proba is not None
    try:
        blocks, rows = at_edges(way.encoding.blocks(known), way.compiled.edges)
        found = way.compiled.answers(blocks, rows, proba=proba)
    except Declined as why:
        return f"it leaves rows at a threshold to scikit-learn: {why}"
    same = found.agrees(way.of_matrix(blocks, rows, proba=proba), 0)
    return "" if same else "its answers at a threshold are others than scikit-learn's"


def _matrix_fault(way: Way, table: pa.Table) -> str:
    try:
        made = way.encoding.stacked(way.encoding.blocks(table), table.num_rows)
        expected = way.encoding.expected(table)
    except Exception:  # noqa: BLE001  some row is refused; that the answers are too is tried next
        return ""
    return "" if is_same_matrix(made, expected) else "it makes another matrix than scikit-learn"


def _fault(way: Way, piece: Piece, reference: Reference) -> str:
    for proba in _asked(way, piece):
        if not piece.is_asked:
            if found := _vouched_fault(way, piece.table, reference, proba=proba):
                return found
            continue
        answers = attempt(way, piece.table, proba=proba)
        if answers is None:
            continue
        if piece.expected is None:
            return _REFUSED
        expected = piece.expected if proba else piece.expected.labels
        if not answers.agrees(expected, 0):
            return _OTHERS
    return ""


def _vouched_fault(way: Way, table: pa.Table, reference: Reference, *, proba: bool) -> str:
    """A difference for the rows of a table that a way vouches for; it is asked for fewer where it cannot tell them."""
    part = told_apart(way, table, proba=proba)
    if part is None:
        half = table.num_rows // 2
        halves = (table.slice(0, half), table.slice(half)) if table.num_rows > _FEW else ()
        return next(filter(None, (_vouched_fault(way, each, reference, proba=proba) for each in halves)), "")
    left = without(table, part.doubts)
    if not left.num_rows:
        return ""
    try:
        expected = reference(left, proba)
    except Exception:  # noqa: BLE001  whatever a fitted object raises
        return _REFUSED
    return "" if part.answers.agrees(expected, 0) else _OTHERS


def attempt(way: Way, table: pa.Table, *, proba: bool) -> Answers | None:
    """The answers of a way; None when it leaves the table to scikit-learn."""
    try:
        return way.answers(table, proba=proba)
    except Exception:  # noqa: BLE001  scikit-learn itself is asked then, and says what is wrong
        return None


def holds(way: Way, table: pa.Table, answers: Answers, reference: Reference, rows: np.ndarray) -> bool:
    """Whether scikit-learn gives the same answers for some rows of a part; if not, then for all of them.

    Where BLAS adds up, scikit-learn's own answers for a few rows may differ from those among many, probabilities in
    their last bits.
    """
    proba = answers.proba is not None
    try:
        expected = reference(taken(table, rows), proba)
        if answers.take(rows).agrees(expected, way.tolerance):
            return True
        return answers.agrees(reference(table, proba), 0)
    except Exception:  # noqa: BLE001  it refuses a row that was answered
        return False
