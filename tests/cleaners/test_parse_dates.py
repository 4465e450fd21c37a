from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scoreline.cleaners.base import Cleaned
from scoreline.cleaners.parse_dates import ParseDates

FORMATS = [
    "%Y%m",
    "%Y",
    "%d.%m.%Y",
    "%Y%m%d",
    "%d %b %y",
    "%B %d, %Y",
    "%Y-%j",
    "%m/%d/%Y %I:%M %p",
    "%FT%T.%f",
    "%d%m%Y %H%M",
    "100%% %F",
]
PIECES = st.lists(st.sampled_from([*"0123456789", "29", "31", "02", "2020", "1900", "99", ".", "-", "/", " ", "T"]))
FIRST, LAST = datetime.fromisoformat("1969-01-01"), datetime.fromisoformat("2068-01-01")


def parsed(values: list[str | None], **options: object) -> Cleaned:
    return ParseDates(columns=["v"], **options).apply(pa.table({"v": pa.array(values, pa.string())}))


def python_reads(text: str, spelled: str) -> datetime | None:
    spelled = spelled.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S")
    try:
        return datetime.strptime(text.strip(), spelled)  # noqa: DTZ007
    except ValueError:
        return None


@pytest.mark.parametrize("text", ["4.12.2019", "04.12.2019", " 4.12.2019\u00a0"])
def test_days_and_months_may_have_one_digit(text: str) -> None:
    assert parsed([text, "", None], format="%d.%m.%Y").table["v"].to_pylist() == [date(2019, 12, 4), None, None]


@pytest.mark.parametrize(
    "text", ["31.02.2019", "29.02.1900", "4.13.2019", "0.1.2019", "4.12.19", "x", "4.12.2019 x", "1.1.0000"]
)
def test_impossible_dates_are_refused(text: str) -> None:
    (refusal,) = parsed(["29.02.2000", text], format="%d.%m.%Y").refusals
    assert refusal.rows.tolist() == [1]


def test_impossible_dates_become_null_when_asked() -> None:
    cleaned = parsed(["31.02.2019"], format="%d.%m.%Y", on_error="null")
    assert cleaned.table["v"].to_pylist() == [None]
    assert cleaned.refusals == ()


def test_the_first_format_that_reads_a_text_counts() -> None:
    values = ["01/02/2020", "13/02/2020", "2020-03-04"]
    table = parsed(values, format=["%m/%d/%Y", "%d/%m/%Y", "%Y-%m-%d"]).table
    assert table["v"].to_pylist() == [date(2020, 1, 2), date(2020, 2, 13), date(2020, 3, 4)]


@pytest.mark.parametrize(
    ("options", "arrow_type"),
    [
        ({"format": "%Y-%m-%d"}, pa.date32()),
        ({"format": "%Y-%m-%d", "to": "timestamp"}, pa.timestamp("us")),
        ({"format": ["%Y-%m-%d", "%Y-%m-%d %H:%M"]}, pa.timestamp("us")),
        ({"format": "%Y-%m-%d %H:%M", "to": "date"}, pa.date32()),
        ({"format": "%Y-%m-%d %H:%M%z"}, pa.timestamp("us", "UTC")),
    ],
)
def test_the_type_follows_the_format_unless_it_is_given(options: dict[str, object], arrow_type: pa.DataType) -> None:
    step = ParseDates(columns=["v"], **options)
    assert step.output_schema(pa.schema({"v": pa.string()})).field("v").type == arrow_type


def test_offsets_are_taken_into_account() -> None:
    values = ["2020-01-01 00:30-03:00", "2020-01-01 00:30Z", "2020-01-01 00:30+0545"]
    expected = [datetime(2020, 1, 1, 3, 30, tzinfo=UTC), datetime(2020, 1, 1, 0, 30, tzinfo=UTC)]
    assert parsed(values, format="%Y-%m-%d %H:%M%z").table["v"].to_pylist()[:2] == expected


def test_words_for_null() -> None:
    assert parsed(["n/a", "0000-00-00"], format="%F", null_values=["n/a", "0000-00-00"]).refusals == ()


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(FORMATS), st.lists(st.datetimes(FIRST, LAST)))
def test_what_python_writes_is_read_as_python_reads_it(spelled: str, moments: list[datetime]) -> None:
    texts = [moment.strftime(spelled) for moment in moments]
    cleaned = parsed(texts, format=spelled, to="timestamp")
    assert cleaned.table["v"].to_pylist() == [python_reads(text, spelled) for text in texts]
    assert cleaned.refusals == ()


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(FORMATS), st.lists(PIECES.map("".join)))
def test_what_python_cannot_read_is_refused(spelled: str, texts: list[str]) -> None:
    cleaned = parsed(texts, format=spelled, to="timestamp", on_error="null")
    assert cleaned.table["v"].to_pylist() == [python_reads(text, spelled) for text in texts]


@pytest.mark.parametrize(
    "spelled",
    [
        "%d.%m",
        "%Y %q",
        "%Y %d",
        "%Y %m %j",
        "%y %Y",
        "%F %b",
        "%F %H %I %p",
        "%Y%Y-%m-%d",
        "%F %I:%M",
        "%F %p",
        "",
        "%Y-%m-%d%",
    ],
)
def test_a_format_that_makes_no_date_is_refused(spelled: str) -> None:
    with pytest.raises(ValidationError):
        ParseDates(columns=["v"], format=spelled)


def test_formats_with_and_without_offset_do_not_mix() -> None:
    with pytest.raises(ValidationError, match="in all of them or in none"):
        ParseDates(columns=["v"], format=["%F", "%F%z"])
