from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scoreline.cleaners._casts import cast_exactly
from scoreline.cleaners.base import Cleaned
from scoreline.cleaners.cast import Cast
from scoreline.errors import StepError

NOON, MIDNIGHT = datetime.fromisoformat("2020-01-02T12:00"), datetime.fromisoformat("2020-01-02")


def cast(values: list[object], source: pa.DataType, target: str) -> Cleaned:
    return Cast(columns={"v": target}).apply(pa.table({"v": pa.array(values, source)}))


@pytest.mark.parametrize(
    ("source", "target", "good", "result", "bad"),
    [
        (pa.int64(), "int32", [5, -(2**31)], [5, -(2**31)], [2**31, -(2**31) - 1]),
        (pa.int64(), "uint8", [255], [255], [-1, 256]),
        (pa.int64(), "float64", [2**53], [2.0**53], [2**53 + 1, 2**63 - 1]),
        (pa.int64(), "decimal128(5,1)", [9999], [Decimal(9999)], [10000]),
        (pa.int64(), "bool", [0, 1], [False, True], [2, -1]),
        (pa.float64(), "int64", [3.0, -0.0], [3, 0], [0.5, float("nan"), float("inf"), 1e19]),
        (pa.float64(), "float32", [0.1, float("inf")], [pytest.approx(0.1), float("inf")], [1e300, -1e300]),
        (pa.float64(), "bool", [1.0], [True], [0.5, 2.0]),
        (pa.float64(), "decimal128(5,1)", [1.5], [Decimal("1.5")], [1.25, 1e9]),
        (pa.decimal128(5, 1), "int64", [Decimal(3)], [3], [Decimal("1.5")]),
        (pa.bool_(), "int64", [True], [1], []),
        (pa.bool_(), "decimal128(5,1)", [True], [Decimal(1)], []),
        (pa.string(), "int64", ["12", "-3", "+4"], [12, -3, 4], ["", " 1", "1.0", "0x10", "1e3", "9" * 20, "x"]),
        (
            pa.string(),
            "float64",
            ["1.5", ".5", "1e3", "+2"],
            [1.5, 0.5, 1e3, 2],
            ["", "nan", "inf", "1,5", "1e999", " 1"],
        ),
        (pa.string(), "decimal128(5,1)", ["12.5", "+1"], [Decimal("12.5"), Decimal(1)], ["1.25", "12345", "9" * 39]),
        (pa.string(), "bool", ["true", "FALSE", "1"], [True, False, True], ["yes", "", "2"]),
        (
            pa.string(),
            "date32",
            ["2020-02-29"],
            [date(2020, 2, 29)],
            ["2019-02-29", "29.02.2020", "2020-02-29 00:00:00"],
        ),
        (
            pa.string(),
            "timestamp[us]",
            ["2020-01-02T12:00:00", "2020-01-02"],
            [NOON, MIDNIGHT],
            ["12:00", "2020-01-02 25:00:00"],
        ),
        (pa.int64(), "string", [453], ["453"], []),
        (pa.date32(), "timestamp[us]", [date(2020, 1, 2)], [MIDNIGHT], []),
        (pa.timestamp("us"), "date32", [MIDNIGHT], [date(2020, 1, 2)], [NOON]),
        (pa.timestamp("us"), "timestamp[s]", [NOON], [NOON], [datetime.fromisoformat("2020-01-01T00:00:00.000001")]),
        (pa.timestamp("us"), "timestamp[ns]", [NOON], [NOON], [datetime.fromisoformat("2400-01-01")]),
    ],
)
def test_a_cast_loses_nothing_or_refuses_the_row(
    source: pa.DataType, target: str, good: list[object], result: list[object], bad: list[object]
) -> None:
    cleaned = cast([*good, None, *bad], source, target)
    assert cleaned.table["v"].to_pylist()[: len(good) + 1] == [*result, None]
    refused = [row for refusal in cleaned.refusals for row in refusal.rows.tolist()]
    assert refused == list(range(len(good) + 1, len(good) + 1 + len(bad)))


def test_values_that_do_not_fit_become_null_when_asked() -> None:
    cleaned = Cast(columns={"v": "int8"}, on_error="null").apply(pa.table({"v": [1, 999]}))
    assert cleaned.table["v"].to_pylist() == [1, None]
    assert cleaned.refusals == ()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.sampled_from(["int8", "uint32", "float64", "string"]))
def test_what_is_not_refused_comes_back(numbers: list[int], target: str) -> None:
    there = cast(numbers, pa.int64(), target)
    back = Cast(columns={"v": "int64"}).apply(there.table).table["v"].to_pylist()
    refused = {row for refusal in there.refusals for row in refusal.rows.tolist()}
    assert [n for row, n in enumerate(back) if row not in refused] == [
        n for row, n in enumerate(numbers) if row not in refused
    ]


def test_one_bad_value_among_many_is_found() -> None:
    values = [str(n) for n in range(5000)]
    values[3210] = "9" * 30
    (refusal,) = cast(values, pa.string(), "int64").refusals
    assert refusal.rows.tolist() == [3210]


@pytest.mark.parametrize(
    ("source", "target"),
    [(pa.bool_(), "date32"), (pa.list_(pa.int8()), "string"), (pa.timestamp("us", "UTC"), "timestamp[us]")],
)
def test_a_cast_that_makes_no_sense_is_refused_before_reading(source: pa.DataType, target: str) -> None:
    with pytest.raises(StepError, match="cannot become"):
        Cast(columns={"v": target}).output_schema(pa.schema({"v": source}))


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no type 'number'"):
        Cast(columns={"v": "number"})


@given(st.lists(st.decimals(min_value=-(10**15), max_value=10**15, places=3), min_size=1))
def test_decimals_become_the_float_that_python_makes_of_them(values: list[Decimal]) -> None:
    found = cast_exactly(pa.array(values, pa.decimal128(20, 3)), pa.float64())
    assert found.to_pylist() == [float(value) for value in values]
