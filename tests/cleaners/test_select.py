import pyarrow as pa
import pytest
from pydantic import ValidationError

from scoreline.cleaners.select import Select
from scoreline.errors import StepError

TABLE = pa.table({"a": [1], "b": [2], "c": [3]})


def test_columns_are_kept_in_the_order_asked() -> None:
    assert Select(columns=["c", "a"]).apply(TABLE).table.column_names == ["c", "a"]


def test_columns_are_dropped() -> None:
    assert Select(drop=["b"]).apply(TABLE).table.column_names == ["a", "c"]


@pytest.mark.parametrize("options", [{}, {"columns": ["a"], "drop": ["b"]}, {"columns": []}])
def test_exactly_one_way_must_be_given(options: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError):
        Select(**options)


def test_dropping_an_absent_column_is_refused() -> None:
    with pytest.raises(StepError, match="no column 'd'"):
        Select(drop=["d"]).output_schema(TABLE.schema)


def test_a_column_named_twice_is_refused() -> None:
    with pytest.raises(StepError, match="two columns would be named 'a'"):
        Select(columns=["a", "a"]).apply(TABLE)


def test_narrowed_it_keeps_the_wanted_columns_only() -> None:
    assert Select(drop=["b"]).narrowed(frozenset({"c"}), TABLE.schema) == Select(columns=["c"])
