"""Golden rows: raw rows and the predictions that the bundle must give for them wherever it is loaded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.errors import ModelError, Problem

if TYPE_CHECKING:
    from scoreline.bundle.bundle import Bundle

ROWS = 200
PREDICTION, PROBA = "__prediction__", "__proba__"
TOLERANCE = 1e-12
"""Largest difference of a number: linear models add up in another order on another processor."""


def golden_rows(bundle: Bundle, raw: pa.Table) -> pa.Table:
    """Up to 200 raw rows of `raw` with what the bundle predicts for them now."""
    rows = raw.select(bundle.needs).slice(0, ROWS)
    scored = bundle.predict(rows, proba=bundle.gives_proba)
    answers = rows.take(pa.array(scored.positions)).append_column(PREDICTION, scored.predictions)
    if scored.proba is None:
        return answers
    return answers.append_column(PROBA, pa.array(list(scored.proba), type=pa.list_(pa.float64())))


def as_bytes(golden: pa.Table) -> bytes:
    """The golden rows as a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(golden, buffer, write_page_checksum=True)
    return buffer.getvalue()


def check_golden(bundle: Bundle, golden: pa.Table, uri: str) -> None:
    """Predict the golden rows again. Raises ModelError when any answer differs from the stored one."""
    has_proba = PROBA in golden.column_names
    scored = bundle.predict(golden, proba=has_proba)
    if len(scored.positions) != golden.num_rows or not _same(scored.predictions, golden[PREDICTION].combine_chunks()):
        raise ModelError(_differs(scored.predictions, golden, uri))
    if has_proba and golden.num_rows:
        expected = np.array(golden[PROBA].to_pylist())
        if scored.proba is None or not np.allclose(scored.proba, expected, rtol=0, atol=TOLERANCE):
            raise ModelError(_differs(scored.predictions, golden, uri))


def _same(found: pa.Array, expected: pa.Array) -> bool:
    if pa.types.is_floating(found.type):
        return bool(np.allclose(found.to_numpy(), expected.to_numpy(), rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))
    return bool(found.equals(expected.cast(found.type)))


def _differs(found: pa.Array, golden: pa.Table, uri: str) -> Problem:
    expected = golden[PREDICTION].to_pylist()
    equal = sum(a == b for a, b in zip(found.to_pylist(), expected, strict=False))
    return Problem(
        "the bundle gives other predictions here than where it was made: "
        f"{equal} of {len(expected)} golden rows are equal",
        uri,
        "install the versions in its requirements.txt, or train it again here",
    )
