import contextlib
import math
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scoreline.cleaners._expression import Expression
from scoreline.cleaners._grammar import DEPTH_LIMIT, LENGTH_LIMIT, ExpressionError, columns_of, parse
from scoreline.errors import StepError

Row = dict[str, Any]
Piece = tuple[str, Callable[[Row], Any]]
"""The text of an expression, and what it means for one row in plain Python."""

TABLE = pa.table(
    {
        "i": pa.array([7, -7, 0, None], pa.int32()),
        "x": [2.5, -0.5, float("nan"), None],
        "s": ["Ab ", "c", "", None],
        "b": [True, False, None, None],
        "d": [date(2020, 2, 29), date(1969, 12, 31), date(2024, 1, 1), None],
        "t": pa.array([datetime.fromisoformat("2020-02-29T23:59"), None, None, None], pa.timestamp("ns")),
        "valor total": [1, 2, 3, 4],
        "n.º": [1.5, 2.5, 3.5, -2.5],
    }
)


def computed(text: str, table: pa.Table = TABLE) -> list[Any]:
    expression = Expression(text, "derive", "column 'new'")
    values = expression.evaluate(table)
    found = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    assert found == expression.type(table.schema)
    return values.to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i + 1", [8, -6, 1, None]),
        ("i / 2", [3.5, -3.5, 0.0, None]),
        ("i // 2", [3, -4, 0, None]),
        ("i % 3", [1, 2, 0, None]),
        ("i // 0", [None] * 4),
        ("1 / i", [1 / 7, -1 / 7, None, None]),
        ("i ** 2", [49.0, 49.0, 0.0, None]),
        ("-i", [-7, 7, 0, None]),
        ("+x", [2.5, -0.5, None, None]),
        ("x * 2", [5.0, -1.0, None, None]),
        ("x > 0", [True, False, None, None]),
        ("-10 < i <= 0", [False, True, True, None]),
        ("s == 'c' or i > 0", [True, True, False, None]),
        ("not b", [False, True, None, None]),
        ("b and i == 7", [True, False, False, None]),
        ("s in ('c', 'd')", [False, True, False, None]),
        ("i not in (7, 0.0)", [False, True, False, None]),
        ("i if b else x", [7.0, -0.5, None, None]),
        ("'big' if i > 0 else None", ["big", None, None, None]),
        ("x is None", [False, False, True, True]),
        ("x is not None", [True, True, False, False]),
        ("is_null(s)", [False, False, False, True]),
        ("coalesce(x, i, 9)", [2.5, -0.5, 0.0, 9.0]),
        ("max(i, x)", [7.0, -0.5, None, None]),
        ("min(i, 3, 5)", [3, -7, 0, None]),
        ("abs(i)", [7, 7, 0, None]),
        ("round(x)", [2, 0, None, None]),
        ("round(x / 3, 2)", [0.83, -0.17, None, None]),
        ("floor(x)", [2, -1, None, None]),
        ("ceil(x)", [3, 0, None, None]),
        ("log(i)", [math.log(7), None, None, None]),
        ("log1p(x)", [math.log1p(2.5), math.log1p(-0.5), None, None]),
        ("sqrt(i)", [math.sqrt(7), None, 0.0, None]),
        ("exp(i * 200)", [None, 0.0, 1.0, None]),
        ("length(s)", [3, 1, 0, None]),
        ("lower(strip(s))", ["ab", "c", "", None]),
        ("upper(s) + '!'", ["AB !", "C!", "!", None]),
        ("contains(s, 'b')", [True, False, False, None]),
        ("startswith(s, 'A') or endswith(s, 'c')", [True, True, False, None]),
        ("year(d) * 100 + month(d)", [202002, 196912, 202401, None]),
        ("day(d)", [29, 31, 1, None]),
        ("weekday(d)", [5, 2, 0, None]),
        ("quarter(d)", [1, 4, 1, None]),
        ("hour(t) * 60 + minute(t)", [1439, None, None, None]),
        ("date(t) == d", [True, None, None, None]),
        ("days_between(d, '2020-03-01')", [1, 18323, -1401, None]),
        ("d >= '2020-01-01'", [True, False, True, None]),
        ("d < '2020-02-29T12:00:00'", [True, True, False, None]),
        ("t > d", [True, None, None, None]),
        ("`valor total` + 1", [2, 3, 4, 5]),
        ('col("n.º") > 2', [False, True, True, False]),
        ("round(`n.º`)", [2, 2, 4, -2]),
        ("i == 7 or '`x`' == s", [True, False, False, None]),
        ("1 + 1", [2] * 4),
        ("\n  i\t+\n1", [8, -6, 1, None]),
        ("9223372036854775807 + `valor total`", [None] * 4),
        ("4611686018427387904 * `valor total`", [2**62, None, None, None]),
    ],
)
def test_what_an_expression_means(text: str, expected: list[Any]) -> None:
    assert computed(text) == [pytest.approx(v, rel=1e-12) if isinstance(v, float) else v for v in expected]


