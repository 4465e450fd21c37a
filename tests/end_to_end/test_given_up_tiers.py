"""A fast tier that turns out to answer wrongly halfway through a unit leaves nothing wrong in what is published."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.end_to_end.in_process import job, predicted, ran, rows, store

from scoreline.compiled import sampling
from scoreline.compiled.linear import LinearModel
from scoreline.compiled.scorer import FIRST_ROWS
from scoreline.compiled.sparse_linear import SparseLinear
from scoreline.results import RunRecord
from scoreline.scoring import BLOCK_ROWS

PARTS = 8


def late_city(count: int) -> pa.Table:
    """Rows of which the later ones, and no others, are of a city of its own."""
    table = rows(count)
    cities = np.array(table["city"].to_pylist(), dtype=object)
    cities[FIRST_ROWS + BLOCK_ROWS :] = "Porto"
    return table.set_column(table.schema.get_field_index("city"), "city", pa.array(cities.tolist()))


def test_a_unit_is_predicted_again_when_a_late_part_shows_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(tmp_path, late_city(PARTS * BLOCK_ROWS), row_group_size=BLOCK_ROWS)
    # One part in four has a sample: some that are answered wrongly have none, and stand before one that has.
    monkeypatch.setattr(sampling, "EVERY", 4)
    expected, record = _bent_halfway(tmp_path, monkeypatch)
    assert predicted(tmp_path, "again")["prediction"].to_pylist() == expected
    cost: dict[str, Any] = (record.predictions or {})["cost"]
    assert "A" not in cost["tiers"]
    assert any("other answers than scikit-learn's for rows of part" in reason for reason in cost["reasons"])
    told = (Path(record.artifacts) / "log.txt").read_text()
    assert "gave up a fast tier, and predicted the unit again without it: A: other" in told


def test_a_difference_is_seen_where_the_part_that_hash_chose_is_filtered_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = late_city(PARTS * BLOCK_ROWS)
    shops = table["shop"].to_numpy().copy()
    shops[:BLOCK_ROWS] = -1
    store(tmp_path, table.set_column(table.schema.get_field_index("shop"), "shop", pa.array(shops)))
    # The first part of every unit is chosen.
    monkeypatch.setattr(sampling, "_hash", lambda _unit, number: number)
    clean = [{"kind": "filter_rows", "where": "shop >= 0", "on": "both"}]
    expected, record = _bent_halfway(tmp_path, monkeypatch, clean=clean)
    assert predicted(tmp_path, "again")["prediction"].to_pylist() == expected
    assert len(expected) == (PARTS - 1) * BLOCK_ROWS
    assert "A" not in (record.predictions or {})["cost"]["tiers"]


def _bent_halfway(folder: Path, monkeypatch: pytest.MonkeyPatch, **sections: Any) -> tuple[list[str], RunRecord]:
    """The predictions of a job, and its record where a fast tier answers wrongly for late rows."""
    ran(folder, job(folder, **sections))
    expected = predicted(folder)["prediction"].to_pylist()
    for kind in (LinearModel, SparseLinear):
        monkeypatch.setattr(kind, "derive", _bent(kind.derive))
    other = job(folder, predict={"sink": {"kind": "parquet", "uri": str(folder / "again")}}, **sections)
    return expected, ran(folder, other | {"artifacts": str(folder / "others")})


def _bent(derive: Any) -> Any:
    def bent(self: Any, branch: int, place: int, encoded: Any) -> np.ndarray:
        # What is met after the first values of the column is looked up wrongly.
        found = derive(self, branch, place, encoded)
        late = found.shape[0] == 1
        return -9 * found if late else np.asarray(found)

    return bent
