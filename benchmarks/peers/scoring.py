"""What all peers do with a batch: scikit-learn's own `predict`, on the frame that pandas would have read."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

BATCH = 16_384
"""Rows for one call of scikit-learn, the fastest for a linear model of 8 to 250 thousand that were tried."""


@dataclass(frozen=True)
class Job:
    """What a peer is told.

    Attributes
    ----------
    source, model, output : folder of Parquet, pickled pipeline, folder to make
    keep : input columns that the output has beside the answers
    workers : processes or threads, and cores
    proba : whether probabilities of all labels are wanted
    features, labels : what the pipeline takes and what it answers with
    """

    source: str
    model: str
    output: str
    keep: tuple[str, ...]
    workers: int
    proba: bool
    features: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """What has to be read."""
        return list(dict.fromkeys([*self.keep, *self.features]))

    @property
    def shares(self) -> list[str]:
        """Names of the columns with probabilities."""
        return [f"proba_{label}" for label in self.labels] if self.proba else []


def job() -> Job:
    """What the command line says, as JSON."""
    told: dict[str, Any] = json.loads(sys.argv[1])
    lists = {name: tuple(told[name]) for name in ("keep", "features", "labels")}
    return Job(**{**told, **lists})


@lru_cache(maxsize=1)
def loaded(model: str) -> Any:
    """The pipeline, once a process."""
    import joblib

    return joblib.load(model)


def answered(table: pa.Table, of: Job) -> dict[str, pa.Array]:
    """The answers to a table, in batches."""
    starts = range(0, max(table.num_rows, 1), BATCH)
    return joined([answers(frame(table.slice(start, BATCH), of), of) for start in starts])


def frame(table: pa.Table, of: Job) -> pd.DataFrame:
    """The features as pandas reads them from Parquet."""
    features: pd.DataFrame = table.select(list(of.features)).to_pandas()
    return features


def answers(features: pd.DataFrame, of: Job) -> dict[str, pa.Array]:
    """Labels, and probabilities if they are wanted; then the labels are the likeliest ones, to ask only once."""
    pipeline = loaded(of.model)
    if not of.proba:
        return {"prediction": words(pipeline.predict(features))}
    shares = pipeline.predict_proba(features)
    likeliest = words(pipeline.classes_[shares.argmax(axis=1)])
    return {"prediction": likeliest, **{name: pa.array(shares[:, i]) for i, name in enumerate(of.shares)}}


def words(labels: np.ndarray[Any, Any]) -> pa.Array:
    """Labels as Arrow text."""
    return pa.array(labels.astype(object), pa.string())


def joined(parts: list[dict[str, pa.Array]]) -> dict[str, pa.Array]:
    """The answers of consecutive batches as one."""
    return {name: pa.concat_arrays([part[name] for part in parts]) for name in parts[0]}
