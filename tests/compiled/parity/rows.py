"""Rows of every type that a contract allows, ordinary ones and such as are hard to treat alike."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CITIES = ["Natal", "Olinda", "Recife", "Porto", "Braga", "Ílhavo"]
FIELDS = pa.schema(
    [
        pa.field("city", pa.string()),
        pa.field("sex", pa.string(), nullable=False),
        pa.field("group", pa.large_string()),
        pa.field("amount", pa.float64()),
        pa.field("ratio", pa.float64(), nullable=False),
        pa.field("share", pa.float32()),
        pa.field("age", pa.int64()),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("level", pa.int16()),
        pa.field("vip", pa.bool_(), nullable=False),
        pa.field("asked", pa.bool_()),
        pa.field("price", pa.decimal128(9, 2)),
        pa.field("day", pa.date32()),
    ]
)
TEXTS = ("city", "sex", "group")
NUMBERS = ("amount", "ratio", "share", "age", "count", "level", "vip", "asked", "price")
FLOATS = ("amount", "ratio", "share")
_REPEATING = {"city": CITIES, "sex": ["F", "M"], "group": ["a", "b", "c", "d"]}
_HARD_FLOATS = (np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -1e-310, 1e-45, 1e30, 1e39, -1.7e308, 3.4028235e38)
_HARD: Mapping[str, Sequence[Any]] = {
    "text": ("", " ", "nan", "None", "nowhere", "Recife ", "RECIFE"),
    "whole": (0, -1, 127, 2**24 + 1, 2**31, 2**53, -(2**53)),
    "small": (0, -1, 127, -32768, 32767),
}


def ordinary(names: Sequence[str], count: int, seed: int) -> pa.Table:
    """Rows as training meets them: values repeat, one in ten is null where the column allows it."""
    rng = np.random.default_rng(seed)
    return pa.table([_column(FIELDS.field(name), count, rng) for name in names], schema=schema_of(names))


def schema_of(names: Sequence[str]) -> pa.Schema:
    """The fields of some columns."""
    return pa.schema([FIELDS.field(name) for name in names])


def _column(field: pa.Field, count: int, rng: np.random.Generator) -> pa.Array:
    mask = rng.random(count) < (0.1 if field.nullable else 0)
    if field.name in _REPEATING:
        return pa.array(rng.choice(_REPEATING[field.name], count), field.type, mask=mask)
    values: dict[str, Any] = {
        "amount": rng.normal(100, 50, count),
        "ratio": rng.integers(0, 64, count) / 64,
        "share": rng.random(count).astype(np.float32),
        "age": rng.integers(18, 90, count),
        "count": rng.integers(0, 9, count),
        "level": rng.integers(0, 5, count).astype(np.int16),
        "vip": rng.random(count) < 0.5,
        "asked": rng.random(count) < 0.3,
    }
    if field.name in values:
        return pa.array(values[field.name], field.type, mask=mask)
    drawn = rng.integers(0, 900, count).tolist()
    made = [Decimal(n) / 4 for n in drawn] if field.name == "price" else [_day(n) for n in drawn]
    return pa.array([None if gone else value for value, gone in zip(made, mask, strict=True)], field.type)


def _day(number: int) -> dt.date:
    return dt.date(2020, 1, 1) + dt.timedelta(days=number)


def hard(table: pa.Table, near: Mapping[str, np.ndarray], seed: int, *, often: float) -> pa.Table:
    """The table with some values made hard: null, unknown, not finite, tiny, huge; numbers at and beside `near`.

    `often` is the share of values that are changed. Text comes plain or as a dictionary, in one chunk or in two.
    """
    rng = np.random.default_rng(seed)
    columns = [_hardened(table[field.name].to_pylist(), field, near, rng, often) for field in table.schema]
    half = table.num_rows // 2
    chunked = [pa.chunked_array([column[:half], column[half:]]) for column in columns]
    encoded = [
        column.dictionary_encode() if field.name in TEXTS and rng.random() < 0.5 else column
        for column, field in zip(chunked, table.schema, strict=True)
    ]
    return pa.table(encoded, names=table.schema.names)


def _hardened(
    values: list[Any], field: pa.Field, near: Mapping[str, np.ndarray], rng: np.random.Generator, often: float
) -> pa.Array:
    pool = _pool(field, near)
    if not pool:
        return pa.array(values, field.type)
    changed = np.flatnonzero(rng.random(len(values)) < often)
    for row in changed.tolist():
        values[row] = pool[int(rng.integers(len(pool)))]
    return pa.array(values, field.type)


def _pool(field: pa.Field, near: Mapping[str, np.ndarray]) -> list[Any]:
    nothing = [None] if field.nullable else []
    if field.name in TEXTS:
        return [*nothing, *_HARD["text"]]
    if field.name in FLOATS:
        single = pa.types.is_float32(field.type)
        thresholds = [float(np.float32(value)) if single else float(value) for value in near.get(field.name, ())]
        # A threshold is as likely as all other hard numbers together.
        some = [float(np.float32(value)) if single else value for value in _HARD_FLOATS]
        return [*nothing, *some, *thresholds[: 4 * len(some)]]
    if pa.types.is_integer(field.type):
        return [*nothing, *_HARD["small" if pa.types.is_int16(field.type) else "whole"]]
    return nothing


def beside(values: np.ndarray) -> np.ndarray:
    """Numbers with their neighbours in both precisions, in a random order."""
    single = values.astype(np.float32)
    every = [values, *(np.nextafter(values, side) for side in (-np.inf, np.inf)), single.astype(np.float64)]
    every += [np.nextafter(single, np.float32(side)).astype(np.float64) for side in (-np.inf, np.inf)]
    return np.random.default_rng(0).permutation(np.concatenate(every))


SEVERAL = {"numbers": "number", "labels": "four", "flags": "bool"}
"""Targets of several outputs, by what each of them is."""


def target(table: pa.Table, kind: str, seed: int) -> np.ndarray:
    """What the rows are to be predicted as: two or four classes of text, a dozen whole numbers, booleans, or a number.

    Of several outputs it is numbers, classes of text, or flags, three of each.

    From eight on NumPy adds up probabilities in another order where they lie in memory row by row.
    """
    if kind in SEVERAL:
        outputs = [target(table, SEVERAL[kind], each) for each in range(seed, seed + 3)]
        return np.stack(outputs, axis=1).astype(int if kind == "flags" else outputs[0].dtype)
    rng = np.random.default_rng(seed)
    score = rng.normal(0, 0.3, table.num_rows)
    for place, name in enumerate(table.schema.names):
        values = table[name].to_pylist()
        known = sorted({value for value in values if value is not None}, key=str)
        rank = {value: number / len(known) for number, value in enumerate(known)}
        score += np.array([rank.get(value, 0.5) for value in values]) * (1 + place % 3)
    if kind == "number":
        return np.asarray(np.exp(score / 2))
    classes = {"two": 2, "bool": 2, "whole": 12}.get(kind, 4)
    levels = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))
    named = np.array(["low", "mid", "high", "top"], dtype=object)[levels % 4]
    return np.asarray({"bool": levels > 0, "whole": levels * 3 - 1}.get(kind, named))
