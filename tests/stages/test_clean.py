"""Every row is kept, refused or filtered; of equal rows the lowest identity stays, however the data are cut."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.held_tables import UNREADABLE, Held, cleaned, cleaning_task, hold

from scoreline.cleaners.base import FrameStep
from scoreline.cleaners.derive import Derive
from scoreline.cleaners.drop_duplicates import DropDuplicates
from scoreline.cleaners.filter_rows import FilterRows
from scoreline.cleaners.join import Join
from scoreline.cleaners.parse_numbers import ParseNumbers
from scoreline.cleaning import Cleaning
from scoreline.contract import Contract, Rule
from scoreline.errors import DataError
from scoreline.population import GROUP_HASH, HASH
from scoreline.sampling import identity_hashes, value_hashes
from scoreline.stages import clean as stage
from scoreline.stages.clean import clean_unit, duplicates_in

TABLE = pa.table(
    {
        "city": ["a", UNREADABLE, "b", None, "a", "c", "b"],
        "amount": ["1,5", "2", "x", "-3", "4", "5", None],
        "id": [10, 11, 12, 13, 14, 10, 16],
    }
)
STEPS = Cleaning((ParseNumbers(columns=("amount",), decimal=","), FilterRows(where="amount > 0")))
CONTRACT = Contract(TABLE.schema, {"id": Rule(max=15.0)})


def rows_of(folder: Path, table: pa.Table, cuts: list[int], **options: Any) -> pd.DataFrame:
    """The rows that are left in all units, copies left out."""
    units = cleaned(folder, table, cuts, **options)
    frames = [pq.read_table(unit.uri).to_pandas().drop(index=unit.duplicates) for unit in units]
    together: pd.DataFrame = pd.concat(frames, ignore_index=True)
    return together


@pytest.mark.parametrize("cuts", [[], [3], [0, 2, 2, 7]])
def test_rows_are_kept_refused_or_filtered_and_all_counted(tmp_path: Path, cuts: list[int]) -> None:
    units = cleaned(tmp_path, TABLE, cuts, cleaning=STEPS, contract=CONTRACT)
    assert sum(unit.rows_in for unit in units) == TABLE.num_rows
    for unit in units:
        assert unit.rows_in == unit.rows + unit.filtered + sum(unit.refused.values())
        assert pq.read_metadata(unit.uri).num_rows == unit.rows
    refused = [reason for unit in units for reason, rows in unit.refused.items() for _ in range(rows)]
    assert sorted(refused) == ["above_maximum", "bad_value", "bad_value"]
    assert sum(unit.filtered for unit in units) == 1


@pytest.mark.parametrize(
    ("least", "outcome"), [(0.6, nullcontext()), (0.7, pytest.raises(DataError, match=r"3 of 5 rows \(60.0%\)"))]
)
def test_a_join_must_match_enough_in_all_units_together(
    tmp_path: Path, least: float, outcome: AbstractContextManager[Any]
) -> None:
    pq.write_table(pa.table({"city": ["a", "b"], "size": [1, 2]}), tmp_path / "cities.parquet")
    join = {"with": str(tmp_path / "cities.parquet"), "on": ["city"], "min_hit_rate": least}
    with outcome:
        cleaned(tmp_path, TABLE.select(["city"]).slice(2), [1, 3], cleaning=Cleaning((Join(**join),)).surveyed())


@pytest.mark.parametrize("cuts", [[], [1, 4], [0, 5, 7]])
def test_the_rows_that_stay_have_their_identity_and_its_hash(tmp_path: Path, cuts: list[int]) -> None:
    found = rows_of(tmp_path, TABLE, cuts, cleaning=STEPS, contract=CONTRACT)
    assert found["amount"].tolist() == [1.5, 4.0, 5.0]
    assert found["source_row"].tolist() == [0, 4, 5]
    files = pa.array(["held.parquet"] * 3).dictionary_encode()
    assert found[HASH].tolist() == identity_hashes(files, np.array([0, 4, 5]), 42).tolist()


def test_with_a_key_the_hash_is_that_of_its_raw_values(tmp_path: Path) -> None:
    contract = Contract(TABLE.schema, {}, key=("id",))
    steps = Cleaning((FilterRows(where="id > 10"), Derive(columns={"id": "id * 0"})))
    found = rows_of(tmp_path, TABLE, [2], cleaning=steps, contract=contract)
    expected = value_hashes([pa.chunked_array([[12, 13, 14, 16]])], 42)
    assert (found["id"].tolist(), found[HASH].tolist()) == ([0, 0, 0, 0], expected.tolist())


def test_rows_of_a_group_have_one_hash(tmp_path: Path) -> None:
    found = rows_of(tmp_path, TABLE, [2, 3], group="city", keep=("amount",))
    groups = {tuple(rows) for _, rows in found.groupby(GROUP_HASH)["source_row"]}
    assert groups == {(0, 4), (2, 6), (3,), (5,)}


@pytest.mark.parametrize("as_dictionaries", [False, True])
@pytest.mark.parametrize("most", [1, 2, 100])
def test_the_bytes_of_a_unit_do_not_depend_on_how_it_was_read(tmp_path: Path, most: int, as_dictionaries: bool) -> None:
    steps = Cleaning((*STEPS.steps, DropDuplicates()))
    (unit,) = hold(tmp_path, TABLE, [])
    plain = clean_unit(cleaning_task(tmp_path / "plain", TABLE, steps, group="city"), unit)
    source = Held(most=most, as_dictionaries=as_dictionaries)
    other = clean_unit(cleaning_task(tmp_path / "other", TABLE, steps, source=source, group="city"), unit)
    assert Path(other.uri).read_bytes() == Path(plain.uri).read_bytes()


def test_a_unit_without_records_has_the_columns_of_the_others(tmp_path: Path) -> None:
    steps = Cleaning((*STEPS.steps, DropDuplicates()))
    empty, full = cleaned(tmp_path, TABLE, [0], cleaning=steps, group="city")
    assert (empty.rows_in, empty.rows) == (0, 0)
    assert pq.read_schema(empty.uri).equals(pq.read_schema(full.uri))


def test_only_the_columns_that_are_needed_are_read_and_kept(tmp_path: Path) -> None:
    found = rows_of(tmp_path, TABLE, [], read=("id",), keep=("id",))
    assert found.columns.tolist() == ["id", "source_file", "source_row", HASH]


def test_cleaning_again_finds_the_files_there_and_changes_nothing(tmp_path: Path) -> None:
    (first,) = cleaned(tmp_path, TABLE, cleaning=STEPS)
    before = Path(first.uri).stat().st_mtime_ns
    (second,) = cleaned(tmp_path, TABLE, cleaning=STEPS)
    assert second.refused == first.refused
    assert Path(second.uri).stat().st_mtime_ns == before


VALUES = st.tuples(st.sampled_from([0.0, -0.0, 1.0, None, float("nan")]), st.sampled_from(["x", "", None]))


@settings(max_examples=40, deadline=None)
@given(st.lists(VALUES, max_size=30), st.data())
def test_of_equal_rows_the_first_is_kept_however_units_and_buckets_are_cut(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float | None, str | None]], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    table = pa.table(
        {"x": pa.array([x for x, _ in rows], pa.float64()), "t": pa.array([t for _, t in rows], pa.string())}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "BUCKET_ROWS", data.draw(st.integers(1, 40)))
        found = rows_of(tmp_path_factory.mktemp("cut"), table, cuts, cleaning=Cleaning((DropDuplicates(),)))
    keys = [(str(x + 0.0) if x is not None else None, t) for x, t in rows]
    assert found["source_row"].tolist() == [row for row, key in enumerate(keys) if key not in keys[:row]]


def test_every_copy_is_in_exactly_one_bucket(tmp_path: Path) -> None:
    table = pa.table({"x": [number % 7 for number in range(50)]})
    units = cleaned(tmp_path, table, [13, 30], cleaning=Cleaning((DropDuplicates(),)))
    in_buckets = [duplicates_in(units, 5, bucket) for bucket in range(5)]
    for unit in units:
        found = np.concatenate([copies[unit.number] for copies in in_buckets])
        assert sorted(found.tolist()) == unit.duplicates.tolist()
    assert sum(len(unit.duplicates) for unit in units) == 43


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), min_size=1, max_size=20), st.data())
def test_steps_before_and_after_see_the_rows_as_if_all_were_in_one_table(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, bool, bool]], data: st.DataObject
) -> None:
    frame = pd.DataFrame(rows, columns=["x", "before", "after"])
    steps = Cleaning((FilterRows(where="before"), DropDuplicates(columns=("x",)), FilterRows(where="after")))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=2)))
    folder = tmp_path_factory.mktemp("cut")
    found = rows_of(folder, pa.Table.from_pandas(frame), cuts, cleaning=steps)["source_row"].tolist()
    plain = frame[frame["before"]].drop_duplicates("x")
    assert found == plain.index[plain["after"]].tolist()


def test_a_step_of_ones_own_may_look_at_all_units(tmp_path: Path) -> None:
    class OnePerParity(FrameStep):
        kind: Literal["one_per_parity"] = "one_per_parity"

        def output_schema(self, schema: pa.Schema) -> pa.Schema:
            return schema

        def fingerprint(self, part: pa.Table) -> np.ndarray:
            parity = part["x"].to_numpy() % 2
            return np.stack([parity, parity], axis=1).astype(np.uint64)

    found = rows_of(tmp_path, pa.table({"x": [2, 4, 1, 3]}), [1, 3], cleaning=Cleaning((OnePerParity(),)))
    assert found["x"].tolist() == [2, 1]


def test_progress_is_told_the_rows_of_every_unit(tmp_path: Path) -> None:
    from scoreline.clusters.inline import Inline

    told: list[int] = []
    with Inline().open() as session:
        stage.clean(session, cleaning_task(tmp_path, TABLE), hold(tmp_path, TABLE, [2, 2]), told.append)
    assert told == [0, 2, 0, 5]


def test_without_a_step_that_compares_rows_nothing_is_kept_to_compare(tmp_path: Path) -> None:
    (unit,) = cleaned(tmp_path, TABLE)
    assert len(unit.duplicates) == 0
    assert [path.name for path in tmp_path.iterdir()] == [Path(unit.uri).name]


def test_pandas_reads_the_folder_of_cleaned_rows_as_one_table(tmp_path: Path) -> None:
    cleaned(tmp_path, TABLE, [2, 4], cleaning=Cleaning((*STEPS.steps, DropDuplicates())))
    assert pd.read_parquet(tmp_path)["source_row"].tolist() == [0, 4, 5]
