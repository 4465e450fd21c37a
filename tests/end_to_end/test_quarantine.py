"""Refused rows are told by reason, and a fix publishes them with all that was right before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.commands import files_of, result, scoreline, write_config
from tests.end_to_end.in_process import account, job, predicted, ran, rows, store

from scoreline.dataset.verification import verify
from scoreline.errors import BudgetError

pytestmark = pytest.mark.end_to_end


def contracted(folder: Path, largest: int, **sections: Any) -> dict[str, Any]:
    return job(folder, contract={"columns": {"shop": {"max": largest}}}, **sections)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two large units of which one has refused rows, scored by a config in ``config.json``."""
    table = rows(70_000)
    fine = table.filter([shop <= 35 for shop in table["shop"].to_pylist()])
    few = table.slice(0, 66_000).set_column(4, "shop", [[37 if row == 9 else 1 for row in range(66_000)]])
    store(tmp_path, fine.take(list(range(66_000 % len(fine)))) if len(fine) < 66_000 else fine, few)
    config = contracted(tmp_path, 35)
    write_config(tmp_path, "config.json", config)
    assert account(ran(tmp_path, config))[2] == 1
    return tmp_path


def test_what_is_refused_is_told(folder: Path) -> None:
    found = result(scoreline("quarantine", "show", "config.json", "--rows", "3", "--json", folder=folder))
    assert found["rows"] == 1
    (group,) = found["groups"]
    assert (group["reason"], group["column"], group["stage"], group["rows"]) == ("above_maximum", "shop", "contract", 1)
    assert (group["first_file"], group["first_row"]) == ("part-1.parquet", 9)
    assert [example["shop"] for example in found["examples"]] == [37]
    told = scoreline("quarantine", "show", "artifacts", folder=folder).stdout
    assert "above_maximum in column 'shop' (contract): above the maximum 35.0; first in part-1.parquet, row 9" in told


def test_a_fix_publishes_the_refused_rows_with_all_others(folder: Path) -> None:
    before, kept = predicted(folder), files_of((folder / "out").resolve())
    write_config(folder, "config.json", contracted(folder, 40))
    done = result(scoreline("quarantine", "replay", "config.json", "--json", folder=folder))["predictions"]
    assert (done["version"], done["quarantined"], done["units_computed"]) == (2, 0, 1)
    assert done["predicted"] == before.num_rows + 1
    after = predicted(folder)
    assert after.num_rows == before.num_rows + 1
    assert after.filter([row != 9 or file != "part-1.parquet" for file, row in identities(after)]).equals(before)
    assert len(kept.items() & files_of((folder / "out").resolve()).items()) == len(kept) - 1
    assert verify(str(folder / "out")).problems == ()
    again = result(scoreline("quarantine", "replay", "config.json", "--json", folder=folder))["predictions"]
    assert (again["version"], again["units_computed"]) == (2, 0)


def identities(table: Any) -> list[tuple[str, int]]:
    return list(zip(table["source_file"].to_pylist(), table["source_row"].to_pylist(), strict=True))


def test_without_a_fix_nothing_is_done_again(folder: Path) -> None:
    told = scoreline("quarantine", "replay", "config.json", folder=folder, code=2).stderr
    assert "nothing changed since 1 row was refused" in told


def test_an_override_is_a_fix_for_a_run_named_by_its_folder(folder: Path) -> None:
    (run,) = (folder / "artifacts/runs").iterdir()
    setting = "contract.columns.shop.max=50"
    done = result(scoreline("quarantine", "replay", str(run), "--set", setting, "--json", folder=folder))
    assert done["predictions"]["quarantined"] == 0


def test_a_budget_for_one_reason_stops_the_run(folder: Path) -> None:
    budget = {"rate": 1.0, "reasons": {"above_maximum": 0.0}}
    sink = {"kind": "parquet", "uri": str(folder / "strict")}
    config = contracted(folder, 35, predict={"error_budget": budget, "sink": sink})
    with pytest.raises(BudgetError, match=r"more than the budget of 0.00% for above_maximum: above_maximum 1"):
        ran(folder, config, "predict")
    assert not (folder / "strict").exists()


def test_one_unit_is_predicted_again_with_the_same_bytes(folder: Path) -> None:
    (run,) = (folder / "artifacts/runs").iterdir()
    units = json.loads((run / "plan.json").read_text())["units"]
    names = sorted(path.stem for path in folder.glob("out.store/receipts/*/*.json"))
    assert len(units) == len(names) == 2
    found = result(scoreline("replay", str(run), names[1], "--json", folder=folder))
    assert (found["same"], found["refused"], found["changes"]) == (True, {"above_maximum": 1}, [])
    other = result(scoreline("replay", str(run), names[1], "--set", "predict.row_id=false", "--json", folder=folder))
    assert (other["same"], other["changes"]) == (False, ["options.row_id was true, is false"])
    told = scoreline("replay", str(run), "nothing", folder=folder, code=2).stderr
    assert "this run has no unit 'nothing'" in told
