"""Keep: write what passes between stages as Parquet, for a person who wants to look at it later."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from scoreline.contract import SOURCE_FILE, SOURCE_ROW
from scoreline.frame import to_frame
from scoreline.sinks.parquet import Parquet
from scoreline.storage import create, draft, join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoreline.bundle.bundle import Bundle
    from scoreline.clusters.base import Session
    from scoreline.population import Population


@dataclass(frozen=True, eq=False)
class KeepTask:
    """What to keep, and where.

    Attributes
    ----------
    bundle : whose transformers make the features
    columns : columns of the held-out rows to keep
    transformed, held_out : folders to write to; None to leave out
    """

    bundle: Bundle
    columns: tuple[str, ...]
    transformed: str | None
    held_out: str | None


def keep(session: Session, task: KeepTask, population: Population) -> None:
    """Write the features of the training rows, the held-out rows, or both, a file a unit. Eager."""
    if task.transformed is None and task.held_out is None:
        return
    for _ in session.map(partial(keep_unit, task), [population.only(unit) for unit in population.units], "keep"):
        pass


def keep_unit(task: KeepTask, population: Population) -> None:
    """Write one unit's share in this process. Memory: one batch."""
    name = f"{population.units[0].name}.parquet"
    if task.transformed is not None:
        _write(_features(task, population), join(task.transformed, name))
    if task.held_out is not None:
        columns = [*task.columns, SOURCE_FILE, SOURCE_ROW]
        _write((batch.table for batch in population.batches(columns, "held_out")), join(task.held_out, name))


def _features(task: KeepTask, population: Population) -> Iterator[pa.Table]:
    """Features under scikit-learn's names, with the target and row identity beside them."""
    features = task.bundle.fitted.model[:-1]
    names = [str(name) for name in features.get_feature_names_out()]
    wanted = [*task.bundle.inputs.names, population.target, SOURCE_FILE, SOURCE_ROW]
    for batch in population.batches(wanted, "train"):
        matrix = np.asarray(features.transform(to_frame(batch.table, task.bundle.inputs)))
        columns = [pa.array(np.ascontiguousarray(matrix[:, place])) for place in range(matrix.shape[1])]
        beside = [batch.table[name] for name in wanted[-3:]]
        yield pa.table([*columns, *beside], names=[*names, *wanted[-3:]])


def _write(tables: Iterator[pa.Table], uri: str) -> None:
    first = next(tables, None)
    if first is None:
        return
    with draft(uri) as spool:
        Parquet(uri=uri).write(chain([first], tables), first.schema, spool, {})
        create(uri, spool)
