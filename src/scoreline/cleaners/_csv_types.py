"""Column types of a small dialect of CSV, settled over all of its rows in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

# In order of preference. Numbers with leading zeros are text: they are codes, and would lose them.
_SHAPES = (
    (pa.int64(), r"^-?(0|[1-9][0-9]{0,17})$"),
    (pa.float64(), r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$"),
    (pa.bool_(), r"^(true|false|True|False|TRUE|FALSE)$"),
    (pa.date32(), r"^[0-9]{4}-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])$"),
)


def types_of(batches: Iterable[pa.RecordBatch]) -> dict[str, pa.DataType]:
    """The first type that fits every value of each column, text if none does; columns come as text.

    >>> rows = pa.record_batch({"code": ["007", "12"], "count": ["7", None]})
    >>> types_of([rows])
    {'code': DataType(string), 'count': DataType(int64)}
    """
    possible: dict[str, set[int]] = {}
    seen: set[str] = set()
    for batch in batches:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            left = possible.setdefault(name, set(range(len(_SHAPES))))
            possible[name] = {at for at in left if _all_match(column, at)}
            if column.null_count < len(column):
                seen.add(name)
    return {name: _settled(left if name in seen else set()) for name, left in possible.items()}


def _all_match(column: pa.Array, at: int) -> bool:
    arrow_type, shape = _SHAPES[at]
    matched = pc.all(pc.match_substring_regex(column, pattern=shape)).as_py() is not False
    if not matched or not pa.types.is_date(arrow_type):
        return matched
    try:
        column.cast(arrow_type)
    except pa.ArrowInvalid:
        return False
    return True


def _settled(possible: set[int]) -> pa.DataType:
    return _SHAPES[min(possible)][0] if possible else pa.string()
