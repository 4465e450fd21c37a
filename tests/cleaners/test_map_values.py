from datetime import date

import pyarrow as pa
import pytest
from pydantic import ValidationError

from scoreline.cleaners.map_values import MapValues
from scoreline.errors import StepError
from scoreline.refusal import Reason

TABLE = pa.table({"sexo": ["F", "M", "?", None], "idade": [1, 2, 3, None]})


def test_values_that_are_not_named_stay() -> None:
    step = MapValues(columns=["sexo"], values={"F": "female", "?": None})
    assert step.apply(TABLE).table["sexo"].to_pylist() == ["female", "M", None, None]


def test_values_that_are_not_named_become_null() -> None:
    step = MapValues(columns=["sexo"], values={"F": 0, "M": 1.5}, others="null")
    table = step.apply(TABLE).table
    assert table["sexo"].to_pylist() == [0.0, 1.5, None, None]
    assert table.schema == step.output_schema(TABLE.schema)


def test_values_that_are_not_named_are_refused() -> None:
    (refusal,) = MapValues(columns=["sexo"], values={"F": "f", "M": "m"}, others="refuse").apply(TABLE).refusals
    assert refusal.rows.tolist() == [2]
    assert refusal.reason is Reason.VALUE_NOT_ALLOWED


def test_numbers_and_dates_are_named_by_their_text() -> None:
    table = pa.table({"n": [1, 2], "d": [date(2020, 1, 1), date(2020, 1, 2)]})
    assert MapValues(columns=["n"], values={"1": 7}).apply(table).table["n"].to_pylist() == [7, 2]
    step = MapValues(columns=["d"], values={"2020-01-01": "new year"}, others="null")
    assert step.apply(table).table["d"].to_pylist() == ["new year", None]


def test_a_true_value_is_not_the_number_one() -> None:
    step = MapValues(columns=["sexo"], values={"F": True, "M": False}, others="null")
    assert step.output_schema(TABLE.schema).field("sexo").type == pa.bool_()


@pytest.mark.parametrize("values", [{"x": 1}, {"1": "one"}, {"1": 1.5}, {"1": 2, "01": 3}])
def test_values_of_another_type_are_refused_before_reading(values: dict[str, object]) -> None:
    with pytest.raises(StepError, match="column 'idade'"):
        MapValues(columns=["idade"], values=values).output_schema(TABLE.schema)


def test_new_values_of_different_types_are_refused() -> None:
    with pytest.raises(ValidationError, match="must all be text"):
        MapValues(columns=["sexo"], values={"F": 0, "M": "m"}, others="null")
