"""Ranks of numbers among thresholds are exact, whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from scoreline.compiled.dictionary import Declined
from scoreline.compiled.rank_kernel import NAN
from scoreline.compiled.ranks import ALWAYS, _place_of_one, _tests_of_places, _tests_of_ranks


@given(st.integers(0, 65_000), st.booleans(), st.one_of(st.integers(0, 65_001), st.just(NAN)))
def test_the_test_of_a_rank_says_what_the_node_says(cut: int, nan_left: bool, code: int) -> None:
    low, span = _tests_of_ranks(np.array([cut]), np.array([nan_left]))[:, 0].tolist()
    goes_left = (code - low) % 2**16 <= span
    assert goes_left == (nan_left if code == NAN else code <= cut)


@given(st.integers(0, 50), st.sampled_from([-0.5, 0.0, 0.5, 0.999, 1.0, 2.0]), st.integers(0, 51))
def test_the_test_of_a_one_hot_column_says_what_the_node_says(place: int, threshold: float, code: int) -> None:
    low, span = _tests_of_places(np.array([place]), np.array([threshold]))[:, 0].tolist()
    goes_left = (code - low) % 2**16 <= span
    assert goes_left == (float(code == place) <= threshold)
    assert span <= ALWAYS


def test_the_place_of_the_one_is_found() -> None:
    rows = sparse.csr_array(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    assert _place_of_one(rows).tolist() == [1, 3, 0]


@pytest.mark.parametrize("row", [[1.0, 1.0], [0.0, 2.0]])
def test_rows_of_another_make_are_declined(row: list[float]) -> None:
    with pytest.raises(Declined):
        _place_of_one(sparse.csr_array(np.array([row])))
