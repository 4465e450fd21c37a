"""A fitted pipeline as a bundle, and demo rows for it, where both ways are compared in one process."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import joblib
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fitted_elsewhere import NUMBERS, TARGET, TEXTS
from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle
from scoreline.cleaning import Cleaning
from scoreline.contract import Contract

if TYPE_CHECKING:
    from pathlib import Path

DEMO = pa.schema([*((name, pa.float64()) for name in NUMBERS), *((name, pa.string()) for name in TEXTS)])
"""The input columns of demo data."""


def read_rows(parquet: Path) -> pa.Table:
    """The columns of the pipeline; text as dictionaries, as the source gives columns that repeat their values."""
    table = pq.read_table(parquet, columns=[*NUMBERS, *TEXTS, TARGET])
    kinds = {**dict.fromkeys(NUMBERS, pa.float64()), **dict.fromkeys([*TEXTS, TARGET], pa.string())}
    columns = [table[name].cast(kind) for name, kind in kinds.items()]
    encoded = [column.dictionary_encode() if pa.types.is_string(column.type) else column for column in columns[:-1]]
    return pa.table([*encoded, columns[-1]], names=list(kinds)).unify_dictionaries().combine_chunks()


def as_bundle(pipeline: Any, schema: pa.Schema, path: Path, answer_type: pa.DataType) -> Bundle:
    """A bundle of a pipeline that was handed over, which is written to `path`."""
    joblib.dump(pipeline, path)
    return Bundle(
        contract=Contract(schema, {}),
        needs=tuple(schema.names),
        cleaning=Cleaning(()),
        inputs=schema,
        model=ArtifactConfig(uri=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), trust=True),
        transformer=None,
        answer_type=answer_type,
        labels=tuple(pipeline.classes_.tolist()) if hasattr(pipeline, "classes_") else None,
    )
