"""How a model is fitted once the transformers are: its features, its target, its parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.frame import to_frame
from scoreline.storage import open_input

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoreline.features import FeatureFit
    from scoreline.models.base import Model
    from scoreline.population import Population
    from scoreline.task import Task

HEAD_ROWS = 200
"""Rows that show scikit-learn what the columns look like when the fitted transformers are put together."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """How a model is fitted once the transformers are.

    Attributes
    ----------
    inputs : the feature columns after cleaning
    threads : threads that BLAS, OpenMP and the estimator may use; part of what makes the same model twice
    sample_uri : the rows that the model is fitted on
    population : when the model learns in parts: all rows, of which the training rows are used
    """

    model: Model
    task: Task
    fit: FeatureFit
    inputs: pa.Schema
    target: str
    seed: int
    threads: int
    sample_uri: str
    population: Population | None

    def trying(self, params: Mapping[str, Any]) -> Recipe:
        """The recipe with some parameters of the estimator replaced."""
        model = self.model.model_copy(update={"params": {**self.model.params, **params}})
        return replace(self, model=model)

    def estimator(self) -> Any:
        """The unfitted estimator."""
        return self.model.build(self.task, self.seed, self.threads)

    def features(self) -> Any:
        """The fitted ColumnTransformer. Reads the first rows of the sample, which it was fitted on."""
        return self.fit.export(to_frame(self.head(HEAD_ROWS), self.inputs))

    def head(self, rows: int) -> pa.Table:
        """The feature columns of the first rows of the sample."""
        with open_input(self.sample_uri) as file, pq.ParquetFile(file, pre_buffer=False) as parquet:
            head = next(parquet.iter_batches(rows, columns=self.inputs.names, use_threads=False))
        return pa.Table.from_batches([head])

    def matrix(self, features: Any, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Features, float64 (rows, features), and target of a table of cleaned rows."""
        return np.asarray(features.transform(to_frame(table, self.inputs))), self.target_values(table)

    def target_values(self, table: pa.Table) -> np.ndarray:
        """The target as scikit-learn takes it: float64, or labels as object, int64 or bool."""
        column = table[self.target]
        if self.task == "regression":
            return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
        return np.asarray(column.to_pylist(), dtype=object if _is_text(column.type) else None)

    def sample(self) -> pa.Table:
        """The rows that the model is fitted on."""
        with open_input(self.sample_uri) as file:
            return pq.read_table(file, use_threads=False)


def _is_text(arrow_type: pa.DataType) -> bool:
    plain = arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))
