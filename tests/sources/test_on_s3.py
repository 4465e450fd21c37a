"""The same files give the same rows, units and errors wherever they lie."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sources.everything import Everything, declare, everything

from scoreline import storage
from scoreline.errors import DataError
from scoreline.sources import _scan
from scoreline.sources._inference import suggest
from scoreline.sources.csv import Csv
from scoreline.sources.parquet import Parquet

pytestmark = pytest.mark.storage


def upload(folder: Path, bucket: str) -> None:
    for path in folder.rglob("*.*"):
        storage.create(f"{bucket}/{path.relative_to(folder)}", path)


def facts(found: Everything) -> tuple[object, ...]:
    units = [(unit.name, unit.rows) for unit in found.survey.units]
    return units, found.table, found.identity, found.refused, found.survey.contract.schema, found.survey.notes


def test_csv_is_the_same_on_s3(s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_scan, "_BLOCK", 1 << 16)
    monkeypatch.setattr(_scan, "_UNIT", 1 << 17)
    lines = [f'{number};"SERVIÇO\n{number}";{number},5\r\n' for number in range(20_000)]
    lines[12_345] = "12345;short\r\n"
    (tmp_path / "a.csv").write_bytes("id;text;v\r\n".encode("mac_roman") + "".join(lines).encode("mac_roman"))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress("id;text;v\n7;AÇÃO;1\n".encode("mac_roman")))
    upload(tmp_path, s3_bucket)
    local, remote = (everything(Csv(uri=uri, decimal=",")) for uri in (str(tmp_path), s3_bucket))
    assert facts(local) == facts(remote)
    assert (len(local.survey.units), local.refused) == (5, {12_345: ("unreadable_line", None)})


def test_parquet_is_the_same_on_s3(s3_bucket: str, tmp_path: Path) -> None:
    for year in (2025, 2026):
        folder = tmp_path / f"year={year}"
        folder.mkdir()
        table = pa.table({"x": np.arange(5000.0) + year, "s": ["a", "b"] * 2500})
        pq.write_table(table, folder / "part-0.parquet", row_group_size=900)
    upload(tmp_path, s3_bucket)
    local, remote = (everything(Parquet(uri=uri), batch_rows=640) for uri in (str(tmp_path), s3_bucket))
    assert facts(local) == facts(remote)
    assert suggest(s3_bucket)["columns"] == suggest(str(tmp_path))["columns"]


def test_a_damaged_file_on_s3_is_named(s3_bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1....")
    (tmp_path / "a.csv.gz").write_bytes(b"\x1f\x8b not gzip")
    upload(tmp_path, s3_bucket)
    with pytest.raises(DataError, match=f"where: {s3_bucket}/a.parquet"):
        Parquet(uri=f"{s3_bucket}/a.parquet").survey(declare())
    with pytest.raises(DataError, match="cannot be decompressed as gzip"):
        Csv(uri=f"{s3_bucket}/a.csv.gz").survey(declare())
