"""Machine code finds the leaves that the tests of small trees leave, and adds them up in order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.compiled import mask_kernel
from scoreline.compiled.flat import Masks
from scoreline.compiled.machine_code import processor_has
from scoreline.compiled.mask_kernel import MOST_IN_BYTE, ROWS, WIDE_ROWS, MaskKernel

COLUMNS, SCORES, NAN = 5, 3, 0xFFFF


def drawn(rng: np.random.Generator, most_leaves: int, most_code: int, *, sets: bool) -> Masks:
    """Random trees; the first leaf of each is never taken away, so that one is left."""
    word = np.uint32 if most_leaves <= 32 else np.uint64
    leaves = rng.integers(2, most_leaves + 1, 7)
    leaves[0] = most_leaves
    counts, tables = leaves - rng.integers(0, 2, 7), rng.integers(0, 3, 7) * sets
    tests, every = int(counts.sum()), int(tables.sum())
    begin, size = rng.integers(1, np.repeat(leaves, counts)), rng.integers(1, 12, tests)
    run = ((1 << size.astype(np.uint64)) - np.uint64(1)) << begin.astype(np.uint64)
    table = rng.integers(0, 2**63, (every, 257), dtype=np.uint64) * np.uint64(2) | np.uint64(1)
    table |= rng.integers(0, 2, (every, 257), dtype=np.uint64) * ~np.uint64(0)
    table[:, 255] = table[:, 256]
    low = rng.choice([0, NAN, 1, most_code // 2], tests)
    # Beside NaN when one counts in a circle of 2**16 or 2**8 codes.
    span = np.where(low == NAN, rng.integers(0, most_code, tests), rng.integers(0, most_code - low % NAN, tests))
    around = rng.random(tests) < 0.2
    low, span = np.where(around, rng.integers(1, most_code, tests), low), np.where(around, NAN - 1, span)
    return Masks(
        rng.integers(0, COLUMNS, tests).astype(np.uint32),
        low.astype(np.uint32),
        span.astype(np.uint32),
        (~run).astype(word),
        np.cumsum([0, *counts]),
        rng.normal(size=leaves.sum()) * 10.0 ** rng.integers(-9, 9, leaves.sum()),
        np.cumsum(leaves) - leaves,
        np.sort(rng.integers(0, SCORES, 7)),
        rng.integers(0, 2, every).astype(np.uint32),
        np.cumsum([0, *tables]),
        table.astype(word),
    )


def plainly(codes: np.ndarray, trees: Masks, start: np.ndarray) -> np.ndarray:
    """The sums, test by test and tree by tree, without a vector of bytes."""
    made = np.repeat(start[:, np.newaxis], codes.shape[1], axis=1)
    every, codes = ~(trees.keep[0] ^ trees.keep[0]), codes.astype(np.uint32)
    for tree, place in enumerate(trees.place.tolist()):
        left = np.full(codes.shape[1], every)
        for test in range(trees.first[tree], trees.first[tree + 1]):
            passes = (codes[trees.column[test]] - trees.low[test]) & 0xFFFF <= trees.span[test]
            left &= np.where(passes, every, trees.keep[test])
        for asked in range(trees.sets[tree], trees.sets[tree + 1]):
            left &= trees.table[asked, np.minimum(codes[trees.category[asked]], 256)]
        lowest = left & (~left + left.dtype.type(1))
        made[place] += trees.value[trees.leaf[tree] + np.bitwise_count(lowest - left.dtype.type(1))]
    return made.T


def some_codes(rng: np.random.Generator, rows: int, most_code: int) -> np.ndarray:
    codes = rng.integers(0, most_code + 1, (COLUMNS, rows)).astype(np.uint16)
    # Categories, of which there are fewer.
    codes[:2] %= MOST_IN_BYTE + 1
    return np.where(rng.random(codes.shape) < 0.1, np.uint16(NAN), codes)


@settings(max_examples=80, deadline=None)
@given(
    leaves=st.sampled_from([2, 8, 9, 31, 32, 33, 64]),
    most_code=st.sampled_from([3, 100, MOST_IN_BYTE - 1, MOST_IN_BYTE, MOST_IN_BYTE + 1, 60_000]),
    sets=st.booleans(),
    rows=st.integers(1, 2 * WIDE_ROWS + 40),
    wide=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_sums_are_those_of_the_plain_loop(
    *, leaves: int, most_code: int, sets: bool, rows: int, wide: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    trees, codes, start = (
        drawn(rng, leaves, most_code, sets=sets),
        some_codes(rng, rows, most_code),
        rng.normal(size=SCORES),
    )
    with pytest.MonkeyPatch.context() as patch:
        # Some processors have no such instructions.
        patch.setattr(mask_kernel, "processor_has", lambda name: wide and processor_has(name))
        kernel = MaskKernel(trees, most_code)
    assert kernel.shape.bits == (8 if most_code <= MOST_IN_BYTE else 16)
    found = kernel.sums(codes, start)
    assert found.flags.f_contiguous
    assert found.tobytes() == plainly(codes, trees, start).tobytes()


@pytest.mark.parametrize("rows", [0, 1, ROWS - 1, ROWS, ROWS + 1, WIDE_ROWS + 1, 5 * WIDE_ROWS])
def test_any_number_of_rows_is_added_up(rows: int) -> None:
    rng = np.random.default_rng(rows)
    trees, codes, start = drawn(rng, 31, 200, sets=True), some_codes(rng, rows, 200), np.zeros(SCORES)
    assert np.array_equal(MaskKernel(trees, 200).sums(codes, start), plainly(codes, trees, start))


def test_values_that_are_not_finite_are_added_alike() -> None:
    rng = np.random.default_rng(3)
    trees, codes = drawn(rng, 31, 200, sets=False), some_codes(rng, 300, 200)
    trees = trees._replace(value=rng.choice([np.nan, np.inf, -np.inf, -0.0, 1.0], len(trees.value)))
    start = np.array([-0.0, 0.0, 1e308])
    with np.errstate(all="ignore"):
        assert MaskKernel(trees, 200).sums(codes, start).tobytes() == plainly(codes, trees, start).tobytes()


def test_a_category_with_a_code_that_a_byte_has_no_room_for_is_refused() -> None:
    trees = drawn(np.random.default_rng(0), 31, 200, sets=True)
    trees.table[:, 255] = ~trees.table[:, 256]
    with pytest.raises(ValueError, match="256 codes"):
        MaskKernel(trees, 200)
