"""Transform: learn from the training rows of all units what makes features of columns."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from scoreline.frame import to_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    import pyarrow as pa

    from scoreline.clusters.base import Session
    from scoreline.features import FeatureFit
    from scoreline.population import Population


def transform(
    session: Session,
    population: Population,
    begun: FeatureFit,
    inputs: pa.Schema,
    progress: Callable[[int], None],
) -> FeatureFit:
    """Fit all transformers on the training rows; eager, one pass over the data for each link of the longest chain.

    `inputs` are the feature columns after cleaning. The result is the same for any units and any cluster: statistics of
    parts are merged in input order. `progress` is told 0, then the rows of each unit at each pass.
    """
    fit = begun
    progress(0)
    while not fit.finished:
        statistics: list[Sequence[Any]] = [()] * len(population.units)
        tasks = [population.only(unit) for unit in population.units]
        for number, found in session.map(partial(unit_statistics, fit, inputs), tasks, "transform"):
            statistics[number] = found
            progress(population.units[number].rows)
        fit = fit.advance([part for unit in statistics for part in unit])
    return fit


def unit_statistics(fit: FeatureFit, inputs: pa.Schema, population: Population) -> list[Any]:
    """What the transformers need to know of one unit's training rows, merged from its batches."""
    found = [
        fit.partial(to_frame(batch.table, inputs), target_series(batch.table, population.target))
        for batch in population.batches([*inputs.names, population.target], "train")
    ]
    return [fit.merge(found)] if found else [fit.partial(to_frame(inputs.empty_table(), inputs), None)]


def target_series(table: pa.Table, target: str) -> pd.Series:
    """The target as a pandas Series, text as text."""
    series: pd.Series = table[target].to_pandas()
    return series
