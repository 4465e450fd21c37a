from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.transformers._moments import Moments, merged, moments


def exact(values: np.ndarray) -> tuple[float, float]:
    """Mean and variance by rational arithmetic."""
    numbers = [Fraction(float(value)) for value in values]
    mean = sum(numbers) / len(numbers)
    return float(mean), float(sum((number - mean) ** 2 for number in numbers) / len(numbers))


@pytest.mark.parametrize("parts", [1, 3, 50])
@pytest.mark.parametrize(("mean", "deviation"), [(1e9, 1.0), (-1e12, 0.01), (1e-9, 1e-12), (3.0, 1e8)])
def test_the_last_digits_of_the_variance_are_right(parts: int, mean: float, deviation: float) -> None:
    values = np.random.default_rng(3).normal(mean, deviation, 1000)
    found = merged([moments(part) for part in np.array_split(values, parts)])
    np.testing.assert_allclose((found.mean, found.variance), exact(values), rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(-1e6, 1e6, width=32), max_size=6), min_size=1, max_size=5))
def test_parts_add_up_to_the_whole(parts: list[list[float]]) -> None:
    values = np.array([value for part in parts for value in part])
    found = merged(moments(np.array(part, dtype=float)) for part in parts)
    assert found.count == len(values)
    if len(values):
        np.testing.assert_allclose((found.mean, found.variance), exact(values), rtol=1e-9, atol=1e-9)


def test_a_constant_has_no_variance() -> None:
    assert merged([moments(np.full(10, 0.1)), moments(np.full(7, 0.1))]).variance < 1e-30


def test_nothing_has_no_mean() -> None:
    assert np.isnan(merged([Moments(), moments(np.array([]))]).mean)
