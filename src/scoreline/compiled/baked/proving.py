"""Proof of a program: it must answer like scikit-learn, on real rows, on hard ones, and around every threshold."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from scoreline.compiled.baked.baking import bake
from scoreline.compiled.baked.slots import Cuts, Feature
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.proof import pieces
from scoreline.compiled.trials import REAL_ROWS, trials
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scoreline.compiled.answers import Answers
    from scoreline.compiled.baked.program import Partly, Program
    from scoreline.compiled.baked.slots import Input
    from scoreline.compiled.dictionary import MakeFrame
    from scoreline.compiled.plan import Plan
    from scoreline.compiled.proof import Piece, Reference

EDGE_ROWS = 2048
"""Rows whose numbers lie at thresholds and beside them; of more thresholds an even choice."""

SINGLE_ROWS = 128
"""Rows of each kind that are answered one by one, too."""

ALONE = 16
"""Rows for which scikit-learn answers one by one: how many rows are beside one may change bits of its probabilities."""


@dataclass(frozen=True, eq=False)
class Proven:
    """A program that has proven itself, and on how many rows of each kind."""

    program: Program
    rows: Mapping[str, int]


def proven(
    plan: Plan | NotCompilable, schema: pa.Schema, frame: MakeFrame, reference: Reference, real: pa.Table
) -> Proven | NotCompilable:
    """The program of a plan that answers like scikit-learn, whose answers `reference` gives; or why there is none.

    `real` are rows as they are after cleaning. Eager: scikit-learn answers for a few thousand rows, with one thread.
    """
    # Hard rows overflow on purpose, and encoders warn of unknown categories.
    with limited(1), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return _proven(plan, schema, frame, reference, real.select(schema.names).slice(0, REAL_ROWS))
        except Exception as error:  # noqa: BLE001  objects from elsewhere need not be what they look like
            return NotCompilable(f"{type(error).__name__}: {error}")


def _proven(
    plan: Plan | NotCompilable, schema: pa.Schema, frame: MakeFrame, reference: Reference, real: pa.Table
) -> Proven | NotCompilable:
    known = next((piece.table for piece in pieces([real], reference, proba=False) if piece.expected is not None), None)
    if known is None:
        return NotCompilable("scikit-learn refuses its first rows")
    program = bake(plan, schema, frame, known)
    if isinstance(program, NotCompilable):
        return program
    tables = {"edges": [edge_rows(program, known)], "hard": list(trials(real, schema))[1:], "real": [real]}
    tables["single"] = [known.slice(row, 1) for row in range(min(ALONE, known.num_rows))]
    for kind, given in tables.items():
        found = fault(program, pieces(given, reference, proba=program.model.gives_proba))
        if found:
            return NotCompilable(f"{found} ({kind} rows)")
    return Proven(program, {kind: sum(table.num_rows for table in given) for kind, given in tables.items()})


def edge_rows(program: Program, real: pa.Table) -> pa.Table:
    """Real rows over and over, each column of numbers at thresholds and right beside them."""
    rows = real.take(pa.array(np.arange(EDGE_ROWS) % real.num_rows))
    for column, given in enumerate(program.inputs):
        cuts = [slot.cuts for slot in program.slots if isinstance(slot, Cuts) and slot.input == column]
        is_feature = any(isinstance(slot, Feature) and slot.input == column for slot in program.slots)
        if (cuts and len(np.concatenate(cuts))) or is_feature:
            field = rows.schema.field(given.name)
            values = _around(np.concatenate([*cuts, [given.low, given.high, 0.0]]), given, field.type)
            rows = rows.set_column(rows.schema.get_field_index(given.name), field, values)
    return rows


def _around(values: np.ndarray, column: Input, arrow_type: pa.DataType) -> pa.Array:
    """An even choice of numbers and of their neighbours in a random order, in the type of their column."""
    rng = np.random.default_rng(0)
    near = [values, *(np.nextafter(values, side) for side in (-np.inf, np.inf))]
    single = values.astype(np.float32)
    near += [np.nextafter(single, np.float32(side)).astype(np.float64) for side in (-np.inf, np.inf)]
    if column.kind in ("whole", "bool"):
        near = [np.floor(values), np.ceil(values), np.floor(values) + 1]
    every = np.concatenate(near)
    inside = every[(every >= column.low) & (every <= column.high)]
    chosen = rng.permutation(np.resize(inside, max(len(inside), EDGE_ROWS)))[:EDGE_ROWS]
    return pa.array(chosen).cast(pa.int64() if column.kind == "whole" else chosen.dtype.name).cast(arrow_type)


def fault(program: Program, tried: Sequence[Piece]) -> str:
    """The first difference from scikit-learn; empty when there is none."""
    found = (_difference(program, piece, proba=proba) for piece in tried for proba in _asked(program, piece))
    return next(filter(None, found), "")


def _asked(program: Program, piece: Piece) -> tuple[bool, ...]:
    answered = piece.expected is None or piece.expected.proba is not None
    return (False, True) if program.model.gives_proba and answered else (False,)


def _difference(program: Program, piece: Piece, *, proba: bool) -> str:
    found = program.partly(piece.table, proba=proba)
    if found is None:
        return "it reads columns of other types"
    if piece.expected is None:
        refused = len(found.rows) == piece.table.num_rows
        return (
            "it answers for a row that scikit-learn refuses" if refused else _alone(program, piece, found, proba=proba)
        )
    # Among other rows, probabilities may have other last bits.
    whole = len(found.rows) == piece.table.num_rows
    expected, answers = (
        (piece.expected, found.answers) if proba and whole else (piece.expected.labels, found.answers.labels)
    )
    if not answers.agrees(expected.take(found.rows), 0):
        return "its answers are others than scikit-learn's"
    return _alone(program, piece, found, proba=proba)


def _alone(program: Program, piece: Piece, found: Partly, *, proba: bool) -> str:
    """Records must be answered as the rows of a table are."""
    places = {row: place for place, row in enumerate(found.rows.tolist())}
    for row, record in enumerate(piece.table.slice(0, SINGLE_ROWS).to_pylist()):
        answer = program.answer(record, proba=proba)
        if (answer is None) != (row not in places):
            return "it reads records otherwise than tables"
        if answer is not None and not _agrees(
            answer, found.answers.take(np.array([places[row]])), piece.table.num_rows
        ):
            return "its answers for a record are others than for a table"
    return ""


def _agrees(answer: Answers, expected: Answers, rows: int) -> bool:
    """Whether the answer for a record is the one for a row of a table of so many rows."""
    return answer.agrees(expected, 0) if rows == 1 else answer.labels.agrees(expected.labels, 0)
