"""Whether the types and limits that a contract declares mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from scoreline.config.contents import child
from scoreline.config.faults import Fault, shown
from scoreline.config.kinds import nearest
from scoreline.contract import bound, fits, parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scoreline.config.positions import JsonPath

_USUAL = (
    "string", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
    "date32", "timestamp[us]", "timestamp[ns]", "timestamp[ms]", "timestamp[s]", "decimal128(18, 2)", "binary",
)  # fmt: skip
_SPOKEN = {
    "str": "string", "text": "string", "object": "string", "int": "int64", "integer": "int64", "number": "float64",
    "float": "float64", "double": "float64", "boolean": "bool", "date": "date32", "datetime": "timestamp[us]",
    "timestamp": "timestamp[us]", "decimal": "decimal128(18, 2)",
}  # fmt: skip


def contract_faults(config: dict[str, Any]) -> Iterator[Fault]:
    """Types that do not exist, and limits or allowed values that are none of their column's type."""
    columns = child(config, "contract", "columns")
    for name, column in columns.items() if isinstance(columns, dict) else ():
        spelled = child(column, "type")
        if isinstance(spelled, str):
            yield from _column_faults(("contract", "columns", name), column, spelled)
        elif spelled is None:
            # Limits that are numbers cross whatever type of number the data turn out to have.
            path = ("contract", "columns", name)
            yield from _limits_crossed(path, child(column, "min"), child(column, "max"), pa.float64())


def _column_faults(path: JsonPath, column: dict[str, Any], spelled: str) -> Iterator[Fault]:
    try:
        arrow_type = parse_type(spelled)
    except ValueError:
        usual = _SPOKEN.get(spelled.lower())
        advice = f'did you mean "{usual}"?' if usual else nearest(spelled, _USUAL)
        yield Fault((*path, "type"), f"there is no type {shown(spelled)}", advice)
        return
    for key in ("min", "max"):
        limit = column.get(key)
        if isinstance(limit, (int, float, str)) and not fits(limit, arrow_type):
            advice = 'write a number for numbers, ISO text such as "2026-01-31" for dates'
            yield Fault((*path, key), f"{shown(limit)} is no value of the type {spelled}", advice)
    yield from _limits_crossed(path, column.get("min"), column.get("max"), arrow_type)
    allowed = column.get("allowed")
    for number, value in enumerate(allowed if isinstance(allowed, list) else ()):
        if isinstance(value, (int, float, str)) and not fits(value, arrow_type):
            advice = f"write values of the type {spelled}, or change the type"
            yield Fault((*path, "allowed", number), f"{shown(value)} is no value of the type {spelled}", advice)


def _limits_crossed(path: JsonPath, low: Any, high: Any, arrow_type: pa.DataType) -> Iterator[Fault]:
    known = all(isinstance(limit, (int, float, str)) and fits(limit, arrow_type) for limit in (low, high))
    if known and pc.greater(bound(low, arrow_type), bound(high, arrow_type)).as_py():
        what = f"min {shown(low)} is above max {shown(high)}: no value is between them"
        yield Fault((*path, "min"), what, "exchange them, or leave one out")
