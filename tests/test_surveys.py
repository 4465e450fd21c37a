"""A kept survey is the survey, wherever the data lie; whatever could change it makes a new one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.end_to_end.in_process import rows

from scoreline import surveys
from scoreline.contract import ColumnConfig, ContractConfig
from scoreline.sources.base import Source, Survey
from scoreline.sources.csv import Csv
from scoreline.sources.parquet import Parquet
from scoreline.surveys import surveyed


@pytest.fixture(autouse=True)
def _every_survey_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "LONG_SECONDS", -1.0)


def parquet(folder: Path) -> Source:
    for year in (2025, 2026):
        (folder / f"in/year={year}").mkdir(parents=True)
        table = rows(50, year).append_column("n", pa.array(range(50), pa.int32() if year == 2025 else pa.int64()))
        pq.write_table(table, folder / f"in/year={year}/a.parquet", row_group_size=20)
    return Parquet(uri=str(folder / "in"))


def csv(folder: Path) -> Source:
    (folder / "in").mkdir()
    for name in "ab":
        (folder / f"in/{name}.csv").write_text(
            "id;x;day\n" + "".join(f"{n};{n}.5;2026-01-0{n + 1}\n" for n in range(5))
        )
    return Csv(uri=str(folder / "in"))


DECLARED = ContractConfig(columns={"x": ColumnConfig(type="float64", min=-1, nullable=True)})


def look(source: Source, folder: Path, declared: ContractConfig = DECLARED, known: Any = None) -> tuple[Survey, bool]:
    """The survey, and whether it was made anew."""
    place = folder / "kept"
    before = {path.name: path.stat().st_mtime_ns for path in place.glob("*")}
    survey = surveyed(source, declared, known, str(place))
    return survey, before != {path.name: path.stat().st_mtime_ns for path in place.glob("*")}


@pytest.mark.parametrize("make", [parquet, csv])
def test_a_kept_survey_is_the_survey(tmp_path: Path, make: Any) -> None:
    source = make(tmp_path)
    first, made = look(source, tmp_path)
    again, made_again = look(source, tmp_path)
    assert (made, made_again) == (True, False)
    assert again == first == source.survey(DECLARED)
    assert [unit.name for unit in again.units] == [unit.name for unit in first.units]


@pytest.mark.parametrize("make", [parquet, csv])
def test_data_that_moved_are_read_where_they_are(tmp_path: Path, make: Any) -> None:
    source = make(tmp_path)
    look(source, tmp_path)
    (kept,) = (tmp_path / "kept").iterdir()
    assert str(tmp_path) not in kept.read_text()


@pytest.mark.parametrize("make", [parquet, csv])
def test_whatever_changes_makes_another_survey(tmp_path: Path, make: Any) -> None:
    source = make(tmp_path)
    first, _ = look(source, tmp_path)
    path = Path(first.files[0].uri)
    os.utime(path, ns=(5, 5))
    assert look(source, tmp_path)[1]
    assert look(source, tmp_path, ContractConfig())[1]
    assert look(source, tmp_path, ContractConfig(), first.contract)[1]
    path.with_name(f"more{path.suffix}").write_bytes(path.read_bytes())
    grown, made = look(source, tmp_path, ContractConfig(), first.contract)
    assert made
    assert len(grown.files) == 3


def test_other_options_of_a_source_make_another_survey(tmp_path: Path) -> None:
    source = csv(tmp_path)
    look(source, tmp_path)
    assert look(source.model_copy(update={"null_values": ("1",)}), tmp_path)[1]


def test_a_kept_survey_that_is_damaged_is_made_again(tmp_path: Path) -> None:
    source = csv(tmp_path)
    first, _ = look(source, tmp_path)
    (kept,) = (tmp_path / "kept").iterdir()
    for body in (b"{", b"[]", json.dumps({"key": "x"}).encode()):
        kept.write_bytes(body)
        assert look(source, tmp_path) == (first, True)


def test_a_place_where_nothing_can_be_kept_is_done_without(tmp_path: Path) -> None:
    source = csv(tmp_path)
    (tmp_path / "kept").write_text("in the way")
    assert surveyed(source, DECLARED, None, str(tmp_path / "kept")) == source.survey(DECLARED)
