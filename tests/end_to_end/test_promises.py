"""What the project promises of any job: nothing stale, nothing lost, the same bytes again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from tests.end_to_end.in_process import job, predicted, ran, rows

pytestmark = pytest.mark.end_to_end


def csv_job(folder: Path, **reading: Any) -> dict[str, Any]:
    """A job on a CSV file whose cities are spelled with a character above ASCII."""
    table = rows(300)
    table = table.set_column(1, "x", pa.array([None if x is None else round(x, 3) for x in table["x"].to_pylist()]))
    (folder / "in").mkdir(exist_ok=True)
    path = folder / "in/rows.csv"
    if not path.exists():
        pa_csv.write_csv(table, path, pa_csv.WriteOptions(delimiter=";", quoting_style="none"))
        path.write_bytes(path.read_bytes().replace(b"Recife", "São Paulo".encode("latin-1")))
    source = {"kind": "csv", "uri": str(folder / "in"), "delimiter": ";", "encoding": "latin-1", **reading}
    return job(folder, source=source, contract={"columns": {"x": {"type": "float64"}, "city": {"type": "string"}}})


@pytest.mark.parametrize("reading", [{"encoding": "cp850"}, {"null_values": ["Olinda"]}, {"thousands": " "}])
def test_another_way_to_read_the_same_files_trains_and_predicts_again(tmp_path: Path, reading: dict[str, Any]) -> None:
    first = ran(tmp_path, csv_job(tmp_path))
    second = ran(tmp_path, csv_job(tmp_path, **reading))
    assert (first.model or {})["uri"] != (second.model or {})["uri"]
    assert (second.predictions or {})["version"] == 2


def test_what_a_config_says_and_what_is_found_out_are_the_same_reading(tmp_path: Path) -> None:
    first = ran(tmp_path, csv_job(tmp_path))
    second = ran(tmp_path, csv_job(tmp_path, delimiter="auto", encoding="iso8859-1"))
    assert first.model == second.model
    assert (second.predictions or {})["version"] == 1
    assert "São Paulo" in predicted(tmp_path)["city"].to_pylist()
