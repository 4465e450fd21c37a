import pyarrow as pa
import pytest
from pydantic import ValidationError

from scoreline.cleaners.derive import Derive
from scoreline.errors import StepError

TABLE = pa.table({"a": [1, 2], "b": [10, None], "s": pa.array(["x", "y"]).dictionary_encode()})


def test_new_columns_come_last_and_replaced_ones_stay_in_place() -> None:
    step = Derive(columns={"sum": "a + b", "a": "-a"})
    table = step.apply(TABLE).table
    assert table.select(["a", "b", "sum"]).to_pydict() == {"a": [-1, -2], "b": [10, None], "sum": [11, None]}
    assert step.output_schema(TABLE.schema).names == ["a", "b", "s", "sum"]


def test_every_expression_sees_the_columns_before_the_step() -> None:
    table = Derive(columns={"a": "b", "b": "a"}).apply(TABLE).table
    assert table.select(["a", "b"]).to_pydict() == {"a": [10, None], "b": [1, 2]}


def test_text_from_a_dictionary_column_stays_one() -> None:
    table = Derive(columns={"u": "upper(s)"}).apply(TABLE).table
    assert pa.types.is_dictionary(table.schema.field("u").type)
    assert table["u"].to_pylist() == ["X", "Y"]


def test_the_problems_of_all_expressions_are_named() -> None:
    with pytest.raises(StepError) as caught:
        Derive(columns={"x": "a + zz", "y": "s * 2"}).output_schema(TABLE.schema)
    assert [problem.what.split(" takes")[0] for problem in caught.value.problems] == ["no column 'zz'", "'*'"]
    assert caught.value.problems[1].where == "clean step 'derive', column 'y', at character 1 of: s * 2"


def test_a_text_that_is_no_expression_is_refused_with_the_config() -> None:
    with pytest.raises(ValidationError, match=r"column 'x': .*, at character 4 of the expression; column 'y': "):
        Derive(columns={"x": "a +", "y": "(", "z": "a"})


def test_it_needs_what_the_wanted_expressions_read() -> None:
    step = Derive(columns={"x": "a + 1", "y": "b + 1"})
    wanted = frozenset({"x", "s"})
    assert step.needs(wanted, TABLE.schema) == {"a", "s"}
    assert step.narrowed(wanted, TABLE.schema) == Derive(columns={"x": "a + 1"})
    assert step.narrowed(frozenset({"s"}), TABLE.schema) is None
