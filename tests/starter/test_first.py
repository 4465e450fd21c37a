from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scoreline.config.loading import build_config
from scoreline.config.overrides import Origin
from scoreline.config.positions import Document
from scoreline.errors import DataError, UsageError
from scoreline.starter import FirstConfig, first_config

ROWS = 300


def table(**more: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer": [f"C{number:06}" for number in range(ROWS)],
            "amount": [number * 1.5 for number in range(ROWS)],
            "day": [date(2026, 1, 1) + timedelta(days=number % 90) for number in range(ROWS)],
            "city": [f"city {number % 12}" for number in range(ROWS)],
            "note": [f"word{number % 200} and more" for number in range(ROWS)],
            "same": "x",
            "label": ["yes" if number % 3 else "no" for number in range(ROWS)],
        }
        | more
    )


def first(folder: Path, frame: pd.DataFrame, target: str | None = None) -> FirstConfig:
    frame.to_parquet(folder / "sales.parquet")
    return first_config(str(folder / "sales.parquet"), target)


def columns(config: dict[str, Any], kind: str) -> list[str]:
    return [name for feature in config["features"] if feature["kind"] == kind for name in feature["columns"]]


def test_columns_become_features_by_what_they_hold(tmp_path: Path) -> None:
    config = first(tmp_path, table()).config
    assert columns(config, "standard_scale") == ["amount", "day_month", "day_weekday"]
    assert columns(config, "one_hot") == ["city", "note"]
    assert {"kind": "derive", "columns": {"day_month": "month(day)", "day_weekday": "weekday(day)"}} in config["clean"]


def test_the_config_is_one_that_is_accepted(tmp_path: Path) -> None:
    config = first(tmp_path, table()).config
    job = build_config(config, Origin(Document("config.json", config)))
    assert (job.name, job.target, job.source.kind) == ("sales", "label", "parquet")


def test_a_guess_of_the_target_is_said_loudly(tmp_path: Path) -> None:
    found = first(tmp_path, table())
    assert found.config["target"] == "label"
    assert "A GUESS" in found.remarks[0]
    assert "GUESS" not in first(tmp_path, table(), "label").remarks[0]


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    remarks = first(tmp_path, table()).remarks
    assert "left out     customer: looks like an identifier" in remarks
    assert "left out     same: has one value only" in remarks


def test_moments_and_decimals_are_features_and_lists_are_none(tmp_path: Path) -> None:
    amounts = [Decimal(number) / 100 for number in range(ROWS)]
    moments = pd.date_range("2026-01-01", periods=ROWS, freq="9h", tz="Europe/Berlin")
    found = first(tmp_path, table(amount=amounts, day=moments, note=[["a"], []] * (ROWS // 2)))
    assert columns(found.config, "standard_scale") == ["amount", "day_month", "day_weekday"]
    assert "left out     note: no transformer takes columns of type list<element: string>" in found.remarks


def test_a_value_that_is_no_number_is_quoted(tmp_path: Path) -> None:
    table(amount=["12", *["?"] * 2, *["7"] * (ROWS - 3)]).to_csv(tmp_path / "sales.csv", index=False)
    remarks = first_config(str(tmp_path / "sales.csv"), "label").remarks
    assert any(remark.startswith("check        amount: '?' and the like are no int64: ") for remark in remarks)


def test_a_first_line_of_values_is_told(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "sales.csv", index=False, header=False)
    remarks = first_config(str(tmp_path / "sales.csv")).remarks
    assert "check        columns are named 0.0, 2026-01-01: the first line is read as their names" in remarks


def test_a_date_with_a_name_of_two_words_is_named_in_backquotes(tmp_path: Path) -> None:
    config = first(tmp_path, table().rename(columns={"day": "sale day"}), "label").config
    assert {"sale day_month": "month(`sale day`)", "sale day_weekday": "weekday(`sale day`)"} in [
        step.get("columns") for step in config["clean"]
    ]
    assert build_config(config, Origin(Document("config.json", config))).clean[2].kind == "derive"


@pytest.mark.parametrize(
    ("target", "task", "metric"), [("amount", "regression", "mae"), ("city", "classification", "accuracy")]
)
def test_the_target_decides_the_task(tmp_path: Path, target: str, task: str, metric: str) -> None:
    config = first(tmp_path, table(), target).config
    assert (config["train"]["task"], config["evaluate"]["metrics"][0]) == (task, metric)
    assert target not in columns(config, "standard_scale") + columns(config, "one_hot")


def test_dates_as_text_are_parsed_and_doubts_are_said(tmp_path: Path) -> None:
    days = [f"{1 + number % 12:02}/{1 + number % 11:02}/2026" for number in range(ROWS)]
    found = first(tmp_path, table(day=days))
    assert {"kind": "parse_dates", "columns": ["day"], "format": "%d/%m/%Y"} in found.config["clean"]
    assert any("day and month could be swapped" in remark for remark in found.remarks)


@pytest.mark.parametrize(("target", "advice"), [("labell", "did you mean 'label'"), ("same", "choose from")])
def test_a_target_that_cannot_be_is_refused(tmp_path: Path, target: str, advice: str) -> None:
    with pytest.raises(UsageError, match=advice):
        first(tmp_path, table(), target)


def test_without_anything_like_labels_the_target_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--target, one of amount"):
        first(tmp_path, table()[["amount"]])


def test_without_anything_to_learn_from_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column can be a feature"):
        first(tmp_path, table()[["customer", "label"]])


def test_missing_data_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        first_config(str(tmp_path / "nowhere.csv"))


def test_results_among_the_data_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table().to_parquet(tmp_path / "sales.parquet")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="results would land among the data"):
        first_config(".")
    assert first_config("*.parquet").config["name"] == "job"
