import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.sources._profile import profile_of
from scoreline.sources._values import Spelling, read_values

PLAIN, LOCALE = Spelling(), Spelling(",", ".")


def read(texts: list[str | None], wanted: pa.DataType, spelling: Spelling = PLAIN) -> tuple[list[object], list[int]]:
    text = pa.array(texts, pa.string())
    typed, repeated = (read_values(form, wanted, spelling) for form in (text, text.dictionary_encode()))
    assert typed.values.to_pylist() == repeated.values.to_pylist()
    bad, same = (np.zeros(len(texts), bool) if one.bad is None else one.bad for one in (typed, repeated))
    assert bad.tolist() == same.tolist()
    return typed.values.to_pylist(), np.flatnonzero(bad).tolist()


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.234,50", 1234.5), (" 7 ", 7.0), ("-0,5", -0.5), ("+5", 5.0), (",5", 0.5), ("1e3", 1000.0), ("1234,5", 1234.5)],
)
def test_numbers_are_read_in_their_locale(text: str, value: float) -> None:
    assert read([text], pa.float64(), LOCALE) == ([value], [])


@pytest.mark.parametrize("text", ["4.12.2019", "1.23", "12.34,5", "1,2,3", "1.5", "0x10", "R$ 5", "1 2", ".", "1e999"])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert read(["1", text], pa.float64(), LOCALE) == ([1.0, None], [1])


@pytest.mark.parametrize("text", ["", "  ", " - ", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "#N/A"])
def test_words_for_null_are_null(text: str) -> None:
    for wanted in (pa.float64(), pa.int64(), pa.bool_(), pa.date32(), pa.timestamp("us")):
        assert read([text], wanted) == ([None], [])


def test_text_stays_as_it_is() -> None:
    assert read([" x ", "-", "NA", None], pa.string()) == ([" x ", "-", "NA", None], [])


def test_infinity_is_a_number_only_where_it_is_spelled() -> None:
    assert read(["inf", "-Infinity", "1e400"], pa.float64()) == ([np.inf, -np.inf, None], [2])


@pytest.mark.parametrize(
    ("texts", "wanted", "values", "bad"),
    [
        (["127", "128", "-129", "7.0", "7.5"], pa.int8(), [127, None, None, 7, None], [1, 2, 4]),
        (["18446744073709551615", "-1"], pa.uint64(), [2**64 - 1, None], [1]),
        (["1e300", "0.5"], pa.float32(), [None, 0.5], [0]),
        (["TRUE", "no", "1", "maybe"], pa.bool_(), [True, False, True, None], [3]),
    ],
)
def test_values_that_a_type_does_not_hold_are_refused(
    texts: list[str], wanted: pa.DataType, values: list[object], bad: list[int]
) -> None:
    assert read(texts, wanted) == (values, bad)


def test_decimals_are_exact() -> None:
    values, bad = read(["0,10", "1.234,5", "0,105"], pa.decimal128(10, 2), LOCALE)
    assert ([str(value) for value in values], bad) == (["0.10", "1234.50", "None"], [2])


def test_only_iso_dates_that_exist_are_dates() -> None:
    values, bad = read(["2020-02-29", "2019-02-29", "29.02.2020", "2020-2-29"], pa.date32())
    assert ([str(value) for value in values], bad) == (["2020-02-29", "None", "None", "None"], [1, 2, 3])


def test_times_with_a_zone_are_read_as_such_and_others_are_not() -> None:
    texts = ["2020-01-01 10:00:00+02:00", "2020-01-01T08:00Z", "2020-01-01 08:00"]
    values, bad = read(texts, pa.timestamp("us", "UTC"))
    assert (values[0] == values[1], bad) == (True, [2])
    assert read(texts, pa.timestamp("us"))[1] == [0, 1]


def test_fractions_of_seconds_must_fit_the_unit() -> None:
    assert read(["2020-01-01 10:00:00.123", "2020-01-01 10:00:00.1234"], pa.timestamp("ms"))[1] == [1]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(allow_nan=False, width=64) | st.integers(-(10**12), 10**12), min_size=1, max_size=20))
def test_numbers_come_back_exactly(numbers: list[float]) -> None:
    texts = [repr(number).replace(".", ",") for number in numbers]
    assert read(texts, pa.float64(), LOCALE) == (numbers, [])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("0123456789.,-+ eE"), max_size=8).map("".join))
def test_what_pandas_reads_as_a_number_is_read_alike(text: str) -> None:
    values, bad = read([text], pa.float64())
    number = pd.to_numeric(pd.Series([text.strip()]), errors="coerce")[0]
    if not bad and values[0] is not None:
        assert values[0] == number


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["1.234", "5"], pa.int64()),
        (["1.234,5", "5"], pa.float64()),
        (["0", "-0,5"], pa.float64()),
        (["1.23"], pa.string()),
        (["0123"], pa.string()),
        (["1.234.567.890.123.456"], pa.string()),
        (["yes", "no"], pa.string()),
        ([None, ""], pa.string()),
        (["-", "3"], pa.int64()),
    ],
)
def test_types_are_found_in_their_locale(texts: list[str | None], found: pa.DataType) -> None:
    assert profile_of(pa.array(texts, pa.string()), LOCALE).type == found


def test_profiles_of_parts_add_up() -> None:
    parts = [pa.array(["1", "2"]), pa.array(["2.5"]), pa.array([None], pa.string())]
    added = sum((profile_of(part, PLAIN) for part in parts), profile_of(pa.array([], pa.string()), PLAIN))
    assert added == profile_of(pa.concat_arrays(parts), PLAIN)
    assert added.type == pa.float64()
