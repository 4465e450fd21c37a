"""Input columns that are copied into the predictions as they are stored: nothing else of a job is different."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.end_to_end.in_process import account, job, predicted, published_bytes, ran, rows, store

from scoreline.dataset.verification import verify
from scoreline.errors import DataError

COUNT, GROUP = 70_000, 20_000
LIMIT = {"columns": {"shop": {"max": 38}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained job, and its predictions in ``out``; rows are refused in the second group alone, and filtered in it."""
    folder = tmp_path_factory.mktemp("passed-on")
    store(folder, late(rows(COUNT)), row_group_size=GROUP)
    ran(folder, config(folder))
    return folder


def late(table: pa.Table) -> pa.Table:
    shops = [39 if row == GROUP + 7 else -1 if row == GROUP + 9 else row % 38 for row in range(COUNT)]
    return table.set_column(table.schema.get_field_index("shop"), "shop", [shops])


def config(folder: Path, **sections: Any) -> dict[str, Any]:
    clean = [{"kind": "filter_rows", "where": "shop >= 0", "on": "both"}]
    return job(folder, **{"contract": LIMIT, "clean": clean, **sections})


def again(folder: Path, name: str, **predict: Any) -> Any:
    """The trained job's predictions once more, to another place."""
    return ran(
        folder, config(folder, predict={"sink": {"kind": "parquet", "uri": str(folder / name)}, **predict}), "predict"
    )


def group_rows(path: Path) -> list[int]:
    (file,) = path.glob("*.parquet")
    footer = pq.read_metadata(file)
    return [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]


def test_row_groups_are_those_of_the_input(folder: Path) -> None:
    assert group_rows(folder / "out") == [GROUP, GROUP - 2, GROUP, COUNT - 3 * GROUP]


def test_rows_are_those_of_a_file_encoded_anew(folder: Path, tmp_path: Path) -> None:
    # Row groups that are small are no row groups of the output.
    store(tmp_path, late(rows(COUNT)), row_group_size=GROUP // 2)
    source = {"kind": "parquet", "uri": str(tmp_path / "in")}
    record = again(folder, "anew", source=source)
    assert account(record) == (COUNT, COUNT - 2, 1, 1)
    assert group_rows(folder / "anew") == [COUNT - 2]
    found, expected = predicted(folder), predicted(folder, "anew")
    assert found.schema.remove_metadata().equals(expected.schema.remove_metadata(), check_metadata=True)
    assert found.equals(expected)


@pytest.mark.parametrize("batch_rows", [16_384, 33_333, 1_000_000])
def test_bytes_depend_on_no_batch(folder: Path, batch_rows: int) -> None:
    again(folder, f"batches-{batch_rows}", batch_rows=batch_rows)
    assert published_bytes(folder, f"batches-{batch_rows}") == published_bytes(folder)


def test_a_changed_bit_is_found(folder: Path) -> None:
    again(folder, "spoilt")
    (file,) = (folder / "spoilt").resolve().glob("*.parquet")
    assert verify(str(folder / "spoilt")).problems == ()
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
    assert any(problem.what == "a file is not what was written" for problem in verify(str(folder / "spoilt")).problems)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(file, page_checksum_verification=True)


def test_damaged_input_is_told_and_nothing_is_published(folder: Path, tmp_path: Path) -> None:
    store(tmp_path, late(rows(COUNT)), row_group_size=GROUP, write_page_checksum=True)
    file = tmp_path / "in" / "part-0.parquet"
    chunk = pq.read_metadata(file).row_group(3).column(1)
    assert chunk.total_compressed_size > 10_000
    data = bytearray(file.read_bytes())
    data[chunk.data_page_offset + 1_000] ^= 1
    file.write_bytes(data)
    with pytest.raises(DataError, match="this file is damaged"):
        again(folder, "nowhere", source={"kind": "parquet", "uri": str(tmp_path / "in")})
    assert not (folder / "nowhere").exists()
