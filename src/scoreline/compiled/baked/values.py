"""What an encoder makes of every value that it knows, of null, and of all other values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from scoreline.compiled.baked.slots import is_plain

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from scoreline.compiled.baked.slots import Input
    from scoreline.compiled.matrix import Encoding
    from scoreline.compiled.plan import Branch

MOST_VALUES, MOST_CELLS = 20_000, 4_000_000
"""More known values of a column, or cells of what is made of them, are not kept."""


class Piece(NamedTuple):
    """So many values one after another, and what is made of them; None where scikit-learn refuses them."""

    rows: int
    block: Any


class Encoded(NamedTuple):
    """Values of a column, and what is made of them all in pieces; the last one is any other value."""

    values: tuple[Hashable, ...]
    pieces: list[Piece]


def encoded(encoding: Encoding, branch: Branch, place: int, column: Input, row: pa.Table) -> Encoded | None:
    """What a branch makes of the values of one of its columns; None when there are too many.

    `row` is a row that it encodes; the other columns hold its values.
    """
    known = _known(branch.steps, place, column)
    if len(known) > MOST_VALUES or len(known) * (branch.widths or ())[place] > MOST_CELLS:
        return None
    made = _Maker(encoding, branch, place, row)
    other = Piece(1, None) if column.kind == "bool" else made.pieces([_stranger(known, column)])[0]
    return Encoded((*known, None), [*made.pieces(list(known)), *made.pieces([None]), other])


def _known(steps: Sequence[Any], place: int, column: Input) -> list[Hashable]:
    """The values that some step up to the first encoder tells from others, as Python objects of the column's kind."""
    if column.kind == "bool":
        return [False, True]
    found: list[Any] = []
    for step in steps:
        found.append(getattr(step, "missing_values", None))
        if hasattr(step, "categories_"):
            found += np.asarray(step.categories_[place]).tolist()
            break
    made = (_as_kind(value, column) for value in found)
    return list(dict.fromkeys(value for value in made if value is not None and is_plain(value, column)))


def _as_kind(value: Any, column: Input) -> Hashable | None:
    if column.kind == "text":
        return str(value) if isinstance(value, str) else None
    whole = isinstance(value, int | float) and np.isfinite(value) and value == int(value)
    return int(value) if whole else None


def _stranger(known: Sequence[Any], column: Input) -> Any:
    """A value that nobody knows."""
    if column.kind == "text":
        return "".join([max((value for value in known), default="", key=len), "?"])
    return next(value for value in range(int(column.low), int(column.high)) if value not in known)


class _Maker:
    """Calls the transformer of a branch with values in one column."""

    def __init__(self, encoding: Encoding, branch: Branch, place: int, row: pa.Table) -> None:
        self._encoding = encoding
        self._branch = branch
        self._row = row.select(branch.columns)
        self._place = place
        self._start = sum((branch.widths or ())[:place])
        self._end = self._start + (branch.widths or ())[place]

    def pieces(self, values: list[Any]) -> list[Piece]:
        """What the transformer makes of values, cut up around those for which it raises."""
        if not values:
            return []
        try:
            return [Piece(len(values), self._made(values))]
        except Exception:  # noqa: BLE001  whatever an encoder raises, its value is left out
            half = len(values) // 2
            return [*self.pieces(values[:half]), *self.pieces(values[half:])] if half else [Piece(1, None)]

    def _made(self, values: list[Any]) -> Any:
        rows = self._row.take(pa.array(np.zeros(len(values), np.int64)))
        field = rows.schema.field(self._place)
        column = pa.array(values, field.type)
        block = self._encoding.called(self._branch, rows.set_column(self._place, field, column))
        return block[:, self._start : self._end]
