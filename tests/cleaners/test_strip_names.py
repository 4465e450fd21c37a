import pyarrow as pa
import pytest

from scoreline.cleaners.strip_names import StripNames
from scoreline.errors import StepError

TABLE = pa.table({" valor ": [1.5], "data": ["x"], "\u00a0id": [7]})


def test_white_space_goes_from_both_ends_no_break_spaces_too() -> None:
    table = StripNames().apply(TABLE).table
    assert table.to_pydict() == {"valor": [1.5], "data": ["x"], "id": [7]}


def test_two_names_that_become_one_are_refused() -> None:
    with pytest.raises(StepError, match="two columns would be named 'a'"):
        StripNames().output_schema(pa.schema([("a", pa.int64()), (" a", pa.int64())]))


def test_it_needs_the_columns_as_they_are_named_before() -> None:
    assert StripNames().needs(frozenset({"valor", "data"}), TABLE.schema) == {" valor ", "data"}


def test_it_is_left_out_when_no_wanted_name_changes() -> None:
    assert StripNames().narrowed(frozenset({"data"}), TABLE.schema) is None
    assert StripNames().narrowed(frozenset({"valor"}), TABLE.schema) == StripNames()
