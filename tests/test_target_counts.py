"""Counts of parts add up to those of the whole, and settle a split and a sample that keep their word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.held_tables import cleaned

from scoreline.errors import DataError
from scoreline.population import Population
from scoreline.sampling import BINS, GroupSplit, RandomSplit, SampleConfig, Split, TimeSplit, identity_hashes
from scoreline.target_counts import NOTHING, Counts, Question, count_rows, label_text, settled_sample, settled_split

ROWS = 300
LABELS = (*"aaaaaaaaaaaabbbbbbc", None)
RANDOM = np.random.default_rng(5)
TABLE = pa.table(
    {
        "label": pa.array([LABELS[code] for code in RANDOM.integers(0, len(LABELS), ROWS)], pa.string()),
        "price": pa.array(np.where(RANDOM.random(ROWS) < 0.1, np.nan, RANDOM.normal(size=ROWS))),
        "day": pa.array(RANDOM.integers(20_000, 20_009, ROWS), pa.int32()).cast(pa.date32()),
    }
)
HASHES = identity_hashes(pa.array(["held.parquet"] * ROWS).dictionary_encode(), np.arange(ROWS), 42)


def counts(classes: dict[str, int], days: dict[str, int] | None = None) -> Counts:
    return Counts(sum(classes.values()), classes, days or {}, 0.0, {})


@pytest.mark.parametrize("cuts", [[], [0, 1, 150]])
def test_labels_and_days_are_counted_as_pandas_counts_them(tmp_path: Path, cuts: list[int]) -> None:
    population = Population(cleaned(tmp_path, TABLE, cuts), "label", None)
    found = count_rows(Question("classification", "all", day_column="day"), population)
    frame = TABLE.to_pandas().dropna(subset="label")
    assert (found.rows, found.total) == (len(frame), 0.0)
    assert found.classes == frame["label"].value_counts().to_dict()
    assert found.days == frame["day"].astype(str).value_counts().to_dict()


@pytest.mark.parametrize("cuts", [[], [0, 1, 150]])
def test_a_number_is_added_up(tmp_path: Path, cuts: list[int]) -> None:
    found = count_rows(Question("regression", "all"), Population(cleaned(tmp_path, TABLE, cuts), "price", None))
    price = TABLE.to_pandas()["price"].dropna()
    assert (found.rows, found.classes) == (len(price), {})
    assert found.total == pytest.approx(price.sum())


def test_counts_of_units_add_up_to_those_of_all(tmp_path: Path) -> None:
    population = Population(cleaned(tmp_path, TABLE, [50, 51, 299]), "label", Split(RandomSplit()))
    question = Question("classification", "train", day_column="day", with_bins=True)
    whole = count_rows(question, population)
    added = sum((count_rows(question, population.only(unit)) for unit in population.units), NOTHING)
    assert (added.rows, added.classes, added.days) == (whole.rows, whole.classes, whole.days)
    assert {label: bins.tolist() for label, bins in added.bins.items()} == {
        label: bins.tolist() for label, bins in whole.bins.items()
    }
    assert {label: int(bins.sum()) for label, bins in whole.bins.items()} == whole.classes


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array([1, 2], pa.int8()), ["1", "2"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array(["x", "y"], pa.large_string()), ["x", "y"]),
    ],
)
def test_labels_are_told_apart_as_text(values: pa.Array, texts: list[str]) -> None:
    assert label_text(pa.chunked_array([values])).to_pylist() == texts


def test_classes_too_small_to_split_are_named() -> None:
    assert settled_split(RandomSplit(), counts({"b": 4, "a": 1, "c": 5}), "classification", "y").whole_classes == (
        "a",
        "b",
    )
    assert settled_split(GroupSplit(column="g"), Counts(9, {}, {}, 1.0, {}), "regression", "y").whole_classes == ()


def test_a_target_of_one_class_is_refused() -> None:
    with pytest.raises(DataError, match="one class only: yes") as caught:
        settled_split(RandomSplit(), counts({"yes": 9}), "classification", "bought")
    assert caught.value.problems[0].where == "column 'bought'"


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.integers(10, 28), st.integers(1, 50), min_size=1), st.floats(0.01, 0.99))
def test_whole_days_are_held_out_and_no_more_rows_than_asked_for(by_day: dict[int, int], fraction: float) -> None:
    days = {f"2026-01-{day}": rows for day, rows in by_day.items()}
    split = settled_split(
        TimeSplit(column="d", test_fraction=fraction), counts({"a": 9, "b": 9}, days), "regression", "y"
    )
    series = pd.Series(days).sort_index()
    assert split.first_day in series.index
    late = series[split.first_day :].sum()
    assert late <= fraction * series.sum() or split.first_day == series.index[-1]
    earlier = series[: split.first_day].iloc[:-1]
    assert earlier.empty or late + earlier.iloc[-1] > fraction * series.sum()


def test_the_day_of_the_config_counts() -> None:
    split = settled_split(TimeSplit(column="d", at="2026-02-01"), counts({"a": 9, "b": 9}), "classification", "y")
    assert split.first_day == "2026-02-01"


def test_without_a_single_date_there_is_no_split_by_time() -> None:
    with pytest.raises(DataError, match="no row has a date"):
        settled_split(TimeSplit(column="d", test_fraction=0.2), counts({"a": 9, "b": 9}), "classification", "y")


def sampled(tmp_path: Path, **config: Any) -> tuple[np.ndarray, np.ndarray]:
    """The labels of the training rows, and which of them the settled sample takes."""
    population = Population(cleaned(tmp_path, TABLE, [100, 200]), "label", Split(RandomSplit(test_fraction=0.2)))
    training = count_rows(Question("classification", "train", with_bins="rows" in config), population)
    sample = settled_sample(SampleConfig(**config), training, ["x", "y", "z"], 42)
    (batches, taken) = ([], [])
    for unit in population.units:
        for batch in population.only(unit).batches(["label"], "train"):
            batches.append(batch.table["label"].to_numpy(zero_copy_only=False))
            taken.append(sample.chosen(unit.number, batch.hashes, label_text(batch.table["label"])))
    return np.concatenate(batches), np.concatenate(taken)


@pytest.mark.parametrize("rows", [1, 10, 100, 200])
@pytest.mark.parametrize("strategy", ["random", "stratified"])
def test_at_most_the_rows_asked_for_are_taken_and_hardly_fewer(tmp_path: Path, rows: int, strategy: str) -> None:
    _, taken = sampled(tmp_path, rows=rows, strategy=strategy)
    assert rows - 3 <= taken.sum() <= rows


def test_a_stratified_sample_has_the_shares_of_the_classes(tmp_path: Path) -> None:
    labels, taken = sampled(tmp_path, rows=100, strategy="stratified")
    for label in "abc":
        assert abs(taken[labels == label].sum() - 100 * (labels == label).mean()) <= 1


def test_more_rows_than_there_are_means_all_of_them(tmp_path: Path) -> None:
    for strategy in ("random", "stratified"):
        assert sampled(tmp_path / strategy, rows=10_000, strategy=strategy)[1].all()


def test_a_fraction_takes_about_that_share(tmp_path: Path) -> None:
    _, taken = sampled(tmp_path, fraction=0.5)
    assert abs(taken.mean() - 0.5) < 0.1
    assert sampled(tmp_path / "all", fraction=1.0)[1].all()


def test_units_are_taken_by_name(tmp_path: Path) -> None:
    _, taken = sampled(tmp_path, units=1, strategy="first")
    assert 0 < taken.sum() < len(taken)
    assert settled_sample(SampleConfig(units="all"), NOTHING, ["x"], 1).units is None


def test_a_fraction_too_small_for_a_bin_takes_nothing() -> None:
    assert settled_sample(SampleConfig(fraction=0.1 / BINS), NOTHING, [], 1).bins == 0
