"""What all transformers ask of their columns, before and while they are fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from scoreline.errors import DataError, Problem, StepError, nearest
from scoreline.frame import family

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from scoreline.transformers.base import Transformer


def check_columns(transformer: Transformer, schema: pa.Schema) -> None:
    """Raise StepError naming every column that is missing, stated twice, or of a type that it does not take."""
    problems = tuple(_problems(transformer, schema))
    if problems:
        raise StepError(*problems)


def _problems(transformer: Transformer, schema: pa.Schema) -> Iterator[Problem]:
    for name in dict.fromkeys(transformer.columns):
        where = f"features, {transformer.kind}: column '{name}'"
        if name not in schema.names:
            close = nearest(name, schema.names, 3)
            known = (
                f"did you mean {' or '.join(map(repr, close))}?" if close else f"columns here: {_listed(schema.names)}"
            )
            yield Problem(f"no column '{name}'", where, known)
        elif transformer.columns.count(name) > 1:
            yield Problem(f"column '{name}' is named twice", where, "name it once")
        elif objection := transformer.objection(schema.field(name)):
            yield Problem(
                f"{transformer.kind} cannot take column '{name}' {objection}",
                where,
                _advice(transformer.accepts, schema.field(name).type),
            )


def _advice(accepts: str, arrow_type: pa.DataType) -> str:
    if pa.types.is_null(arrow_type):
        return "leave the column out, or fill it while cleaning"
    if family(arrow_type) == "text":
        return (
            "turn it into numbers while cleaning (parse_numbers, cast), or choose another column; "
            "a column without any value counts as text until the contract gives it a type"
        )
    return _ADVICE[accepts]


_ADVICE = {
    "number": "choose number columns, or turn it into a number first",
    "text": "choose text columns, or cast it to string while cleaning",
    "any": "choose number or text columns, or derive one while cleaning (of a date: its parts)",
}


def _listed(names: list[str]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


def objection_to_type(accepts: str, field: pa.Field) -> str | None:
    """The end of a sentence that refuses a column for its type; None when its type is among the accepted ones."""
    kind = family(field.type)
    if pa.types.is_null(field.type):
        return "without any value"
    return None if kind == accepts or (accepts == "any" and kind != "other") else f"of type {field.type}"


def finite(column: pd.Series) -> pd.Series:
    """The column itself. Raises DataError naming it when it holds infinite numbers, which scikit-learn refuses."""
    if column.dtype.kind == "f" and np.isinf(column.to_numpy()).any():
        advice = "turn infinite values into nulls or limits while cleaning (clip), or give the contract a range"
        raise DataError(Problem(f"column '{column.name}' holds infinite numbers", f"column '{column.name}'", advice))
    return column


def present(column: pd.Series) -> np.ndarray:
    """The values of a number column that are not null, float64, in row order. Raises DataError as `finite`."""
    values: np.ndarray = finite(column).to_numpy(dtype=np.float64)
    return np.asarray(values[~np.isnan(values)])


def refuse_empty(kind: str, counts: Iterable[tuple[str, int]]) -> None:
    """Raise DataError naming every column of (name, number of values) that has no value to learn from."""
    advice = "leave the column out, or fill it while cleaning"
    problems = [
        Problem(f"{kind}: column '{name}' has no value in the training rows", f"column '{name}'", advice)
        for name, count in counts
        if count == 0
    ]
    if problems:
        raise DataError(*problems)
