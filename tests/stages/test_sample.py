"""The rows that train, the rows held out and the sample depend on identity alone, never on how the data are cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.held_tables import cleaned

from scoreline.cleaners.drop_duplicates import DropDuplicates
from scoreline.cleaners.filter_rows import FilterRows
from scoreline.cleaning import Cleaning
from scoreline.clusters.inline import Inline
from scoreline.contract import Contract, Rule
from scoreline.errors import DataError
from scoreline.population import HASH
from scoreline.sampling import GroupSplit, RandomSplit, SampleConfig, TimeSplit
from scoreline.stages.sample import Divided, Division, divide, gather_sample

ROWS = 200
RANDOM = np.random.default_rng(3)
TABLE = pa.table(
    {
        "x": pa.array(range(ROWS)),
        "y": pa.array([None if row % 20 == 7 else "aaab"[row % 4] for row in range(ROWS)]),
        "shop": pa.array([f"s{row % 9}" for row in range(ROWS)]),
        "day": pa.array(RANDOM.integers(20_000, 20_010, ROWS), pa.int32()).cast(pa.date32()),
    }
)
DIVISION = Division("y", "classification", RandomSplit(test_fraction=0.25), SampleConfig(fraction=1.0), 42)
CUTS = [[], [1, 100], [0, 50, 50, ROWS]]


def divided(
    folder: Path, division: Division = DIVISION, cuts: Any = (), table: pa.Table = TABLE, **how: Any
) -> Divided:
    with Inline().open() as session:
        return divide(session, cleaned(folder, table, cuts, **how), division)


def sampled(folder: Path, made: Divided) -> pa.Table:
    uri = str(folder / "sample.parquet")
    with Inline().open() as session:
        rows = gather_sample(session, made, ("x", "day"), uri)
    table = pq.read_table(uri)
    assert table.num_rows == rows
    return table


def rows_of(made: Divided, which: Any) -> list[int]:
    return [row for batch in made.population.batches(["x"], which) for row in batch.table["x"].to_pylist()]


@pytest.mark.parametrize(
    "split",
    [
        RandomSplit(test_fraction=0.25),
        GroupSplit(column="shop", test_fraction=0.25),
        TimeSplit(column="day", test_fraction=0.25),
        TimeSplit(column="day", at="2024-10-08"),
    ],
)
def test_every_row_with_a_target_trains_or_is_held_out_the_same_however_cut(tmp_path: Path, split: Any) -> None:
    division = replace(DIVISION, split=split)
    group = "shop" if isinstance(split, GroupSplit) else None
    found = [divided(tmp_path / str(number), division, cuts, group=group) for number, cuts in enumerate(CUTS)]
    train, held_out = rows_of(found[0], "train"), rows_of(found[0], "held_out")
    assert sorted(train + held_out) == [row for row in range(ROWS) if row % 20 != 7]
    assert all(rows_of(other, "train") == train for other in found)
    assert (found[0].training.rows, found[0].everything.rows) == (len(train), len(train) + len(held_out))
    assert 0.05 < len(held_out) / ROWS < 0.6


@pytest.mark.parametrize(
    "size", [{"fraction": 0.3}, {"rows": 40}, {"rows": 40, "strategy": "stratified"}, {"units": "all"}]
)
def test_the_sample_is_the_same_however_the_data_are_cut(tmp_path: Path, size: dict[str, Any]) -> None:
    division = replace(DIVISION, sample=SampleConfig(**size))
    tables = [
        sampled(tmp_path / str(number), divided(tmp_path / str(number), division, cuts))
        for number, cuts in enumerate(CUTS)
    ]
    assert tables[0].column_names == ["x", "day", "y", "source_file", "source_row", HASH]
    assert tables[0]["source_row"].to_pylist() == sorted(tables[0]["source_row"].to_pylist())
    assert all(table.equals(tables[0]) for table in tables)


def test_a_sample_has_training_rows_only(tmp_path: Path) -> None:
    made = divided(tmp_path, replace(DIVISION, sample=SampleConfig(rows=60)), [70])
    rows = sampled(tmp_path, made)["x"].to_pylist()
    assert 57 <= len(rows) <= 60
    assert set(rows) <= set(rows_of(made, "train"))


@pytest.mark.parametrize(("strategy", "rows"), [("first", range(80)), ("random", None)])
def test_a_sample_by_units_takes_all_their_training_rows(tmp_path: Path, strategy: Any, rows: range | None) -> None:
    made = divided(tmp_path, replace(DIVISION, sample=SampleConfig(units=1, strategy=strategy)), [80, 140])
    found = sampled(tmp_path, made)["x"].to_pylist()
    edges = next(edge for edge in (range(80), range(80, 140), range(140, ROWS)) if found[0] in edge)
    assert rows is None or edges == rows
    assert found == [row for row in rows_of(made, "train") if row in edges]


def test_a_seed_of_another_number_samples_other_rows(tmp_path: Path) -> None:
    division = replace(DIVISION, sample=SampleConfig(units=1))
    taken = {
        tuple(divided(tmp_path / str(seed), replace(division, seed=seed), [40, 80, 120, 160]).sample.units or ())
        for seed in range(6)
    }
    assert len(taken) > 1


def test_a_person_is_told_of_copies_of_missing_targets_and_of_rare_classes(tmp_path: Path) -> None:
    table = pa.table({"x": [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], "y": [*"aabaaaaaa", None, "b", "a"]})
    made = divided(tmp_path, table=table, cuts=[1], cleaning=Cleaning((DropDuplicates(),)))
    train, held_out = (rows_of(made, which) for which in ("train", "held_out"))
    assert made.notes() == [
        f"12 rows = {len(train)} to train on + {len(held_out)} held out + 1 duplicate + 1 without a target",
        "too rare to hold rows out, so all of them train: b",
    ]


def test_rows_that_cleaning_took_away_are_in_the_account(tmp_path: Path) -> None:
    table = pa.table({"x": [*range(12)], "y": [*"aabaaaaaabba"]})
    contract = Contract(table.schema, {"x": Rule(min=2)})
    made = divided(tmp_path, table=table, cleaning=Cleaning((FilterRows(where="x < 11"),)), contract=contract)
    assert made.notes()[0].endswith(" + 2 refused + 1 filtered")
    assert made.notes()[1] == "refused: below_minimum 2"


@pytest.mark.parametrize("seed", range(4))
def test_rare_classes_part_no_group_and_bring_no_future_into_training(tmp_path: Path, seed: int) -> None:
    labels = [f"rare{row // 3}" if row < 12 else "aab"[row % 3] for row in range(ROWS)]
    order = np.random.default_rng(seed).permutation(ROWS)
    table = TABLE.set_column(1, "y", pa.array([labels[row] for row in order]))
    grouped = replace(DIVISION, seed=seed, split=GroupSplit(column="shop", test_fraction=0.4))
    by_group = divided(tmp_path / "group", grouped, [70], table, group="shop")
    latest = replace(DIVISION, split=TimeSplit(column="day", test_fraction=0.4))
    by_time = divided(tmp_path / "time", latest, [70], table)
    shops = [set(np.take(table["shop"].to_pylist(), rows_of(by_group, which))) for which in ("train", "held_out")]
    days = [np.take(table["day"].to_numpy(), rows_of(by_time, which)) for which in ("train", "held_out")]
    assert shops[0]
    assert shops[1]
    assert not shops[0] & shops[1]
    assert days[0].max() < days[1].min()


@pytest.mark.parametrize(
    ("table", "how", "what"),
    [
        (TABLE.set_column(1, "y", pa.nulls(ROWS, pa.string())), {}, "no row has a target"),
        (TABLE.set_column(1, "y", pa.array(["a"] * ROWS)), {}, "one class only: a"),
        (TABLE, {"cleaning": Cleaning((FilterRows(where="x < 0"),))}, "no row is left after cleaning: 200 filtered"),
    ],
)
def test_data_from_which_nothing_can_be_learned_are_refused(
    tmp_path: Path, table: pa.Table, how: dict[str, Any], what: str
) -> None:
    with pytest.raises(DataError, match=what):
        divided(tmp_path, table=table, cuts=[50], **how)


@pytest.mark.parametrize(
    ("split", "what"),
    [
        (TimeSplit(column="day", at="2000-01-01"), "no row to train on"),
        (TimeSplit(column="day", at="2024-10-05"), "one class only to train on: a"),
    ],
)
def test_a_split_that_leaves_nothing_to_learn_from_is_refused(tmp_path: Path, split: TimeSplit, what: str) -> None:
    days = pa.array([20_000 + (row % 20 > 8) * 9 for row in range(ROWS)], pa.int32()).cast(pa.date32())
    table = TABLE.set_column(1, "y", pa.array(["b" if row % 20 > 8 else "a" for row in range(ROWS)]))
    with pytest.raises(DataError, match=what):
        divided(tmp_path, replace(DIVISION, split=split), table=table.set_column(3, "day", days))


def test_a_sample_without_rows_is_refused(tmp_path: Path) -> None:
    made = divided(tmp_path, replace(DIVISION, sample=SampleConfig(fraction=1e-9)))
    with pytest.raises(DataError, match="the sample to train on has no row"):
        sampled(tmp_path, made)


def test_a_number_to_learn_has_no_classes(tmp_path: Path) -> None:
    made = divided(tmp_path, replace(DIVISION, target="x", task="regression", sample=SampleConfig(rows=10)), [9])
    assert (made.everything.total, made.everything.classes) == (sum(range(ROWS)), {})
    assert len(sampled(tmp_path, made)) <= 10
