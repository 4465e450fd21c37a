"""Numbers filled and scaled straight from Arrow, by the arithmetic of the fitted transformers themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from scoreline.compiled.dictionary import Declined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Step(NamedTuple):
    """What changes a matrix (rows, columns) in place, and whether columns without infinite numbers stay so."""

    change: Callable[[np.ndarray], None]
    keeps_finite: bool = False


@dataclass(frozen=True, eq=False)
class Numbers:
    """Columns of numbers and what is done to them, in the order and with the roundings of scikit-learn."""

    columns: pa.Schema
    steps: tuple[Step, ...]

    def block(self, table: pa.Table) -> np.ndarray:
        """What the transformer makes of the columns; float64, in the memory order that a frame leads to.

        Raises Declined for columns of another type, and for infinite numbers and null where none is allowed, which
        scikit-learn or the frame refuses; ArrowInvalid for whole numbers that float64 does not hold.
        """
        made = np.empty((table.num_rows, len(self.columns)), order="F")
        for place, field in enumerate(self.columns):
            made[:, place] = _values(table[field.name], field)
        # Whole numbers are finite.
        suspects = [place for place, field in enumerate(self.columns) if not pa.types.is_integer(field.type)]
        with np.errstate(over="ignore"):
            for step in self.steps:
                # Each transformer looks before it works; the last one may well make an infinite number.
                _check(made, suspects)
                step.change(made)
                suspects = suspects if step.keeps_finite else list(range(len(self.columns)))
        return made


def numbers_of(steps: Sequence[Any], columns: tuple[str, ...], schema: pa.Schema) -> Numbers | None:
    """The steps of a branch, when it is one of float64 and whole numbers and every step is known; else None."""
    fields = pa.schema([schema.field(name) for name in columns])
    if not steps or not all(kind == pa.float64() or pa.types.is_integer(kind) for kind in fields.types):
        return None
    known = [_step(each) for each in steps]
    return Numbers(fields, tuple(step for step in known if step is not None)) if all(known) else None


def _check(made: np.ndarray, columns: Sequence[int]) -> None:
    infinite = [np.isinf(made[:, place]) for place in columns]
    if any(rows.any() for rows in infinite):
        raise Declined("infinite numbers", np.flatnonzero(np.any(infinite, axis=0)))


def _values(column: pa.ChunkedArray, field: pa.Field) -> np.ndarray:
    if column.type != field.type:
        raise Declined(f"column '{field.name}' is {column.type}, not {field.type}")
    if pa.types.is_integer(field.type) and column.null_count and not field.nullable:
        raise Declined(f"null in column '{field.name}'")
    values: np.ndarray = column.cast(pa.float64()).to_numpy()
    return values


def _step(transformer: Any) -> Step | None:
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    makers: dict[type, Callable[[Any], Step | None]] = {
        SimpleImputer: _filled,
        StandardScaler: lambda scaler: _scaled(scaler.mean_ if scaler.with_mean else None, scaler.scale_),
        RobustScaler: lambda scaler: _scaled(scaler.center_, scaler.scale_),
        MaxAbsScaler: lambda scaler: None if scaler.clip else _scaled(None, scaler.scale_),
        MinMaxScaler: _spread,
    }
    maker = makers.get(type(transformer))
    return None if maker is None else maker(transformer)


def _filled(imputer: Any) -> Step | None:
    if imputer._fill_dtype != np.float64 or imputer.add_indicator or not _is_nan(imputer.missing_values):  # noqa: SLF001
        return None
    values = imputer.statistics_.astype(np.float64)
    if not np.isfinite(values).all():
        # A column without values is left out.
        return None

    def fill(made: np.ndarray) -> None:
        for place, value in enumerate(values.tolist()):
            missing = np.isnan(made[:, place])
            if missing.any():
                made[missing, place] = value

    return Step(fill, keeps_finite=True)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and bool(np.isnan(value))


def _scaled(center: np.ndarray | None, scale: np.ndarray | None) -> Step:
    def scaled(made: np.ndarray) -> None:
        if center is not None:
            made -= center
        if scale is not None:
            made /= scale

    return Step(scaled)


def _spread(scaler: Any) -> Step:
    def spread(made: np.ndarray) -> None:
        made *= scaler.scale_
        made += scaler.min_
        if scaler.clip:
            np.clip(made, *scaler.feature_range, out=made)

    return Step(spread)
