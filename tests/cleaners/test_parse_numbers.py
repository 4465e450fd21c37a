from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scoreline.cleaners.base import Cleaned
from scoreline.cleaners.parse_numbers import ParseNumbers
from scoreline.refusal import Reason

BRAZIL = {"decimal": ",", "thousands": ".", "strip": "R$", "null_values": ["-"]}


def parsed(values: list[str | None], **options: object) -> Cleaned:
    return ParseNumbers(columns=["v"], **options).apply(pa.table({"v": pa.array(values, pa.string())}))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.784,13", 1784.13),
        (" 31 ", 31.0),
        ("12.345.678", 12345678.0),
        ("4,53E+11", 4.53e11),
        (",5", 0.5),
        ("+7", 7.0),
        ("-1.000", -1000.0),
        ("\u22123", -3.0),
        ("(1,5)", -1.5),
        ("5 -", -5.0),
        ("R$ 1.234,50", 1234.5),
        ("-R$ 5", -5.0),
        ("R$ -5", -5.0),
        ("(R$ 5)", -5.0),
        ("5 R$", 5.0),
        (" -   ", None),
        ("R$ -", None),
        ("", None),
        (None, None),
    ],
)
def test_numbers_as_people_write_them(text: str | None, number: float | None) -> None:
    cleaned = parsed([text], **BRAZIL)
    assert cleaned.table["v"].to_pylist() == [number]
    assert cleaned.refusals == ()


@pytest.mark.parametrize(
    "text",
    ["1.23,4", "1,2,3", "12.34", "1 2", "x", "nan", "inf", "0x1", "5,", ",", "R$", "5,-", "1e999", "--1", "(1", "٣"],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    (refusal,) = parsed(["1", text, None], **BRAZIL).refusals
    assert refusal.rows.tolist() == [1]
    assert (refusal.reason, refusal.column, refusal.stage) == (Reason.BAD_VALUE, "v", "parse_numbers")


def test_what_is_no_number_becomes_null_when_asked() -> None:
    cleaned = parsed(["1", "x"], on_error="null")
    assert cleaned.table["v"].to_pylist() == [1.0, None]
    assert cleaned.refusals == ()


def test_a_thousands_mark_must_be_declared() -> None:
    assert parsed(["1,234"], decimal=".").refusals[0].rows.tolist() == [0]
    assert parsed(["1,234"], thousands=",").table["v"].to_pylist() == [1234.0]


@pytest.mark.parametrize("mark", [" ", "\u00a0", "\u202f"])
def test_a_space_between_thousands_may_be_any_space_that_typists_use(mark: str) -> None:
    assert parsed([f"1{mark}234"], thousands=" ").table["v"].to_pylist() == [1234.0]


@pytest.mark.parametrize(
    ("text", "number"),
    [("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)), ("3.00", 3), ("007", 7)],
)
def test_integers_are_exact(text: str, number: int) -> None:
    cleaned = parsed([text], type="int64")
    assert cleaned.table["v"].to_pylist() == [number]
    assert cleaned.table.schema == pa.schema({"v": pa.int64()})


@pytest.mark.parametrize("text", ["9223372036854775808", "1.5", "1e3", "9" * 39])
def test_what_is_no_int64_is_refused(text: str) -> None:
    assert parsed([text], type="int64").refusals[0].rows.tolist() == [0]


def test_one_mark_cannot_mean_two_things() -> None:
    with pytest.raises(ValidationError, match="are both ','"):
        ParseNumbers(columns=["v"], decimal=",", thousands=",")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.decimals(min_value=-(10**12), max_value=10**12, places=3)))
def test_grouped_numbers_are_read_back(numbers: list[Decimal]) -> None:
    texts = [f"{number:,}".replace(",", "_").replace(".", ",").replace("_", ".") for number in numbers]
    cleaned = parsed(texts, decimal=",", thousands=".")
    assert cleaned.table["v"].to_pylist() == [float(number) for number in numbers]
    assert cleaned.refusals == ()


def test_refused_rows_are_found_in_chunks_of_repeated_values() -> None:
    chunks = [pa.array(["1", "x", "1"]).dictionary_encode(), pa.array(["1", "1", "x"]).dictionary_encode()]
    (refusal,) = ParseNumbers(columns=["v"]).apply(pa.table({"v": pa.chunked_array(chunks)})).refusals
    assert refusal.rows.tolist() == [1, 5]
