import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.transformers._counts import LIMIT, bounded, grouped, limit_for, merged, quantiles

METHODS = ["linear", "averaged_inverted_cdf"]
LEVELS = np.array([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.9, 0.99, 1.0])


def in_rounds(parts: list[np.ndarray], levels: np.ndarray, method: str, limit: int) -> tuple[np.ndarray, int]:
    """The quantiles, and how many rounds they took."""
    known, rounds = None, 0
    while known is None or not known.exact:
        groups = merged([merged([grouped(part, known, limit)], known, limit) for part in parts], known, limit)
        known, rounds = bounded(groups, known, levels, method), rounds + 1
        assert rounds < 60
    return quantiles(known, levels, method), rounds


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.one_of(st.integers(0, 9).map(float), st.floats(-1e300, 1e300)), min_size=1, max_size=80),
    parts=st.integers(1, 5),
)
def test_quantiles_are_those_of_numpy_on_all_values(method: str, values: list[float], parts: int) -> None:
    column = np.array(values)
    found, _ = in_rounds(np.array_split(column, parts), LEVELS, method, limit=8 * 2 * len(LEVELS))
    np.testing.assert_array_equal(found, np.quantile(column, LEVELS, method=method))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("limit", [100, 400])
def test_many_different_values_take_a_few_rounds_with_small_groups(method: str, limit: int) -> None:
    rng = np.random.default_rng(5)
    column = np.concatenate([rng.lognormal(3, 2, 20_000), np.full(3_000, 12.5), -(10.0 ** rng.uniform(-8, 8, 5_000))])
    parts = np.array_split(rng.permutation(column), 7)
    found, rounds = in_rounds(parts, LEVELS, method, limit)
    np.testing.assert_array_equal(found, np.quantile(column, LEVELS, method=method))
    assert 2 <= rounds <= 5


def test_groups_stay_within_their_limit_and_keep_every_value() -> None:
    column = np.random.default_rng(2).normal(size=30_000)
    groups = merged([grouped(part, None, 500) for part in np.array_split(column, 3)], None, 500)
    assert len(groups.count) <= 500
    assert groups.count.sum() == len(column)
    assert (groups.low.min(), groups.high.max()) == (column.min(), column.max())


def test_a_frequent_value_is_a_group_of_its_own() -> None:
    column = np.concatenate([np.linspace(0, 1, 999), np.full(5_000, 0.5), np.linspace(2, 3, 999)])
    groups = grouped(column, None, 50)
    assert ((groups.low == 0.5) & (groups.high == 0.5)).sum() == 1


def test_sorted_parts_that_do_not_overlap_are_no_trap() -> None:
    column = np.arange(50_000.0)
    found, rounds = in_rounds([column[:100], column[100:49_000], column[49_000:]], np.array([0.5]), "linear", 64)
    assert found.tolist() == [24_999.5]
    assert rounds <= 6


def test_few_values_take_one_round() -> None:
    column = np.repeat(np.arange(1000.0), 7)
    assert in_rounds(np.array_split(column, 3), LEVELS, "linear", LIMIT)[1] == 1


def test_nothing_has_no_quantiles() -> None:
    found, rounds = in_rounds([np.array([]), np.array([])], np.array([0.5]), "linear", 10)
    assert np.isnan(found).all()
    assert rounds == 1


def test_one_value_is_every_quantile() -> None:
    assert in_rounds([np.array([]), np.array([4.0])], LEVELS, "averaged_inverted_cdf", 10)[0].tolist() == [4.0] * 8


def test_many_quantiles_may_send_more() -> None:
    assert limit_for(np.array([0.5])) == LIMIT
    assert limit_for(np.linspace(0, 1, 1000)) == 100_000
