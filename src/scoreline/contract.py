"""The contract: which columns the input has, of which type, and which values they may hold."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from scoreline.errors import Problem
from scoreline.refusal import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SOURCE_FILE = "source_file"
SOURCE_ROW = "source_row"
PREDICTED = "prediction"
"""The column of predictions; of several outputs the number of each follows, as in ``prediction_0``."""

_DECIMAL = re.compile(r"decimal128\((\d+), ?(-?\d+)\)")
_TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns)(?:, ?tz=([^\]]+))?\]")


class ColumnConfig(BaseModel):
    """What a config says about one input column."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str | None = Field(None, description="Arrow type: string, int64, float64, bool, date32, timestamp[us], ...")
    nullable: bool = Field(True, description="False: a row with a null here is refused.")
    min: float | str | None = Field(None, description="Smallest value allowed; ISO text for dates.")
    max: float | str | None = Field(None, description="Largest value allowed; ISO text for dates.")
    allowed: tuple[str | int | float | bool, ...] | None = Field(
        None, description="The only values allowed, besides null."
    )


class ContractConfig(BaseModel):
    """The ``contract`` section of a config. Columns that it does not name take the type found in the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: dict[str, ColumnConfig] = Field(default_factory=dict, description="Declared columns by name.")
    key: str | tuple[str, ...] | None = Field(None, description="Column or columns that identify a row.")
    extra_columns: Literal["keep", "drop", "refuse"] = Field("keep", description="Columns that are not declared.")

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The key as a tuple of names, empty without a key."""
        if self.key is None:
            return ()
        return (self.key,) if isinstance(self.key, str) else self.key


@dataclass(frozen=True)
class Rule:
    """Which values of one column are allowed."""

    nullable: bool = True
    min: float | str | None = None
    max: float | str | None = None
    allowed: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Contract:
    """The contract with every column's type settled.

    Attributes
    ----------
    schema : names and types of the input columns, in input order
    rules : what else is asked of a column's values, for the columns that ask something
    key : columns that identify a row; empty when the record number does
    """

    schema: pa.Schema
    rules: Mapping[str, Rule]
    key: tuple[str, ...] = ()

    def only(self, names: Sequence[str]) -> Contract:
        """The contract of some of its columns, in its own order."""
        wanted = frozenset(names)
        return Contract(
            pa.schema([field for field in self.schema if field.name in wanted]),
            {name: rule for name, rule in self.rules.items() if name in wanted},
            self.key,
        )

    def as_json(self) -> dict[str, Any]:
        """A JSON object that people can read and `from_json` restores exactly."""
        return {
            "columns": {
                field.name: {"type": type_name(field.type), **self._rule_as_json(field.name)} for field in self.schema
            },
            "key": list(self.key),
            "arrow_schema": base64.b64encode(self.schema.serialize().to_pybytes()).decode(),
        }

    def _rule_as_json(self, name: str) -> dict[str, Any]:
        rule = self.rules.get(name, Rule())
        stated = {"nullable": rule.nullable, "min": rule.min, "max": rule.max}
        return {
            **{key: value for key, value in stated.items() if value is not None},
            **({} if rule.allowed is None else {"allowed": list(rule.allowed)}),
        }


def from_json(stored: Mapping[str, Any]) -> Contract:
    """The contract that `Contract.as_json` wrote."""
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(stored["arrow_schema"])))
    rules = {}
    for name, column in stored["columns"].items():
        allowed = column.get("allowed")
        rule = Rule(
            column["nullable"], column.get("min"), column.get("max"), None if allowed is None else tuple(allowed)
        )
        if rule != Rule():
            rules[name] = rule
    return Contract(schema, rules, tuple(stored["key"]))


def rules_of(declared: ContractConfig) -> dict[str, Rule]:
    """The rules that a config declares, for the columns that ask more than a type."""
    rules = {name: Rule(c.nullable, c.min, c.max, c.allowed) for name, c in declared.columns.items()}
    return {name: rule for name, rule in rules.items() if rule != Rule()}


def in_order(names: Iterable[str], schema: pa.Schema) -> tuple[str, ...]:
    """Some columns in the order of a schema."""
    wanted = frozenset(names)
    return tuple(name for name in schema.names if name in wanted)


def parse_type(name: str) -> pa.DataType:
    """The Arrow type of a name as configs spell it. Raises ValueError for a name that means nothing.

    >>> parse_type("float64"), parse_type("timestamp[us, tz=UTC]")
    (DataType(double), TimestampType(timestamp[us, tz=UTC]))
    """
    if match := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(match[1]), int(match[2]))
    if match := _TIMESTAMP.fullmatch(name):
        return pa.timestamp(match[1], match[2])
    return pa.type_for_alias(name)


def type_name(arrow_type: pa.DataType) -> str:
    """The name by which configs spell an Arrow type; dictionaries count as their values.

    >>> type_name(pa.float64()), type_name(pa.dictionary(pa.int32(), pa.string()))
    ('float64', 'string')
    """
    if pa.types.is_dictionary(arrow_type):
        return type_name(arrow_type.value_type)
    return {"double": "float64", "float": "float32", "halffloat": "float16", "date32[day]": "date32"}.get(
        str(arrow_type), str(arrow_type)
    )


def has_outputs(answer_type: pa.DataType) -> bool:
    """Whether it is the type of predictions of several outputs: a struct with the column of each as a field."""
    return bool(pa.types.is_struct(answer_type) and answer_type.get_field_index(f"{PREDICTED}_0") == 0)


