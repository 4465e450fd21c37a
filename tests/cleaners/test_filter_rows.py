import pyarrow as pa
import pytest
from pydantic import ValidationError

from scoreline.cleaners.filter_rows import FilterRows
from scoreline.errors import StepError

TABLE = pa.table({"a": [1, 2, None], "s": ["x", None, "x"]})


def test_rows_stay_where_the_condition_is_true() -> None:
    cleaned = FilterRows(where="a > 1 or s == 'x'").apply(TABLE)
    assert cleaned.keep is not None
    assert cleaned.keep.tolist() == [True, True, True]
    assert cleaned.table is TABLE


@pytest.mark.parametrize(("where", "keep"), [("a > 1", [False, True, False]), ("not a > 1", [True, False, False])])
def test_null_counts_as_false(where: str, keep: list[bool]) -> None:
    kept = FilterRows(where=where).apply(TABLE).keep
    assert kept is not None
    assert kept.tolist() == keep


def test_it_filters_training_data_unless_asked_otherwise() -> None:
    assert FilterRows(where="a > 1").on == "train"
    assert FilterRows(where="a > 1", on="both").on == "both"


def test_an_expression_that_is_no_condition_is_refused() -> None:
    with pytest.raises(StepError, match="'where' is int64, not a condition: a \\+ 1"):
        FilterRows(where="a + 1").output_schema(TABLE.schema)


def test_a_text_that_is_no_expression_is_refused_with_the_config() -> None:
    with pytest.raises(ValidationError, match="at character 4 of the expression"):
        FilterRows(where="a >")


def test_it_needs_the_columns_of_its_condition() -> None:
    step = FilterRows(where="a > 1")
    assert step.needs(frozenset({"s"}), TABLE.schema) == {"a", "s"}
    assert step.narrowed(frozenset({"s"}), TABLE.schema) == step