@pytest.mark.parametrize(
    "text", ["i * 2 + x", "upper(s)", "s == 'c'", "is_null(s)", "coalesce(s, 'none')", "s + s", "s"]
)
def test_dictionary_columns_give_the_same_answer(text: str) -> None:
    chunks = [TABLE.slice(0, 1), TABLE.slice(1), TABLE.slice(0, 0), TABLE]
    table = pa.concat_tables([part.set_column(2, "s", part["s"].dictionary_encode()) for part in chunks])
    assert computed(text, table) == computed(text, pa.concat_tables(chunks))


@pytest.mark.parametrize("text", ["i + x", "upper(s)", "1", "d > '2020-01-01'", "coalesce(i, 0)", "s in ('a', 'b')"])
def test_a_part_without_rows_has_no_values(text: str) -> None:
    assert computed(text, TABLE.slice(0, 0)) == []
    assert computed(text, TABLE.schema.empty_table()) == []


@pytest.mark.parametrize(
    ("text", "what", "at"),
    [
        ("i +", "cannot be read", 4),
        ("lof(i)", "there is no function lof()", 1),
        ("i + s", "'+' takes", 1),
        ("x > 1 and (s > 2)", "'>' takes", 12),
        ("length(i)", "length() takes text", 1),
        ("hour(d)", "hour() takes a time", 1),
        ("abs(i, 2)", "abs() takes a number", 1),
        ("contains(s, s)", "contains() takes text and text written out", 1),
        ("i and b", "'and' takes a condition", 1),
        ("x == None", "nothing is equal to None", 6),
        ("x is 3", "'is' can only be followed by None", 6),
        ("i in 3", "'in' must be followed by constants", 6),
        ("i in (x, 3)", "'in' must be followed by constants", 6),
        ("d > 'soon'", "'soon' is no date", 5),
        ("None", "always null", 1),
        ("i & 1", "BitAnd is not part", 1),
        ("x.i", "Attribute is not part", 1),
        ("s[0]", "Subscript is not part", 1),
        ("(lambda: 1)()", "Lambda is not part", 2),
        ("[i for i in s]", "ListComp is not part", 1),
        ("__import__('os')", "there is no function __import__()", 1),
        ("f'{i}'", "JoinedStr is not part", 1),
        ("(i := 1)", "NamedExpr is not part", 2),
        ("abs(a=i)", "keyword is not part", 1),
        ("abs(*i)", "Starred is not part", 5),
        ("b'x' == s", "Constant is not part", 1),
        ("9223372036854775808 + i", "does not fit 64 bits", 1),
        ("1e999", "too large", 1),
        ("'é' + i", "'+' takes", 1),
        ("'é' == s and i", "'and' takes", 1),
        ("'\\d' == s", "cannot be read", 1),
        ("", "cannot be read", 1),
    ],
)
def test_what_cannot_be_used_is_refused_where_it_stands(text: str, what: str, at: int) -> None:
    with pytest.raises((StepError, ExpressionError)) as caught:
        computed(text)
    assert what in str(caught.value)
    assert f"at character {at} of" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("lof(i)", "did you mean log()?"),
        ("i & 1", "write 'and'"),
        ("x == None", "write 'is None'"),
        ("x.i", "in backquotes"),
    ],
)
def test_advice_says_what_to_write(text: str, advice: str) -> None:
    with pytest.raises((StepError, ExpressionError)) as caught:
        computed(text)
    assert advice in str(caught.value)


def test_all_absent_columns_are_named_with_their_neighbours() -> None:
    with pytest.raises(StepError) as caught:
        computed("`valor totl` + zz")
    assert [problem.what for problem in caught.value.problems] == ["no column 'valor totl'", "no column 'zz'"]
    assert "did you mean 'valor total'?" in caught.value.problems[0].advice
    assert caught.value.problems[0].where == "clean step 'derive', column 'new'"