def violations(table: pa.Table, contract: Contract) -> tuple[Refusal, ...]:
    """Rows that break a rule of the contract, for the columns of `table` that have rules. Eager, one pass a rule.

    Text is compared without the white space around it. NaN counts as null.
    """
    found: list[Refusal] = []
    for name, rule in contract.rules.items():
        if name in table.column_names:
            found.extend(_broken(table[name], name, rule))
    return tuple(found)


def _broken(column: pa.ChunkedArray, name: str, rule: Rule) -> Iterator[Refusal]:
    values, places = _distinct(column)
    for mask, reason, detail in _masks(_comparable(values), rule):
        if pc.any(mask).as_py():
            yield from _refusals(mask if places is None else pc.take(mask, places), reason, detail, name)


def _distinct(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray | pa.Array, pa.ChunkedArray | None]:
    """The values to judge, and where each row finds its own: the distinct ones and null, where the column has them."""
    if not pa.types.is_dictionary(column.type) or any(chunk.dictionary.null_count for chunk in column.chunks):
        return column, None
    unified = column.unify_dictionaries()
    values = unified.chunk(0).dictionary if unified.num_chunks else None
    if values is None or len(values) > len(column):
        return column, None
    places = [pc.fill_null(chunk.indices.cast(pa.int64()), len(values)) for chunk in unified.chunks]
    return pa.concat_arrays([values, pa.nulls(1, values.type)]), pa.chunked_array(places)


def _masks(values: pa.ChunkedArray | pa.Array, rule: Rule) -> Iterator[tuple[pa.ChunkedArray, Reason, str]]:
    """Which values break the rule, for each thing that it asks."""
    null = pc.is_null(values, nan_is_null=True)
    if not rule.nullable:
        yield null, Reason.NULL_NOT_ALLOWED, "null in a column that allows none"
    if rule.min is not None:
        low = pc.less(values, bound(rule.min, values.type))
        yield low, Reason.BELOW_MINIMUM, f"below the minimum {rule.min}"
    if rule.max is not None:
        high = pc.greater(values, bound(rule.max, values.type))
        yield high, Reason.ABOVE_MAXIMUM, f"above the maximum {rule.max}"
    if rule.allowed is not None:
        allowed = pa.array([bound(value, values.type) for value in rule.allowed], values.type)
        other = pc.invert(pc.or_(pc.is_in(values, value_set=allowed), null))
        yield other, Reason.VALUE_NOT_ALLOWED, "not one of the allowed values"


def _comparable(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """The values themselves instead of a dictionary, and text without white space around it."""
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    if pa.types.is_string_view(plain.type):
        plain = plain.cast(pa.string())
    is_text = pa.types.is_string(plain.type) or pa.types.is_large_string(plain.type)
    try:
        return pc.utf8_trim_whitespace(plain) if is_text else plain
    except pa.ArrowInvalid:
        return pa.array(map(_trimmed, plain.cast(pa.large_binary()).to_pylist()), plain.type)


def _trimmed(text: bytes | None) -> str | None:
    """The text without white space around it, with a sign for each byte that is not UTF-8."""
    return None if text is None else text.decode(errors="replace").strip()


def _refusals(mask: pa.ChunkedArray, reason: Reason, detail: str, name: str) -> Iterator[Refusal]:
    if pc.any(mask).as_py():
        yield _refusal(mask, reason, detail, name)


def _refusal(mask: pa.ChunkedArray, reason: Reason, detail: str, name: str) -> Refusal:
    rows = pc.indices_nonzero(pc.fill_null(mask, fill_value=False)).to_numpy().astype("int64")
    return Refusal(rows, reason, detail, column=name, stage="contract")


def bound(value: float | str, arrow_type: pa.DataType) -> pa.Scalar:
    """A limit as a scalar of the column's own type. Raises ValueError when it does not fit it.

    Times are ISO text, in the time zone of the column when the text has none.

    >>> str(bound("2026-01-01", pa.timestamp("us", "Asia/Tokyo")))
    '2026-01-01 00:00:00+09:00'
    """
    try:
        return pa.scalar(value).cast(arrow_type)
    except pa.ArrowInvalid:
        if not (pa.types.is_timestamp(arrow_type) and arrow_type.tz and isinstance(value, str)):
            raise
        return pc.assume_timezone(pa.scalar(value).cast(pa.timestamp(arrow_type.unit)), arrow_type.tz)
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise ValueError(str(error)) from error


def misfits(contract: Contract) -> Iterator[Problem]:
    """Limits and allowed values that are none of the type that their column turned out to have."""
    for name, rule in contract.rules.items():
        stated = [("min", rule.min), ("max", rule.max), *(("allowed", value) for value in rule.allowed or ())]
        arrow_type = contract.schema.field(name).type
        for key, value in stated:
            if value is not None and not fits(value, arrow_type):
                what = f"{value!r} is no value of the type {type_name(arrow_type)}, which column '{name}' has"
                where = f"$.contract.columns[{json.dumps(name, ensure_ascii=False)}].{key}"
                yield Problem(what, where, "write a value of that type, or declare the type")


def fits(value: float | str, arrow_type: pa.DataType) -> bool:
    """True when a limit can be compared with values of a type; dictionaries count as their values."""
    try:
        bound(value, arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type)
    except ValueError:
        return False
    return True
