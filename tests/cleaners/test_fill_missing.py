from datetime import date

import pyarrow as pa
import pytest
from pydantic import ValidationError

from scoreline.cleaners.fill_missing import FillMissing
from scoreline.errors import StepError

TABLE = pa.table(
    {
        "pais": ["IE", None],
        "n": pa.array([1, None], pa.int32()),
        "x": [float("nan"), None],
        "d": pa.array([None, None], pa.date32()),
        "b": pa.array([None, True]),
    }
)


def test_each_column_takes_its_own_value() -> None:
    step = FillMissing(columns={"pais": "BR", "n": 0, "x": 1, "d": "2020-01-01", "b": False})
    table = step.apply(TABLE).table
    assert table.to_pydict() == {
        "pais": ["IE", "BR"],
        "n": [1, 0],
        "x": [1.0, 1.0],
        "d": [date(2020, 1, 1), date(2020, 1, 1)],
        "b": [False, True],
    }
    assert table.schema == TABLE.schema


def test_one_value_for_several_columns() -> None:
    assert FillMissing(columns=["n", "x"], value=5).apply(TABLE).table["n"].to_pylist() == [1, 5]


@pytest.mark.parametrize("columns", [{"n": 1.5}, {"n": True}, {"pais": 1}, {"d": "soon"}, {"b": 1}, {"n": 2**40}])
def test_a_value_of_another_type_is_refused_before_reading(columns: dict[str, object]) -> None:
    with pytest.raises(StepError, match="give a value of type"):
        FillMissing(columns=columns).output_schema(TABLE.schema)


@pytest.mark.parametrize("options", [{"columns": ["n"]}, {"columns": {"n": 1}, "value": 2}, {"columns": []}])
def test_the_value_is_given_once(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FillMissing(**options)


def test_a_dictionary_column_takes_a_value_it_did_not_have() -> None:
    table = pa.table({"pais": pa.array(["IE", None, "IE"]).dictionary_encode()})
    assert FillMissing(columns={"pais": "BR"}).apply(table).table["pais"].to_pylist() == ["IE", "BR", "IE"]


@pytest.mark.parametrize("nullable", [False, True])
def test_a_column_without_nulls_stays_one(nullable: bool) -> None:
    schema = pa.schema([pa.field("n", pa.int64(), nullable=nullable)])
    assert FillMissing(columns={"n": 0}).output_schema(schema) == schema
