import pyarrow as pa
import pytest

from scoreline.cleaners.rename import Rename
from scoreline.errors import StepError

TABLE = pa.table({"a": [1], "b": [2], "c": [3]})


def test_names_change_and_order_stays() -> None:
    assert Rename(columns={"b": "x"}).apply(TABLE).table.to_pydict() == {"a": [1], "x": [2], "c": [3]}


def test_names_can_be_swapped() -> None:
    assert Rename(columns={"a": "b", "b": "a"}).apply(TABLE).table.to_pydict() == {"b": [1], "a": [2], "c": [3]}


def test_other_columns_are_dropped_when_asked() -> None:
    step = Rename(columns={"c": "x", "a": "a"}, others="drop")
    assert step.apply(TABLE).table.to_pydict() == {"a": [1], "x": [3]}


def test_all_absent_columns_are_named_with_their_neighbours() -> None:
    with pytest.raises(StepError) as caught:
        Rename(columns={"cidad": "x", "valr": "y"}).output_schema(
            pa.schema({"cidade": pa.string(), "valor": pa.int8()})
        )
    assert [p.what for p in caught.value.problems] == ["no column 'cidad'", "no column 'valr'"]
    assert "did you mean 'valor'?" in caught.value.problems[1].advice
    assert caught.value.problems[0].where == "clean step 'rename'"


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(StepError, match="two columns would be named 'b'"):
        Rename(columns={"a": "b"}).output_schema(TABLE.schema)


def test_a_narrowed_step_leaves_no_column_under_a_name_it_should_not_have() -> None:
    step = Rename(columns={"a": "x", "b": "a"})
    narrowed = step.narrowed(frozenset({"a", "c"}), TABLE.schema)
    assert narrowed is not None
    assert narrowed.needs(frozenset({"a", "c"}), TABLE.schema) == {"b", "c"}
    assert narrowed.apply(TABLE).table.to_pydict() == {"a": [2], "c": [3]}


def test_a_step_all_of_whose_names_are_wanted_stays_as_it_is() -> None:
    step = Rename(columns={"a": "x"})
    assert step.narrowed(frozenset({"x"}), TABLE.schema) == step