def test_a_column_of_an_unreadable_type_is_refused() -> None:
    with pytest.raises(StepError, match="which expressions cannot read"):
        computed("is_null(v)", pa.table({"v": [[1, 2]]}))


def test_times_with_and_without_zone_do_not_mix() -> None:
    table = pa.table({"a": pa.array([0], pa.timestamp("s", "UTC")), "b": pa.array([0], pa.timestamp("s"))})
    with pytest.raises(StepError, match="with and without a time zone"):
        computed("a < b", table)
    assert computed("a <= '1970-01-01'", table) == [True]


@pytest.mark.parametrize(
    "text", ["1+" * LENGTH_LIMIT + "1", "-" * 1000 + "i", "(" * 300 + "i" + ")" * 300, "not " * 900 + "b"]
)
def test_size_and_depth_are_limited(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_depth_up_to_the_limit_is_computed() -> None:
    assert computed("abs(" * (DEPTH_LIMIT - 1) + "i" + ")" * (DEPTH_LIMIT - 1)) == [7, 7, 0, None]


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab(),+-*/%<>=!'\"` .0123456789[]{}:\\\n", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        columns_of(parse(text))


def _null_safe(compute: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*values: Any) -> Any:
        if any(value is None for value in values):
            return None
        try:
            result = compute(*values)
        except (ZeroDivisionError, OverflowError, ValueError):
            return None
        if isinstance(result, complex) or (isinstance(result, float) and not math.isfinite(result)):
            return None
        return None if type(result) is int and not -(2**63) <= result < 2**63 else result

    return wrapped


def _mixed(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: compute(a, b) if type(a) is type(b) else compute(float(a), float(b))


NUMERIC = {
    "+": _mixed(lambda a, b: a + b),
    "-": _mixed(lambda a, b: a - b),
    "*": _mixed(lambda a, b: a * b),
    "//": _mixed(lambda a, b: a // b),
    "%": _mixed(lambda a, b: a % b),
    "/": lambda a, b: float(a) / float(b),
    "**": lambda a, b: float(a) ** float(b),
}
ORDER = {"<": lambda a, b: a < b, ">=": lambda a, b: a >= b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b}


def _both(a: Any, b: Any) -> Any:
    return False if False in (a, b) else None if None in (a, b) else True


def _binary(sign: str, compute: Callable[..., Any], left: Piece, right: Piece) -> Piece:
    return f"({left[0]} {sign} {right[0]})", lambda row: compute(left[1](row), right[1](row))


LEAVES = st.one_of(
    st.sampled_from(["i", "x", "j"]).map(lambda name: (name, lambda row: row[name])),
    st.integers(-9, 9).map(lambda n: (f"({n})", lambda _: n)),
    st.floats(-3, 3).map(lambda n: (f"({n!r})", lambda _: n)),
)
NUMBERS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda sign, left, right: _binary(sign, _null_safe(NUMERIC[sign]), left, right),
        st.sampled_from(sorted(NUMERIC)),
        inner,
        inner,
    ),
    max_leaves=5,
)
CONDITIONS = st.builds(
    lambda one, other, a, b, c: _binary(
        "and",
        _both,
        _binary(one, _null_safe(_mixed(ORDER[one])), a, b),
        _binary(other, _null_safe(_mixed(ORDER[other])), b, c),
    ),
    st.sampled_from(sorted(ORDER)),
    st.sampled_from(sorted(ORDER)),
    *[NUMBERS] * 3,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "i": st.none() | st.integers(-5, 5),
            "j": st.none() | st.integers(-(2**63), 2**63 - 1),
            "x": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        }
    ),
    max_size=4,
)
SCHEMA = pa.schema({"i": pa.int64(), "j": pa.int64(), "x": pa.float64()})


@settings(max_examples=150, deadline=None)
@given(NUMBERS | CONDITIONS, ROWS)
@example(("(i // j)", lambda _: None), [{"i": None, "j": -1, "x": 1.0}])
def test_it_agrees_with_python_row_by_row(piece: Piece, rows: list[Row]) -> None:
    text, meaning = piece
    assert computed(text, pa.Table.from_pylist(rows, SCHEMA)) == [meaning(row) for row in rows]
