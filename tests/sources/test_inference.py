from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sources.everything import everything

from scoreline.errors import DataError
from scoreline.sources._inference import suggest
from scoreline.sources.csv import Csv
from scoreline.sources.parquet import Parquet

if TYPE_CHECKING:
    from pathlib import Path


def columns(folder: Path, text: str) -> dict[str, dict[str, object]]:
    (folder / "a.csv").write_text(text, "utf-8")
    found: dict[str, dict[str, object]] = suggest(str(folder))["columns"]
    return found


@pytest.mark.parametrize(
    ("numbers", "decimal", "thousands"),
    [
        (["1.234,50", "1,5", "2"], ",", "."),
        (["1,234.50", "1.5", "2"], ".", ","),
        (["1,5", "2"], ",", None),
        (["1.5", "2"], ".", None),
        (["1\xa0234,5", "2,5"], ",", "\xa0"),
        (["1'234.5", "2.5"], ".", "'"),
        (["7", "8"], ".", None),
        (["4.12.2019", "5.12.2019", "7"], ".", None),
    ],
)
def test_the_marks_of_numbers_are_found(
    tmp_path: Path, numbers: list[str], decimal: str, thousands: str | None
) -> None:
    (tmp_path / "a.csv").write_text("k;v\n" + "".join(f"k;{number}\n" for number in numbers), "utf-8")
    source = suggest(str(tmp_path))["source"]
    assert (source["decimal"], source["thousands"]) == (decimal, thousands)


def test_what_is_suggested_reads_the_data(tmp_path: Path) -> None:
    text = "id;cidade;valor\n" + "".join(f"00{n};SÃO JOSÉ;1.{n},5\n" for n in range(100, 200))
    (tmp_path / "a.csv").write_bytes(text.encode("mac_roman"))
    found = suggest(str(tmp_path))
    assert found["source"]["encoding"] == "mac_roman"
    table = everything(Csv.model_validate(found["source"])).table
    assert table.to_pylist()[0] == {"id": "00100", "cidade": "SÃO JOSÉ", "valor": 1100.5}
    assert [look["type"] for look in found["columns"].values()] == ["string", "string", "float64"]


def test_columns_are_described(tmp_path: Path) -> None:
    looks = columns(tmp_path, "n;c;d\n" + "".join(f"{n or ''};x;{n}.12.2019\n" for n in range(1, 31)) + ";x;\n")
    assert looks["n"] == {
        "type": "int64",
        "misfits": 0,
        "misfit": None,
        "null_share": round(1 / 31, 6),
        "distinct": 30,
        "min": 1,
        "max": 30,
        "constant": False,
        "id_like": True,
        "date_format": None,
        "date_ambiguous": False,
    }
    assert looks["c"]["constant"] is True
    assert (looks["d"]["type"], looks["d"]["date_format"], looks["d"]["id_like"]) == ("string", "%d.%m.%Y", False)


@pytest.mark.parametrize(
    ("date", "form", "ambiguous"),
    [
        ("31/12/2019", "%d/%m/%Y", False),
        ("12/31/2019", "%m/%d/%Y", False),
        ("05/04/2019", "%d/%m/%Y", True),
        ("31.12.2019 23:59", "%d.%m.%Y %H:%M", False),
        ("31.02.2019", None, False),
    ],
)
def test_formats_of_dates_are_found(tmp_path: Path, date: str, form: str | None, ambiguous: bool) -> None:
    look = columns(tmp_path, f"k;d\nk;{date}\n")["d"]
    assert (look["date_format"], look["date_ambiguous"]) == (form, ambiguous)


def test_a_few_values_of_another_kind_are_counted(tmp_path: Path) -> None:
    look = columns(tmp_path, "k;v\n" + "k;1.5\n" * 199 + "k;#VALOR!\n")["v"]
    assert (look["type"], look["misfits"], look["misfit"], look["null_share"]) == ("float64", 1, "#VALOR!", 0.0)


@pytest.mark.parametrize("value", ["4.53E+11", "007", "1234567890123456"])
def test_numbers_that_are_text_look_like_ids(tmp_path: Path, value: str) -> None:
    look = columns(tmp_path, f"k;v\nk;{value}\nk;12\n")["v"]
    assert (look["type"], look["id_like"]) == ("string", True)


def test_parquet_is_described_by_its_own_types(tmp_path: Path) -> None:
    table = pa.table(
        {"n": [1, None, 3], "s": ["x", "x", "x"], "l": [[1], [1], None], "d": pa.array([0, 1, 2], pa.date32())}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = suggest(str(tmp_path))
    assert found["source"] == {"kind": "parquet", "uri": str(tmp_path)}
    assert {name: look["type"] for name, look in found["columns"].items()} == {
        "n": "int64",
        "s": "string",
        "l": "list<element: int64>",
        "d": "date32",
    }
    assert (found["columns"]["d"]["min"], found["columns"]["d"]["max"]) == ("1970-01-01", "1970-01-03")
    assert [look["distinct"] for look in found["columns"].values()] == [2, 1, 1, 3]
    assert everything(Parquet.model_validate(found["source"])).table.equals(table)


def test_a_file_without_ending_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "parquet_data")
    (tmp_path / "csv_data").write_text("x;y\n1;2\n", "utf-8")
    assert suggest(str(tmp_path / "parquet_data"))["source"]["kind"] == "parquet"
    assert suggest(str(tmp_path / "csv_data"))["source"]["kind"] == "csv"


def test_a_folder_of_both_kinds_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("x;y\n1;2\n", "utf-8")
    with pytest.raises(DataError, match=r"both Parquet and other files: b\.csv"):
        suggest(str(tmp_path))


def test_files_with_other_columns_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("k;v\n1;2\n")
    (tmp_path / "b.csv").write_text(" v;k \n1;2\n")
    assert set(suggest(str(tmp_path))["columns"]) == {"k", "v", " v", "k "}
    (tmp_path / "c.csv").write_text("k;other\n1;2\n")
    with pytest.raises(DataError, match="column 'v' is missing in 1 of 3 files"):
        suggest(str(tmp_path))


def test_columns_of_parquet_are_looked_at_in_many_files(tmp_path: Path) -> None:
    for month in range(1, 4):
        (tmp_path / f"month={month}").mkdir()
        pq.write_table(pa.table({"day": [month, month]}), tmp_path / f"month={month}" / "a.parquet")
    found = suggest(str(tmp_path))["columns"]
    assert {name: (column["distinct"], column["max"]) for name, column in found.items()} == {
        "day": (3, 3),
        "month": (3, 3),
    }
