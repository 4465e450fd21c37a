"""Held-out and sampled rows depend on row identity alone."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scoreline.sampling import (
    BINS,
    GroupSplit,
    RandomSplit,
    Sample,
    SampleConfig,
    Split,
    TimeSplit,
    below,
    bins_to_take,
    identity_hashes,
    sample_bins,
    units_to_take,
    value_hashes,
)


def hashes_of(rows: list[int], path: str = "a.csv", seed: int = 42) -> np.ndarray:
    files = pa.array([path] * len(rows)).dictionary_encode()
    return identity_hashes(files, np.array(rows, dtype=np.int64), seed)


def test_the_hash_is_blake2b_of_seed_path_and_record_number() -> None:
    digest = hashlib.blake2b(digest_size=8)
    digest.update((42).to_bytes(8, "big") + b"a.csv" + b"\x00" + (7).to_bytes(8, "big"))
    assert hashes_of([7])[0] == int.from_bytes(digest.digest(), "big")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40, unique=True), st.data())
def test_a_row_has_the_same_hash_in_any_part(rows: list[int], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(rows)))
    whole = hashes_of(rows)
    assert np.array_equal(np.concatenate([hashes_of(rows[:cut]), hashes_of(rows[cut:])]), whole)


def test_another_file_or_seed_gives_other_hashes() -> None:
    assert len({int(hashes_of([1])[0]), int(hashes_of([1], "b.csv")[0]), int(hashes_of([1], seed=43)[0])}) == 3


def test_the_share_held_out_is_what_was_asked_for() -> None:
    assert abs(below(hashes_of(list(range(20_000))), 0.2).mean() - 0.2) < 0.01


def test_the_sample_is_independent_of_the_split() -> None:
    hashes = hashes_of(list(range(40_000)))
    held_out, sampled = below(hashes, 0.5), sample_bins(hashes) < BINS // 2
    assert abs(sampled[held_out].mean() - sampled[~held_out].mean()) < 0.02


def test_equal_values_hash_alike_and_nulls_are_values() -> None:
    hashes = value_hashes([pa.chunked_array([["x", None], ["x", ""]])], 1)
    assert hashes[0] == hashes[2]
    assert len(set(hashes.tolist())) == 3


def test_values_of_two_columns_do_not_run_together() -> None:
    first = value_hashes([pa.chunked_array([["a"]]), pa.chunked_array([["bc"]])], 1)
    second = value_hashes([pa.chunked_array([["ab"]]), pa.chunked_array([["c"]])], 1)
    assert first[0] != second[0]


def test_a_time_split_holds_out_the_days_from_the_first_one_on() -> None:
    part = pa.table({"day": pa.array(["2026-01-01", "2026-01-02", None]).cast(pa.date32()), "y": ["a", "b", "a"]})
    split = Split(TimeSplit(column="day", at="2026-01-02"), first_day="2026-01-02")
    assert split.held_out(part, hashes_of([0, 1, 2]), "y").tolist() == [False, True, False]


def test_rare_classes_all_train() -> None:
    part = pa.table({"y": ["rare", "common"] * 50})
    split = Split(RandomSplit(test_fraction=0.9), whole_classes=("rare",))
    held_out = split.held_out(part, hashes_of(list(range(100))), "y")
    assert not held_out[::2].any()
    assert held_out[1::2].any()


def test_groups_stay_together() -> None:
    groups = pa.chunked_array([["a", "b", "c", "d"] * 25])
    part = pa.table({"g": groups, "y": ["x"] * 100})
    held_out = Split(GroupSplit(column="g", test_fraction=0.5)).held_out(part, value_hashes([groups], 3), "y")
    assert all(len(set(held_out[start::4].tolist())) == 1 for start in range(4))


def test_bins_hold_at_most_the_rows_asked_for() -> None:
    histogram = np.bincount(sample_bins(hashes_of(list(range(5_000)))), minlength=BINS)
    taken = histogram[: bins_to_take(histogram, 1_000)].sum()
    assert 990 <= taken <= 1_000


def test_a_stratified_sample_takes_each_class_by_its_own_limit() -> None:
    sample = Sample(bins_by_class={"a": BINS, "b": 0})
    assert sample.chosen(0, hashes_of([0, 1, 2]), pa.chunked_array([["a", "b", "c"]])).tolist() == [True, False, False]


@pytest.mark.parametrize("strategy", ["random", "first"])
def test_units_are_taken_by_name_and_not_by_chance(strategy: str) -> None:
    config = SampleConfig(units=2, strategy=strategy)
    names = [f"unit-{number}" for number in range(10)]
    taken = units_to_take(config, names, 42)
    assert taken == units_to_take(config, names, 42)
    assert taken is not None
    assert len(taken) == 2


@pytest.mark.parametrize("options", [{}, {"units": 1, "rows": 2}, {"units": 0}, {"rows": 5, "strategy": "first"}])
def test_a_sample_has_exactly_one_size(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SampleConfig.model_validate(options)
