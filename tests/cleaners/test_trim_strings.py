import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.cleaners.trim_strings import TrimStrings
from scoreline.errors import StepError

MESSY = [" a\u00a0", "b  c", "\t \u3000", "", None, "d"]


def trimmed(values: list[str | None], **options: bool) -> list[str | None]:
    return TrimStrings(**options).apply(pa.table({"a": pa.array(values, pa.string())})).table["a"].to_pylist()


def test_white_space_goes_and_empty_text_becomes_null() -> None:
    assert trimmed(MESSY) == ["a", "b  c", None, None, None, "d"]


def test_empty_text_stays_when_asked() -> None:
    assert trimmed(MESSY, empty_as_null=False) == ["a", "b  c", "", "", None, "d"]


def test_runs_of_white_space_inside_become_one_space() -> None:
    assert trimmed([" a \u00a0\tb "], collapse=True) == ["a b"]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.text(alphabet=st.sampled_from("ab \t\n\x0b\x1c\x85\u00a0\u1680\u2003\u2028\u202f\u205f\u3000\u200b")))
)
def test_it_agrees_with_python(texts: list[str]) -> None:
    assert trimmed(texts, empty_as_null=False) == [text.strip() for text in texts]
    assert trimmed(texts, empty_as_null=False, collapse=True) == [" ".join(text.split()) for text in texts]


def test_values_that_become_equal_share_one_dictionary_entry() -> None:
    column = pa.array([" a", "a", "a ", None]).dictionary_encode()
    table = TrimStrings().apply(pa.table({"a": column})).table
    assert table["a"].combine_chunks().dictionary.to_pylist() == ["a"]
    assert table["a"].to_pylist() == ["a", "a", "a", None]


def test_chunks_with_different_dictionaries_are_read_as_one_column() -> None:
    chunks = [pa.array([" a", "b"]).dictionary_encode(), pa.array(["c ", "a", "a"]).dictionary_encode()]
    table = TrimStrings().apply(pa.table({"a": pa.chunked_array(chunks)})).table
    assert table["a"].to_pylist() == ["a", "b", "c", "a", "a"]


def test_columns_that_hold_no_text_are_left_alone_unless_they_are_named() -> None:
    table = pa.table({"a": [" x"], "n": [1]})
    assert TrimStrings().apply(table).table.to_pydict() == {"a": ["x"], "n": [1]}
    with pytest.raises(StepError, match="column 'n' is int64, and the step takes text"):
        TrimStrings(columns=["n"]).apply(table)


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.string_view()])
def test_every_width_of_text_is_trimmed(text: pa.DataType) -> None:
    table = pa.table({"a": pa.array([" x"]).cast(text)})
    cleaned = TrimStrings().apply(table).table
    assert cleaned["a"].to_pylist() == ["x"]
    assert cleaned.schema == TrimStrings().output_schema(table.schema)
