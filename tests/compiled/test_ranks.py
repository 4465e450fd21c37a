"""Ranks of numbers among thresholds are exact, whatever the numbers."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import sparse

from scoreline.compiled.dictionary import Declined
from scoreline.compiled.kernels import rank
from scoreline.compiled.ranks import ALWAYS, NAN, _place_of_one, _tests_of_places, _tests_of_ranks, with_grid

ANY = st.floats(allow_nan=False)


def ranked(cuts: np.ndarray, values: np.ndarray) -> np.ndarray:
    made = np.empty(len(values), np.uint16)
    rank(values, with_grid(cuts), made)
    return made


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY, min_size=1, max_size=30), st.lists(ANY, max_size=20))
@example([-1.7e308, 1.7e308], [0.0])
@example([5e-324, 1e-323], [0.0, 5e-324, 1.0])
@example([float("inf")], [float("inf"), 1.0])
@example([float("-inf"), 0.0, float("inf")], [float("-inf"), -1.0])
def test_a_rank_is_how_many_thresholds_are_below(thresholds: list[float], others: list[float]) -> None:
    cuts = np.unique(np.array(thresholds))
    with np.errstate(over="ignore"):
        values = np.concatenate([cuts, np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf), others])
    assert ranked(cuts, values).tolist() == np.searchsorted(cuts, values).tolist()


def test_nan_has_a_code_of_its_own() -> None:
    assert ranked(np.array([1.0, 2.0]), np.array([np.nan, 3.0])).tolist() == [NAN, 2]


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
