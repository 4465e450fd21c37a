"""The matrix put together from distinct values is the one of scikit-learn, to the last bit."""

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from tests.compiled.cases import (
    NUMBER_KINDS,
    SCHEMA,
    TEXT_KINDS,
    Case,
    fit,
    fitted,
    numbers,
    selector,
    some_rows,
    tables,
    texts,
    texts_alone,
)

from scoreline.compiled.dictionary import Declined
from scoreline.compiled.matrix import Encoding, Layout, is_same_matrix, layout_of
from scoreline.compiled.way import no_look_up

MODEL = DummyClassifier()


def encoding(case: Case) -> Encoding:
    return Encoding(case.plan, case.schema, case.frame, no_look_up)


def made(case: Case, table: pa.Table) -> object:
    """The matrix from distinct values, None where anything was raised."""
    work = encoding(case)
    work.settle(some_rows(300))
    try:
        return work.stacked(work.blocks(table), table.num_rows)
    except Exception:  # noqa: BLE001
        return None


def expected(case: Case, table: pa.Table) -> object:
    try:
        return encoding(case).expected(table)
    except Exception:  # noqa: BLE001
        return None


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=120, deadline=None)
@given(st.sampled_from(NUMBER_KINDS), st.sampled_from(TEXT_KINDS), st.sampled_from([0.0, 0.3, 1.0]), tables())
def test_the_matrix_is_scikit_learns_own(number: str, text: str, threshold: float, table: pa.Table) -> None:
    case = fitted(number, text, MODEL, sparse_threshold=threshold)
    one, other = made(case, table), expected(case, table)
    assert (one is None) == (other is None)
    assert one is None or is_same_matrix(one, other)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=25, deadline=None)
@given(st.lists(tables(most=12), min_size=2, max_size=4))
def test_what_was_learnt_of_earlier_parts_does_not_show(parts: list[pa.Table]) -> None:
    case = fitted("standard", "target", MODEL)
    work = encoding(case)
    for part in parts:
        assert is_same_matrix(work.stacked(work.blocks(part), part.num_rows), work.expected(part))


@cache
def doubles(number: str, *names: str) -> Case:
    """Steps for columns of float64 and whole numbers, and text; fitted once."""
    columns = ColumnTransformer([("n", numbers(number), [*(names or ["amount"])]), ("t", texts("one_hot"), ["city"])])
    return fit(columns, MODEL)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["standard", "min_max", "robust"]),
    st.sampled_from([("amount",), ("age", "count"), ("count",), ("count", "amount", "age")]),
    tables(),
)
def test_numbers_that_are_spared_the_calls_make_the_same_matrix(
    number: str, names: tuple[str, ...], table: pa.Table
) -> None:
    case = doubles(number, *names)
    assert is_same_matrix(made(case, table), expected(case, table))


@pytest.mark.parametrize("name", ["age", "count"])
def test_whole_numbers_that_the_frame_refuses_are_left_to_it(name: str) -> None:
    work = encoding(doubles("standard", name))
    work.settle(some_rows(300))
    assert list(work._numbers) == [0]
    refused = {"age": [2**53 + 1, 1], "count": [None, 1]}
    field = SCHEMA.field(name)
    table = pa.table([pa.array(refused[name], field.type)], pa.schema([field]))
    with pytest.raises((Declined, pa.ArrowInvalid)):
        work._numbers[0].block(table)


@pytest.mark.parametrize(("number", "spared"), [("standard", [0]), ("quantile", []), ("max_abs", [])])
def test_only_numbers_of_known_arithmetic_are_spared_the_calls(number: str, spared: list[int]) -> None:
    work = encoding(doubles(number))
    work.settle(some_rows(300))
    assert list(work._numbers) == spared


def test_numbers_are_called_for_where_scikit_learn_refused_a_row() -> None:
    work = encoding(doubles("standard"))
    work.settle(some_rows(300).set_column(2, "amount", pa.array([np.inf] * 300)))
    assert work._numbers == {}


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=30, deadline=None)
@given(tables())
def test_columns_are_selected_in_every_way(table: pa.Table) -> None:
    case = fit(selector(), MODEL)
    assert is_same_matrix(made(case, table), expected(case, table))


@pytest.mark.parametrize("text", ["one_hot", "sparse", "ordinal", "target"])
def test_one_transformer_alone_makes_the_matrix(text: str) -> None:
    case = texts_alone(text, MODEL)
    rows = some_rows(100).select(case.schema.names)
    assert is_same_matrix(made(case, rows), expected(case, rows))


def test_the_layout_names_the_features_of_each_column() -> None:
    case = fitted("standard", "one_hot", MODEL)
    table = some_rows(10)
    layout = layout_of(encoding(case).blocks(table), made(case, table))
    assert layout.widths == ((4,), (7, 3))
    assert layout.starts == ((0, 4), (4, 11, 14))
    assert layout.dtype == np.float64


def test_matrices_differ_in_order_type_and_bits() -> None:
    one = np.arange(6.0).reshape(2, 3)
    assert is_same_matrix(one, one.copy())
    assert not is_same_matrix(one, np.asfortranarray(one))
    assert not is_same_matrix(one, one.astype(np.float32))
    assert not is_same_matrix(np.array([[0.0], [1.0]]), np.array([[-0.0], [1.0]]))


def test_columns_that_nothing_takes_are_looked_at_for_values_that_no_frame_holds() -> None:
    features = ColumnTransformer([("t", texts("one_hot"), ["city"])])
    case = fit(features, MODEL)
    table = some_rows(10)
    for name, value in (("count", None), ("age", 2**53 + 1), ("vip", None)):
        place = table.schema.get_field_index(name)
        field = table.schema.field(name).with_nullable(True)
        changed = table.set_column(place, field, pa.array([value] * 10, field.type))
        assert expected(case, changed) is None
        assert made(case, changed) is None
    assert made(case, table) is not None


def test_a_layout_declines_blocks_of_another_type_or_width() -> None:
    layout = Layout(((2,), (1,)), np.dtype(np.int64))
    whole, fraction = np.zeros((3, 1), np.int64), np.zeros((3, 1))
    layout.check([np.zeros((3, 2), np.int64), whole])
    for blocks in ([np.zeros((3, 2), np.int64), fraction], [whole, np.zeros((3, 2), np.int64)]):
        with pytest.raises(Declined):
            layout.check(blocks)
