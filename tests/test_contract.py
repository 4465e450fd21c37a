"""What a contract says survives storage, and its rules find every row that breaks them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.contract import (
    ColumnConfig,
    Contract,
    ContractConfig,
    Rule,
    bound,
    fits,
    from_json,
    misfits,
    parse_type,
    rules_of,
    type_name,
    violations,
)
from scoreline.refusal import Reason

TYPES = [
    pa.string(),
    pa.large_string(),
    pa.bool_(),
    pa.int8(),
    pa.uint64(),
    pa.float16(),
    pa.float32(),
    pa.float64(),
    pa.date32(),
    pa.date64(),
    pa.time32("ms"),
    pa.duration("s"),
    pa.binary(),
    pa.decimal128(18, 2),
    pa.decimal128(5, -1),
    pa.timestamp("s"),
    pa.timestamp("us", "Europe/Berlin"),
]


def found(column: Any, rule: Rule) -> dict[Reason, list[int]]:
    table = pa.table({"x": column})
    refusals = violations(table, Contract(table.schema, {"x": rule}))
    return {refusal.reason: refusal.rows.tolist() for refusal in refusals}


@pytest.mark.parametrize("arrow_type", TYPES, ids=str)
def test_a_type_is_spelled_so_that_it_is_read_back(arrow_type: pa.DataType) -> None:
    assert parse_type(type_name(arrow_type)) == arrow_type


@pytest.mark.parametrize("name", ["text", "int65", "timestamp[us", "decimal128(2)", ""])
def test_a_name_that_means_no_type_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="alias"):
        parse_type(name)


def test_a_contract_survives_storage_with_every_detail_of_its_types() -> None:
    schema = pa.schema(
        [
            pa.field("código", pa.int64(), nullable=False),
            pa.field("city", pa.dictionary(pa.int32(), pa.string())),
            pa.field("tags", pa.list_(pa.struct({"a": pa.float32()}))),
            pa.field("at", pa.timestamp("ns", "America/Sao_Paulo")),
        ]
    )
    rules = {"código": Rule(nullable=False, min=0.0), "city": Rule(allowed=("a", "b")), "at": Rule(max="2026-01-01")}
    contract = Contract(schema, rules, ("código", "city"))
    again = from_json(contract.as_json())
    assert again == contract
    assert again.schema.equals(schema, check_metadata=True)


def test_stored_types_are_readable() -> None:
    stored = Contract(pa.schema([("x", pa.float64())]), {"x": Rule(nullable=False, min=1.0)}).as_json()
    assert stored["columns"] == {"x": {"type": "float64", "nullable": False, "min": 1.0}}


def test_only_some_columns_keep_their_rules_and_order() -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.bool_())])
    part = Contract(schema, {"a": Rule(min=0.0), "b": Rule(nullable=False)}, ("b",)).only(["c", "a"])
    assert part == Contract(pa.schema([("a", pa.int64()), ("c", pa.bool_())]), {"a": Rule(min=0.0)}, ("b",))


def test_columns_that_ask_for_a_type_alone_have_no_rule() -> None:
    declared = ContractConfig(columns={"a": ColumnConfig(type="int64"), "b": ColumnConfig(nullable=False)})
    assert rules_of(declared) == {"b": Rule(nullable=False)}


@pytest.mark.parametrize(("key", "names"), [(None, ()), ("id", ("id",)), (("a", "b"), ("a", "b"))])
def test_a_key_is_a_tuple_of_names(key: Any, names: tuple[str, ...]) -> None:
    assert ContractConfig(key=key).key_columns == names


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.none() | st.integers(-5, 5), max_size=30),
    st.booleans(),
    st.none() | st.integers(-3, 3),
    st.none() | st.integers(-3, 3),
    st.none() | st.lists(st.integers(-5, 5), max_size=4),
)
def test_rows_that_break_a_rule_are_those_that_pandas_finds(
    values: list[int | None], nullable: bool, low: int | None, high: int | None, allowed: list[int] | None
) -> None:
    series = pd.Series(values, dtype="Int64")
    nothing = pd.Series(False, series.index)
    plain = {
        Reason.NULL_NOT_ALLOWED: nothing if nullable else series.isna(),
        Reason.BELOW_MINIMUM: nothing if low is None else series < low,
        Reason.ABOVE_MAXIMUM: nothing if high is None else series > high,
        Reason.VALUE_NOT_ALLOWED: nothing if allowed is None else series.notna() & ~series.isin(allowed),
    }
    expected = {reason: np.flatnonzero(mask.fillna(False)).tolist() for reason, mask in plain.items()}
    rule = Rule(nullable, low, high, None if allowed is None else tuple(allowed))
    chunks = pa.chunked_array([values[:7], values[7:]], type=pa.int16())
    assert found(chunks, rule) == {reason: rows for reason, rows in expected.items() if rows}


def test_a_refusal_says_where_and_quotes_no_value() -> None:
    table = pa.table({"x": ["secret"]})
    (refusal,) = violations(table, Contract(table.schema, {"x": Rule(allowed=("public",))}))
    assert (refusal.column, refusal.stage, str(refusal.rows.dtype)) == ("x", "contract", "int64")
    assert "secret" not in refusal.detail


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_white_space_around_text_does_not_count(text: pa.DataType) -> None:
    values = pa.array(["F ", "\tM", "X", None, ""], text)
    assert found(values, Rule(allowed=("F", "M"))) == {Reason.VALUE_NOT_ALLOWED: [2, 4]}


def test_a_dictionary_is_judged_by_its_values() -> None:
    values = pa.chunked_array([["F", None, "X"], ["X", "M"]]).dictionary_encode()
    rule = Rule(nullable=False, allowed=("F", "M"))
    assert found(values, rule) == {Reason.NULL_NOT_ALLOWED: [1], Reason.VALUE_NOT_ALLOWED: [2, 3]}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.none() | st.sampled_from(["F", " F", "M", "", "X"]), min_size=1, max_size=5),
    st.lists(st.none() | st.integers(0, 4), max_size=12),
    st.booleans(),
    st.none() | st.just(("F", "M")),
    st.none() | st.just("G"),
)
def test_a_dictionary_is_judged_as_its_rows_are(
    values: list[str | None], places: list[int | None], nullable: bool, allowed: tuple[str, ...] | None, low: str | None
) -> None:
    """Whether it lists values that no row has, null, or more values than there are rows."""
    codes = [None if place is None else place % len(values) for place in places]
    rows = pa.chunked_array(
        [
            pa.DictionaryArray.from_arrays(pa.array(c, pa.int16()), pa.array(values, pa.string()))
            for c in (codes, codes[3:])
        ]
    )
    rule = Rule(nullable, low, None, allowed)
    assert found(rows, rule) == found(rows.cast(pa.string()), rule)


def test_not_a_number_counts_as_null() -> None:
    values = pa.array([1.0, float("nan"), None, -1.0])
    assert found(values, Rule(min=0.0, max=9.0, allowed=(1.0, -1.0))) == {Reason.BELOW_MINIMUM: [3]}
    assert found(values, Rule(nullable=False)) == {Reason.NULL_NOT_ALLOWED: [1, 2]}


@pytest.mark.parametrize(
    ("values", "low"),
    [
        (pa.array(["2026-01-01", "2026-01-02"]).cast(pa.date32()), "2026-01-02"),
        (pa.array(["2026-01-01T23:59", "2026-01-02T00:00"]).cast(pa.timestamp("us")), "2026-01-02"),
        (pa.array(["2026-01-01T23:59Z", "2026-01-02T00:00Z"]).cast(pa.timestamp("us", "UTC")), "2026-01-02"),
        (pa.array(["2026-01-01T23:59Z", "2026-01-02T00:00Z"]).cast(pa.timestamp("us", "UTC")), "2026-01-01T22:00-02"),
        (pa.array(["1.09", "1.10"]).cast(pa.decimal128(9, 2)), 1.1),
        (pa.array([0, 1], pa.uint8()), 1.0),
        (pa.array([False, True]), True),
        (pa.array(["a", "b"]), "b"),
    ],
)
def test_limits_are_of_the_type_of_the_column(values: pa.Array, low: float | str) -> None:
    assert found(values, Rule(min=low)) == {Reason.BELOW_MINIMUM: [0]}


@pytest.mark.parametrize(
    ("value", "arrow_type"),
    [
        (0.5, pa.int64()),
        (-1.0, pa.uint8()),
        ("monday", pa.date32()),
        (5.0, pa.date32()),
        ("x", pa.float64()),
        ("2026-01-01T25:00", pa.timestamp("us", "UTC")),
        (1.0, pa.list_(pa.int64())),
    ],
)
def test_a_limit_of_another_type_does_not_fit(value: float | str, arrow_type: pa.DataType) -> None:
    assert not fits(value, arrow_type)
    with pytest.raises(ValueError, match=r"."):
        bound(value, arrow_type)


def test_all_rules_that_do_not_fit_the_types_found_are_named() -> None:
    schema = pa.schema([("n", pa.dictionary(pa.int32(), pa.int64())), ("day", pa.date32()), ("t", pa.string())])
    rules = {"n": Rule(min=0.5, max=3.0), "day": Rule(allowed=("2026-01-01", "soon")), "t": Rule(allowed=(1, "x"))}
    wheres = [problem.where for problem in misfits(Contract(schema, rules))]
    assert wheres == ['$.contract.columns["n"].min', '$.contract.columns["day"].allowed']


def test_allowed_values_of_several_kinds_are_read_as_the_type_of_the_column() -> None:
    assert found(pa.array(["1", "x", "2"]), Rule(allowed=(1, "x"))) == {Reason.VALUE_NOT_ALLOWED: [2]}


def test_rules_of_columns_that_were_not_read_are_left_alone() -> None:
    table = pa.table({"a": [1]})
    assert violations(table, Contract(table.schema, {"b": Rule(nullable=False)})) == ()


@pytest.mark.parametrize("arrow_type", [pa.null(), pa.string(), pa.float64()], ids=str)
def test_a_part_without_rows_breaks_nothing(arrow_type: pa.DataType) -> None:
    assert found(pa.array([], arrow_type), Rule(nullable=False, allowed=())) == {}
