"""Ranks of numbers among thresholds are exact, whatever the numbers, by machine code and without it."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scoreline.compiled import rank_kernel
from scoreline.compiled.rank_kernel import NAN, ranks

ANY = st.floats(allow_nan=False)


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY, max_size=30), st.lists(ANY, max_size=20))
@example([-1.7e308, 1.7e308], [0.0])
@example([5e-324, 1e-323], [0.0, 5e-324, 1.0])
@example([float("inf")], [float("inf"), 1.0])
@example([float("-inf"), 0.0, float("inf")], [float("-inf"), -1.0])
def test_a_rank_is_how_many_thresholds_are_below(thresholds: list[float], others: list[float]) -> None:
    cuts = np.unique(np.array(thresholds, np.float64))
    with np.errstate(over="ignore"):
        some = np.concatenate([cuts, np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf), others, [0.5]])
    # Machine code is for as many rows and more.
    values = np.resize(some, max(40, len(some)))
    expected = [int((cuts < value).sum()) for value in values]
    assert ranks(values, cuts).tolist() == expected
    missing = np.insert(values, len(values) // 2, np.nan)
    expected.insert(len(values) // 2, NAN)
    assert ranks(missing, cuts).tolist() == expected


@pytest.mark.parametrize("count", [1, 2, 3, 4, 127, 128, 254, 255, 256, 65_000])
def test_any_number_of_thresholds_is_looked_through(count: int) -> None:
    cuts = np.arange(count, dtype=np.float64)
    values = np.concatenate([cuts, [count, -1.0], np.full(40, 0.5)])
    assert ranks(values, cuts).tolist() == [*range(count), count, 0, *[1] * 40]


@pytest.mark.parametrize("rows", [0, 1, 8, 31, 32, 33, 63, 64, 65, 100])
def test_any_number_of_rows_is_ranked_whatever_their_place_in_memory(rows: int) -> None:
    values = np.random.default_rng(rows).normal(size=(rows, 3))
    cuts = np.array([-0.5, 0.0, 0.5])
    assert ranks(values[:, 1], cuts).tolist() == np.searchsorted(cuts, values[:, 1]).tolist()


@pytest.fixture
def _no_machine_code(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def broken(*_: object) -> None:
        raise OSError("no LLVM")

    monkeypatch.setattr(rank_kernel, "MachineCode", broken)
    rank_kernel._code.cache_clear()
    yield
    rank_kernel._code.cache_clear()


@pytest.mark.usefixtures("_no_machine_code")
def test_ranks_are_the_same_where_llvm_does_not_work() -> None:
    values = np.tile([np.nan, -np.inf, 0.0, 1.0, 1.5, 2.0, 3.0, np.inf, -1.0], 5)
    assert ranks(values, np.array([1.0, 2.0])).tolist() == [NAN, 0, 0, 0, 1, 1, 2, 2, 0] * 5
    assert rank_kernel._code() is None
