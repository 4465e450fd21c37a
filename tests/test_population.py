"""Which rows train and which are held out, read unit by unit, is what a table of all rows would say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.held_tables import cleaned

from scoreline.cleaners.drop_duplicates import DropDuplicates
from scoreline.cleaning import Cleaning
from scoreline.population import HASH, ROW_GROUP_ROWS, Population, Which, has_value, row_groups
from scoreline.sampling import GroupSplit, RandomSplit, Split, TimeSplit, below, identity_hashes, value_hashes

ROWS = 60
TABLE = pa.table(
    {
        "x": pa.array(range(ROWS)),
        "y": pa.array([None if row % 10 == 3 else ("rare" if row == 5 else "ab"[row % 2]) for row in range(ROWS)]),
        "shop": pa.array([f"s{row % 9}" for row in range(ROWS)]),
        "day": pa.array([None if row == 8 else 20_000 + row % 7 for row in range(ROWS)], pa.int32()).cast(pa.date32()),
    }
)
HASHES = identity_hashes(pa.array(["held.parquet"] * ROWS).dictionary_encode(), np.arange(ROWS), 42)
DAY = "2024-10-09"


def rows_of(population: Population, which: Which) -> list[int]:
    return [row for batch in population.batches(["x"], which) for row in batch.table["x"].to_pylist()]


def expected(held_out: np.ndarray) -> tuple[list[int], list[int]]:
    judged = np.array([row % 10 != 3 for row in range(ROWS)])
    return np.flatnonzero(judged & ~held_out).tolist(), np.flatnonzero(judged & held_out).tolist()


@pytest.mark.parametrize("cuts", [[], [1, 20], [0, 30, 30, ROWS]])
def test_a_random_split_goes_by_the_hash_of_identity(tmp_path: Path, cuts: list[int]) -> None:
    population = Population(cleaned(tmp_path, TABLE, cuts), "y", Split(RandomSplit(test_fraction=0.3)))
    assert (rows_of(population, "train"), rows_of(population, "held_out")) == expected(below(HASHES, 0.3))
    assert rows_of(population, "all") == expected(np.zeros(ROWS, dtype=bool))[0]


@pytest.mark.parametrize("cuts", [[], [7, 8]])
def test_a_split_by_group_goes_by_the_hash_of_the_value(tmp_path: Path, cuts: list[int]) -> None:
    units = cleaned(tmp_path, TABLE, cuts, group="shop", keep=("x", "y"))
    population = Population(units, "y", Split(GroupSplit(column="shop", test_fraction=0.4)))
    held_out = below(value_hashes([TABLE["shop"]], 42), 0.4)
    assert 0 < held_out.sum() < ROWS
    assert (rows_of(population, "train"), rows_of(population, "held_out")) == expected(held_out)


@pytest.mark.parametrize("cuts", [[], [7, 8]])
def test_a_split_by_time_goes_by_the_day(tmp_path: Path, cuts: list[int]) -> None:
    population = Population(cleaned(tmp_path, TABLE, cuts), "y", Split(TimeSplit(column="day", at=DAY), DAY))
    late = (pd.to_datetime(TABLE["day"].to_pandas()) >= DAY).to_numpy()
    assert (rows_of(population, "train"), rows_of(population, "held_out")) == expected(late)


def test_a_class_too_rare_to_split_trains(tmp_path: Path) -> None:
    split = Split(RandomSplit(test_fraction=0.99), whole_classes=("rare",))
    population = Population(cleaned(tmp_path, TABLE, [30]), "y", split)
    assert 5 in rows_of(population, "train")
    assert 5 not in rows_of(population, "held_out")


def test_without_a_split_every_row_with_a_target_is_judged(tmp_path: Path) -> None:
    population = Population(cleaned(tmp_path, TABLE, [30]), "y", None)
    assert rows_of(population, "held_out") == rows_of(population, "all") == rows_of(population, "train")


def test_batches_bring_the_columns_in_the_order_asked_for_and_the_hash_of_each_row(tmp_path: Path) -> None:
    population = Population(cleaned(tmp_path, TABLE), "y", Split(RandomSplit()))
    (batch,) = population.batches(["y", "x", "source_row", "y"], "all")
    assert batch.table.column_names == ["y", "x", "source_row"]
    assert batch.hashes.tolist() == HASHES[batch.table["source_row"].to_numpy()].tolist()


def test_one_unit_alone_gives_its_own_rows(tmp_path: Path) -> None:
    units = cleaned(tmp_path, TABLE, [20, 40])
    population = Population(units, "y", Split(RandomSplit()))
    together = [row for unit in units for row in rows_of(population.only(unit), "train")]
    assert together == rows_of(population, "train")


def test_batches_without_a_row_are_left_out(tmp_path: Path) -> None:
    nothing = Population(cleaned(tmp_path, TABLE.slice(3, 1)), "y", None)
    assert list(nothing.batches(["x"], "all")) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=25), st.data())
def test_copies_are_in_no_batch(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=3)))
    table = pa.table({"x": pa.array(values, pa.int64())})
    units = cleaned(tmp_path_factory.mktemp("cut"), table, cuts, cleaning=Cleaning((DropDuplicates(),)))
    assert rows_of(Population(units, "x", None), "all") == list(dict.fromkeys(values))


def test_row_groups_come_one_by_one_and_copies_are_found_in_the_right_one(tmp_path: Path) -> None:
    rows = ROW_GROUP_ROWS + 100
    values = np.arange(rows)
    values[[5, ROW_GROUP_ROWS - 1, ROW_GROUP_ROWS, rows - 1]] = 0
    (unit,) = cleaned(tmp_path, pa.table({"x": values}), cleaning=Cleaning((DropDuplicates(),)))
    population = Population((unit,), "x", None)
    sizes = [len(batch.hashes) for batch in population.batches(["x"], "all")]
    assert (row_groups(unit), sizes) == (2, [ROW_GROUP_ROWS - 2, 98])
    (second,) = population.batches(["x"], "all", group=1)
    assert second.table["x"].to_pylist() == list(range(ROW_GROUP_ROWS + 1, rows - 1))


@pytest.mark.parametrize(
    ("values", "present"),
    [
        (pa.chunked_array([[1.0, None], [float("nan"), 0.0]]), [True, False, False, True]),
        (pa.chunked_array([["", None]]), [True, False]),
        (pa.chunked_array([["a", None]]).dictionary_encode(), [True, False]),
        (pa.chunked_array([pa.nulls(2)]), [False, False]),
        (pa.chunked_array([], pa.float64()), []),
    ],
)
def test_null_and_nan_are_no_value(values: pa.ChunkedArray, present: list[bool]) -> None:
    assert has_value(values).tolist() == present


def test_internal_columns_do_not_come_unasked(tmp_path: Path) -> None:
    population = Population(cleaned(tmp_path, TABLE), "y", None)
    assert all(HASH not in batch.table.column_names for batch in population.batches(["x"], "all"))
