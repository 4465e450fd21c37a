"""The rows that are answered twice depend on their place alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreline.compiled.sampling import EVERY, SAMPLED_ROWS, Place


@given(st.text(max_size=9), st.integers(1, 200))
def test_every_unit_is_sampled_and_no_more_than_one_part_in_sixteen(unit: str, parts: int) -> None:
    sampled = [part for part in range(parts) if Place(unit, part, parts).is_sampled]
    assert len(sampled) == -(-parts // EVERY)
    assert [part // EVERY for part in sampled] == list(range(len(sampled)))


@given(st.integers(2, EVERY))
def test_the_last_part_which_may_be_short_is_not_the_only_one_sampled(parts: int) -> None:
    assert not any(Place(f"unit {number}", parts - 1, parts).is_sampled for number in range(50))


@pytest.mark.parametrize("count", [1, SAMPLED_ROWS, 16_384])
def test_rows_differ_from_part_to_part_and_are_the_same_again(count: int) -> None:
    rows = Place("unit", 0, 3).rows(count)
    assert rows.tolist() == sorted({*rows.tolist()}) == Place("unit", 0, 3).rows(count).tolist()
    assert len(rows) == min(count, SAMPLED_ROWS)
    assert rows.max() < count
    if count > SAMPLED_ROWS:
        assert rows.tolist() != Place("unit", 1, 3).rows(count).tolist()
        assert rows.tolist() != Place("other", 0, 3).rows(count).tolist()
