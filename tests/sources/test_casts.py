import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.sources._casts import Cast, cast_between, cast_values, common_type

INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
NUMBERS = [*INTEGERS, pa.float32(), pa.float64()]


@pytest.mark.parametrize("wanted", NUMBERS, ids=str)
@pytest.mark.parametrize("found", INTEGERS, ids=str)
def test_a_safe_cast_of_integers_keeps_the_extremes(found: pa.DataType, wanted: pa.DataType) -> None:
    signed = pa.types.is_signed_integer(found)
    top = 2 ** (found.bit_width - signed) - 1
    values = pa.array([-top - 1 if signed else 0, top], found)
    kept = cast_values(values, wanted).to_pylist() == values.to_pylist()
    assert kept is (cast_between(found, wanted) is Cast.SAFE)


@pytest.mark.parametrize(
    ("found", "wanted", "cast"),
    [
        (pa.dictionary(pa.int8(), pa.large_string()), pa.string(), Cast.SAFE),
        (pa.null(), pa.list_(pa.int64()), Cast.SAFE),
        (pa.timestamp("s"), pa.timestamp("us"), Cast.CHECKED),
        (pa.timestamp("ns"), pa.timestamp("us"), Cast.CHECKED),
        (pa.timestamp("us", "UTC"), pa.timestamp("us", "America/Sao_Paulo"), Cast.SAFE),
        (pa.timestamp("us", "UTC"), pa.timestamp("us"), Cast.IMPOSSIBLE),
        (pa.date32(), pa.timestamp("us"), Cast.CHECKED),
        (pa.timestamp("us"), pa.date32(), Cast.IMPOSSIBLE),
        (pa.decimal128(5, 2), pa.decimal128(7, 3), Cast.SAFE),
        (pa.decimal128(5, 2), pa.decimal128(5, 3), Cast.CHECKED),
        (pa.int64(), pa.string(), Cast.SPELLED),
        (pa.string(), pa.int64(), Cast.IMPOSSIBLE),
        (pa.float64(), pa.string(), Cast.IMPOSSIBLE),
        (pa.bool_(), pa.int64(), Cast.IMPOSSIBLE),
        (pa.list_(pa.int64()), pa.list_(pa.int32()), Cast.IMPOSSIBLE),
    ],
    ids=str,
)
def test_casts_are_safe_checked_or_impossible(found: pa.DataType, wanted: pa.DataType, cast: Cast) -> None:
    assert cast_between(found, wanted) is cast


@pytest.mark.parametrize(
    ("found", "common"),
    [
        ([pa.int32(), pa.int64()], pa.int64()),
        ([pa.uint32(), pa.int8()], pa.int64()),
        ([pa.float32(), pa.int16()], pa.float32()),
        ([pa.float32(), pa.int32()], pa.float64()),
        ([pa.null(), pa.string()], pa.string()),
        ([pa.timestamp("ms"), pa.timestamp("ns")], pa.timestamp("ns")),
        ([pa.date32(), pa.timestamp("us"), pa.timestamp("s")], pa.timestamp("us")),
        ([pa.int64(), pa.float64()], None),
        ([pa.string(), pa.float64()], None),
        ([pa.string(), pa.int64()], None),
    ],
    ids=str,
)
def test_the_common_type_holds_the_values_of_all(found: list[pa.DataType], common: pa.DataType | None) -> None:
    assert common_type(found) == common == common_type(reversed(found))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=30))
def test_values_that_do_not_fit_become_null_and_others_stay(numbers: list[int | None]) -> None:
    values = cast_values(pa.array(numbers, pa.int64()), pa.int8()).to_pylist()
    assert values == [number if number is not None and -128 <= number <= 127 else None for number in numbers]


def test_text_that_is_a_dictionary_stays_one() -> None:
    values = pa.array(["a", None, "b"], pa.dictionary(pa.int8(), pa.large_string()))
    cast = cast_values(values, pa.string())
    assert cast.type == pa.dictionary(pa.int32(), pa.string())
    assert cast.to_pylist() == ["a", None, "b"]


def test_a_dictionary_of_numbers_becomes_numbers() -> None:
    values = pa.array([5, None, 7], pa.dictionary(pa.int8(), pa.int64()))
    assert cast_values(values, pa.float64()).equals(pa.array([5.0, None, 7.0]))
