"""Columns as codes: each distinct value is encoded once, by the encoder itself."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

from scoreline.compiled import dictionary
from scoreline.compiled.dictionary import Coder, Declined
from scoreline.compiled.plan import Branch
from scoreline.frame import to_frame

SCHEMA = pa.schema([("city", pa.string()), ("sex", pa.string())])
FRAME = pd.DataFrame({"city": ["Natal", "Olinda", None], "sex": ["F", "M", "F"]})


class Counting(OrdinalEncoder):  # type: ignore[misc]
    """Tells what it was asked."""

    asked: list[int]

    def transform(self, X: Any) -> Any:
        self.asked = [*getattr(self, "asked", []), len(X)]
        return super().transform(X)


def coder(encoder: Any, widths: tuple[int, ...] = (1, 1)) -> Coder:
    branch = Branch(encoder.fit(FRAME), ("city", "sex"), widths=widths)
    return Coder(branch, SCHEMA, to_frame, lambda place, rows: np.full(len(rows), place))


def table(cities: list[str | None], sexes: list[str | None]) -> pa.Table:
    return pa.table([pa.array(cities, pa.string()), pa.array(sexes, pa.string())], schema=SCHEMA)


def encoded(made: dictionary.CodedBranch) -> list[list[Any]]:
    return [column.block.ravel().tolist() for column in made.columns]


def test_each_row_gets_what_the_encoder_makes_of_its_value() -> None:
    made = coder(OrdinalEncoder()).codes(table(["Olinda", "Natal", "Olinda"], ["M", "F", "F"]))
    assert encoded(made) == [[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


def test_null_is_a_value() -> None:
    made = coder(OrdinalEncoder(encoded_missing_value=-9)).codes(table([None, "Natal"], ["F", "F"]))
    assert encoded(made)[0] == [-9.0, 0.0]


def test_values_met_before_are_not_encoded_again() -> None:
    encoder = Counting(handle_unknown="use_encoded_value", unknown_value=-1)
    work = coder(encoder)
    for cities in (["Natal", "Olinda"], ["Olinda", "Natal"], ["Natal", "new"]):
        work.codes(table(cities, ["F", "M"]))
    assert encoder.asked == [2, 2]
    assert encoded(work.codes(table(["new", "Olinda"], ["F", "F"])))[0] == [-1.0, 1.0]


def held(values: list[str | None], listed: list[str | None] | None) -> pa.Array:
    """Text, as a dictionary that lists values in some order where one is given."""
    if listed is None:
        return pa.array(values, pa.string())
    places = [None if value is None else listed.index(value) for value in values]
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), pa.array(listed, pa.string()))


CITIES = [*map(str, FRAME["city"][:2]), "new", "newer"]
PARTS = st.lists(
    st.tuples(
        st.lists(st.sampled_from([*CITIES, None]), min_size=2, max_size=6),
        st.none() | st.permutations(CITIES) | st.just(CITIES),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(PARTS)
def test_parts_in_a_row_get_what_the_encoder_makes_of_them(parts: list[tuple[list[str | None], Any]]) -> None:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-9)
    work = coder(encoder)
    for values, listed in parts:
        rows = pa.table({"city": held(values, listed), "sex": pa.array(["F"] * len(values))})
        expected = encoder.transform(to_frame(rows, SCHEMA))
        assert encoded(work.codes(rows)) == expected.T.tolist()


def test_zero_and_minus_zero_are_two_values() -> None:
    schema = pa.schema([("x", pa.float64())])
    work = Coder(
        Branch(FunctionTransformer(lambda frame: np.signbit(frame.to_numpy())), ("x",), widths=(1,)),
        schema,
        to_frame,
        lambda _, rows: np.zeros(len(rows)),
    )
    for zero in (0.0, -0.0, 0.0):
        made = work.codes(pa.table([[zero, 1.0]], schema))
        assert encoded(made) == [[bool(np.signbit(zero)), False]]


def test_too_many_values_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionary, "KNOWN", 3)
    work = coder(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1))
    for number in range(3):
        made = work.codes(table([f"a{number}", f"b{number}"], ["F", "M"]))
        assert len(made.columns[0].dictionary.values) <= 3
        assert encoded(made)[1] == [0.0, 1.0]


def test_values_of_a_dictionary_that_do_not_occur_are_not_encoded() -> None:
    cities = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int8()), pa.array(["Natal", "never seen"]))
    made = coder(OrdinalEncoder()).codes(pa.table({"city": cities, "sex": ["F", "M"]}))
    assert encoded(made)[0] == [0.0, 0.0]


def test_dictionaries_of_all_makes_are_read() -> None:
    odd = pa.DictionaryArray.from_arrays(pa.array([2, 1, 0, None], pa.int8()), pa.array(["Natal", None, "Natal"]))
    chunks = pa.chunked_array([odd, pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array(["Olinda"]))])
    sexes = pa.chunked_array([pa.array(["F"] * 5, pa.large_string())])
    made = coder(OrdinalEncoder(encoded_missing_value=-9)).codes(pa.table({"city": chunks, "sex": sexes}))
    assert encoded(made)[0] == [0.0, -9.0, 0.0, -9.0, 1.0]


def test_what_the_encoder_refuses_is_raised_and_not_remembered() -> None:
    work = coder(OrdinalEncoder())
    with pytest.raises(Declined, match="unknown categories"):
        work.codes(table(["new", "Natal"], ["F", "M"]))
    assert encoded(work.codes(table(["Natal", "Olinda"], ["F", "M"])))[0] == [0.0, 1.0]


def test_the_rows_that_the_encoder_refuses_are_told() -> None:
    work = coder(OrdinalEncoder())
    work.codes(table(["Natal", "Natal"], ["F", "M"]))
    with pytest.raises(Declined) as refused:
        work.codes(table(["new", "Natal", "Olinda", "newer", "new", "Natal"], ["F", "M", "M", "F", "F", "X"]))
    assert refused.value.rows is not None
    assert refused.value.rows.tolist() == [0, 3, 4, 5]
    assert encoded(work.codes(table(["Natal", "Olinda"], ["F", "M"])))[0] == [0.0, 1.0]


def test_a_column_of_another_type_is_declined() -> None:
    with pytest.raises(Declined, match="city"):
        coder(OrdinalEncoder()).codes(pa.table({"city": [1, 2], "sex": ["F", "M"]}))


def test_an_encoder_of_another_shape_is_declined() -> None:
    with pytest.raises(Declined, match="shape"):
        coder(OneHotEncoder(sparse_output=False)).codes(table(["Natal", "Olinda"], ["F", "M"]))


def test_what_a_model_looks_up_is_made_once_for_each_value() -> None:
    made = coder(OrdinalEncoder()).codes(table(["Natal", "Olinda", "Natal"], ["F", "F", "F"]))
    assert [column.dictionary.derived.tolist() for column in made.columns] == [[0, 0], [1]]
