"""Input columns that go to the output as they are stored: what readers find is what they find where all is encoded."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sinks.passing import Scored, assert_same, pages, read

from scoreline.chunks.thrift import parse, serialize
from scoreline.errors import DataError, ScorelineError
from scoreline.sinks import _passage, _read_back
from scoreline.sinks.base import NumberedRows
from scoreline.sources import _parquet_stored, _parquet_units
from scoreline.sources._parquet_stored import stored_groups
from scoreline.units import Piece

ROWS = 150
PASSED = ("small", "short", "whole", "positive", "single", "double", "flag", "day", "text", "codes", "large", "empty")
PASSED += ("bytes", "none", "moment", "zone", "tokyo", "fine", "length", "number codes", "seconds", "old")


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups of few rows are passed on, too, and chunks of any kind are read back."""
    monkeypatch.setattr(_passage, "LEAST_ROWS", 8)
    monkeypatch.setattr(_read_back, "_proven", set())


def everything(rows: int = ROWS) -> pa.Table:
    random = np.random.default_rng(7)
    numbers = random.integers(-100, 100, rows)
    gaps = random.random(rows) < 0.2
    special = np.array([np.nan, -0.0, 0.0, np.inf, -np.inf, 5e-324, 1.5])
    days = pa.array(numbers.astype(np.int32)).cast(pa.date32())

    def of(kind: pa.DataType, values: Any = numbers) -> pa.Array:
        return pa.array(values, mask=gaps).cast(kind)

    texts = [["", "é", "a" * 90, "Natal"][number % 4] for number in numbers]
    columns = {
        "small": of(pa.int8()),
        "short": of(pa.uint16(), np.abs(numbers)),
        "whole": of(pa.int64(), numbers * 2**55),
        "positive": of(pa.uint64(), np.abs(numbers).astype(np.uint64) * np.uint64(2**57)),
        "single": of(pa.float32(), special[numbers % 7].astype(np.float32)),
        "double": of(pa.float64(), special[numbers % 7]),
        "flag": of(pa.bool_(), numbers > 0),
        "day": days,
        "text": pa.array(texts, mask=gaps),
        "codes": pa.array(texts, mask=gaps).dictionary_encode(),
        "large": pa.array([f"{number}" for number in range(rows)], pa.large_string()),
        "empty": pa.array([""] * rows),
        "bytes": pa.array([text.encode() for text in texts], mask=gaps),
        "none": pa.nulls(rows, pa.string()),
        "moment": of(pa.timestamp("us")),
        "zone": of(pa.timestamp("ms", "UTC")),
        "tokyo": of(pa.timestamp("us", "Asia/Tokyo")),
        "fine": of(pa.timestamp("ns"), numbers * 1000),
        "seconds": of(pa.timestamp("s")),
        "exact": of(pa.decimal128(21, 2)),
        "clock": of(pa.time64("us"), np.abs(numbers)),
        "length": of(pa.duration("ms")),
        "number codes": of(pa.int64()).dictionary_encode(),
        "nothing": pa.nulls(rows),
        "list": pa.array([[number, None] if number % 3 else None for number in numbers.tolist()]),
        "struct": pa.array([{"a": number} for number in numbers.tolist()]),
        "sure": numbers,
        "half": of(pa.float16(), numbers.astype(np.float16)),
        "old": of(pa.date64(), numbers * 86_400_000).cast(pa.date64()),
    }
    table = pa.table(columns)
    place = table.schema.get_field_index("sure")
    return table.cast(table.schema.set(place, table.schema.field(place).with_nullable(nullable=False)))


def stored(folder: Path, *tables: pa.Table, **options: Any) -> Path:
    for number, table in enumerate(tables):
        pq.write_table(table, folder / f"{number}.parquet", **options)
    return folder


OPTIONS: dict[str, dict[str, Any]] = {
    "as pyarrow writes": {},
    "uncompressed": {"compression": "none"},
    "gzip": {"compression": "gzip"},
    "zstd": {"compression": "zstd"},
    "brotli": {"compression": "brotli"},
    "lz4": {"compression": "lz4"},
    "pages of the second kind": {"data_page_version": "2.0"},
    "pages of the second kind, uncompressed": {"data_page_version": "2.0", "compression": "none"},
    "no dictionaries": {"use_dictionary": False},
    "small pages": {"data_page_size": 64, "write_batch_size": 8},
    "checksums": {"write_page_checksum": True, "data_page_version": "2.0"},
    "page index": {"write_page_index": True},
    "bloom filters": {"bloom_filter_options": {"text": {"ndv": 10}, "whole": {"ndv": 10}}},
    "no statistics": {"write_statistics": False},
    "no Arrow schema": {"store_schema": False},
    "differences": {"use_dictionary": False, "column_encoding": {"whole": "DELTA_BINARY_PACKED"}},
    "an older format": {"version": "2.4"},
    "the first format": {"version": "1.0"},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_readers_find_what_they_find_in_a_file_encoded_anew(tmp_path: Path, options: dict[str, Any]) -> None:
    scored = Scored(stored(tmp_path, everything(), row_group_size=47, **options))
    made = scored.passed_on()
    assert_same(made, scored.anew())
    metadata = pq.read_metadata(pa.BufferReader(made))
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [47, 47, 47, 9]
    assert all(4 in page.header for page in pages(made))


def test_what_is_passed_on_and_what_is_not(tmp_path: Path) -> None:
    passage = Scored(stored(tmp_path, everything(), row_group_size=47)).passage
    assert passage is not None
    assert sorted(passage.passed) == sorted(PASSED)


@settings(max_examples=40, deadline=None)
@given(
    group=st.integers(8, ROWS),
    batch=st.integers(1, 60),
    left_out=st.frozensets(st.integers(0, ROWS - 1), max_size=5) | st.just(frozenset(range(40))),
    options=st.fixed_dictionaries(
        {
            "compression": st.sampled_from(["none", "snappy", "zstd"]),
            "data_page_version": st.sampled_from(["1.0", "2.0"]),
            "use_dictionary": st.booleans(),
            "write_page_checksum": st.booleans(),
            "data_page_size": st.sampled_from([40, 2**20]),
        }
    ),
)
def test_any_rows_left_out_and_any_cut_give_the_same_rows_and_bytes(
    tmp_path_factory: pytest.TempPathFactory, group: int, batch: int, left_out: frozenset[int], options: dict[str, Any]
) -> None:
    folder = stored(tmp_path_factory.mktemp("cuts"), everything(), row_group_size=group, **options)
    scored = Scored(folder, left_out, batch)
    made = scored.passed_on()
    assert_same(made, scored.anew())
    assert made == Scored(folder, left_out, 16).passed_on()
    assert all(4 in page.header for page in pages(made))


def test_an_input_column_that_is_cast_or_carried_by_a_folder_is_encoded(tmp_path: Path) -> None:
    folder = tmp_path / "shop=3"
    folder.mkdir()
    stored(folder, everything().select(["whole", "small", "text"]), row_group_size=47)
    scored = Scored(tmp_path, types=(("small", "int64"), ("whole", "string")))
    assert scored.passage is not None
    assert scored.passage.passed == ["text"]
    assert_same(scored.passed_on(), scored.anew())


def test_columns_in_encodings_that_not_every_reader_knows_are_encoded(tmp_path: Path) -> None:
    encodings = {"bytes": "DELTA_BYTE_ARRAY", "double": "BYTE_STREAM_SPLIT", "text": "DELTA_LENGTH_BYTE_ARRAY"}
    table = everything().select(["whole", "text", "double", "bytes"])
    scored = Scored(stored(tmp_path, table, row_group_size=47, use_dictionary=False, column_encoding=encodings))
    assert scored.passage is not None
    assert scored.passage.passed == ["whole", "text"]
    assert_same(scored.passed_on(), scored.anew())


def test_a_row_group_whose_pages_are_not_what_its_footer_says_is_encoded(tmp_path: Path) -> None:
    table = everything().select(["whole", "double"])
    stored(tmp_path, table, row_group_size=47, use_dictionary=False, column_encoding={"double": "BYTE_STREAM_SPLIT"})

    def understated(footer: dict[int, Any]) -> dict[int, Any]:
        for group in footer[4][1][1]:
            for chunk in group[1][1][1]:
                chunk[3][1][2] = (9, (5, [0, 3]))
        return footer

    rewrite_footer(tmp_path / "0.parquet", understated)
    scored = Scored(tmp_path)
    assert scored.passage is not None
    assert scored.passage.passed == ["whole", "double"]
    made = scored.passed_on()
    assert_same(made, scored.anew())
    encodings = pq.read_metadata(pa.BufferReader(made)).row_group(1).column(1).encodings
    assert "BYTE_STREAM_SPLIT" not in encodings


def test_pages_of_another_number_of_values_are_damage(tmp_path: Path) -> None:
    path = stored(tmp_path, everything().select(["whole"]), row_group_size=50, compression="none") / "0.parquet"
    data = path.read_bytes()
    start = pq.read_metadata(path).row_group(1).column(0).data_page_offset
    header, end = parse(data, start)
    header[5][1][1] = (5, 49)
    changed = serialize(header)
    assert len(changed) == end - start
    scored, status = Scored(tmp_path), path.stat()
    assert scored.rows
    path.write_bytes(data[:start] + changed + data[end:])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(DataError, match="this file is damaged: pages do not have as many values"):
        scored.passed_on()


def test_a_range_of_row_groups_is_passed_on_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parquet_units, "_LARGE_ROWS", 100)
    monkeypatch.setattr(_parquet_units, "_TINY_ROWS", 1)
    stored(tmp_path, everything().select(["whole", "text", "double"]), row_group_size=47)
    for unit, groups in enumerate([[47, 47], [47, 9]]):
        scored = Scored(tmp_path, unit=unit)
        assert [group.rows for group in scored.passage.groups] == groups  # type: ignore[union-attr]
        assert_same(scored.passed_on(), scored.anew())


def test_of_a_file_on_s3_nothing_is_passed_on_and_nothing_fetched() -> None:
    (group,) = stored_groups([Piece("s3://nowhere/x.parquet", "x.parquet", 0, 10, 99)], pa.schema([("a", pa.int64())]))
    assert (group.rows, group.chunks) == (10, {})


def test_of_a_file_with_a_very_large_footer_nothing_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stored(tmp_path, everything().select(["whole", "text"])) / "0.parquet"
    size = pq.read_metadata(path).serialized_size
    for largest, is_passed in ((size, True), (size - 1, False)):
        monkeypatch.setattr(_parquet_stored, "_LARGEST_FOOTER", largest)
        assert (Scored(tmp_path).passage is not None) == is_passed


def test_a_copy_that_reads_back_otherwise_ends_the_run(tmp_path: Path) -> None:
    scored = Scored(stored(tmp_path, everything().select(["whole", "text"]), write_statistics=False))
    passage = scored.passage
    assert passage is not None
    others = [NumberedRows(table.set_column(0, "whole", pc.negate(table["whole"])), at) for table, at in scored.rows]
    with pytest.raises(ScorelineError, match="column 'whole', copied as it is stored, reads back as other values"):
        passage.write(iter(others), io.BytesIO(), {})


def test_text_is_passed_on_as_codes_and_as_differences(tmp_path: Path) -> None:
    rows = 200
    table = pa.table({"text": [f"value {row % 3}" for row in range(rows)]})
    pq.write_table(table, tmp_path / "0.parquet")
    differences = {"use_dictionary": False, "column_encoding": {"text": "DELTA_LENGTH_BYTE_ARRAY"}}
    pq.write_table(table, tmp_path / "1.parquet", **differences)
    scored = Scored(tmp_path, batch_rows=70)
    assert {str(table["text"].type) for table, _ in scored.rows} == {str(pa.dictionary(pa.int32(), pa.string()))}
    made = scored.passed_on()
    assert_same(made, scored.anew())
    metadata = pq.read_metadata(pa.BufferReader(made))
    assert "DELTA_LENGTH_BYTE_ARRAY" in metadata.row_group(1).column(0).encodings


def test_files_that_make_one_unit_are_passed_on_together(tmp_path: Path) -> None:
    table = everything().select(["whole", "text", "sure", "double"])
    scored = Scored(stored(tmp_path, table, table.slice(40, 70), row_group_size=47), frozenset({3, 160}))
    assert [group.rows for group in scored.passage.groups] == [47, 47, 47, 9, 47, 23]  # type: ignore[union-attr]
    assert_same(scored.passed_on(), scored.anew())


@pytest.mark.parametrize(
    ("sizes", "is_passed_on"),
    [([8, 8], True), ([8, 3], True), ([7, 8], False), ([8, 7, 8], False), ([8], True), ([7], False)],
)
def test_row_groups_of_the_output_are_not_small(tmp_path: Path, sizes: list[int], is_passed_on: bool) -> None:
    write_groups(tmp_path, sizes)
    assert (Scored(tmp_path).passage is not None) is is_passed_on


def test_row_groups_of_the_output_are_not_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_groups(tmp_path, [40, 10])
    monkeypatch.setattr(_passage, "ROW_GROUP_ROWS", 39)
    monkeypatch.setattr(_passage, "MOST_ROWS", 39)
    assert Scored(tmp_path).passage is None
    monkeypatch.setattr(_passage, "MOST_ROWS", 40)
    assert Scored(tmp_path).passage is not None
    monkeypatch.setattr(_passage, "MOST_BYTES", 40 * 3 * 8 - 1)
    assert Scored(tmp_path).passage is None
    monkeypatch.setattr(_passage, "ROW_GROUP_ROWS", 40)
    assert Scored(tmp_path).passage is not None


def write_groups(folder: Path, sizes: list[int]) -> None:
    table = everything().select(["whole"])
    with pq.ParquetWriter(folder / "0.parquet", table.schema) as writer:
        for size in sizes:
            writer.write_table(table.slice(0, size))


@pytest.mark.parametrize("writer", ["parquet-cpp version 1.5.1", "parquet-mr version 1.8.1 (build x)", "me", ""])
def test_what_readers_mend_because_of_its_writer_is_encoded(tmp_path: Path, writer: str) -> None:
    stored(tmp_path, everything())
    rewrite_footer(tmp_path / "0.parquet", lambda footer: footer | {6: (8, writer.encode())})
    assert Scored(tmp_path).passage is None


def test_statistics_that_values_do_not_bear_out_are_left_out(tmp_path: Path) -> None:
    stored(tmp_path, everything().select(["whole", "text", "codes", "double"]))

    def lying(footer: dict[int, Any]) -> dict[int, Any]:
        for chunk in footer[4][1][1][0][1][1][1]:
            # The largest value is told to be the least.
            about = chunk[3][1][12][1]
            about[5] = about[6]
        return footer

    honest = read(Scored(tmp_path).passed_on())
    rewrite_footer(tmp_path / "0.parquet", lying)
    made = Scored(tmp_path).passed_on()
    group = pq.read_metadata(pa.BufferReader(made)).row_group(0)
    assert [group.column(place).statistics.has_min_max for place in range(6)] == [False] * 4 + [True] * 2
    assert group.column(0).statistics.null_count == honest["whole"].null_count
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "0.parquet").write_bytes(made)
    found = ds.dataset(tmp_path / "made").to_table(filter=pc.field("text") == "é")
    assert found.num_rows == pc.sum(pc.equal(honest["text"], "é")).as_py() > 0


def test_a_wrong_count_of_nulls_is_left_out(tmp_path: Path) -> None:
    stored(tmp_path, everything().select(["whole"]))

    def lying(footer: dict[int, Any]) -> dict[int, Any]:
        footer[4][1][1][0][1][1][1][0][3][1][12][1][3] = (6, 0)
        return footer

    rewrite_footer(tmp_path / "0.parquet", lying)
    assert not pq.read_metadata(pa.BufferReader(Scored(tmp_path).passed_on())).row_group(0).column(0).is_stats_set


def rewrite_footer(path: Path, change: Any) -> None:
    data = path.read_bytes()
    size = int.from_bytes(data[-8:-4], "little")
    footer = serialize(change(parse(data[-8 - size : -8])[0]))
    path.write_bytes(data[: -8 - size] + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def test_statistics_lead_readers_to_the_rows(tmp_path: Path) -> None:
    table = everything().sort_by("whole").append_column("n", pa.array(range(ROWS)))
    (tmp_path / "in").mkdir()
    scored = Scored(stored(tmp_path / "in", table.select(["whole", "text", "n", "day"]), row_group_size=30))
    made = tmp_path / "made.parquet"
    made.write_bytes(scored.passed_on())
    dataset = ds.dataset(made)
    (fragment,) = dataset.get_fragments()
    assert len(fragment.split_by_row_group(pc.field("n") == 45)) == 1
    assert dataset.to_table(filter=(pc.field("n") > 25) & (pc.field("n") < 65))["n"].to_pylist() == list(range(26, 65))
    text = pd.read_parquet(made, columns=["n"], filters=[("text", "==", "Natal")])["n"].tolist()
    expected = table.filter(pc.equal(table["text"], "Natal"))["n"].to_pylist()
    assert text == expected


def test_every_flipped_bit_of_a_page_is_found(tmp_path: Path) -> None:
    table = everything().select(["whole", "text", "double", "sure", "flag"])
    made = Scored(stored(tmp_path, table, row_group_size=60, compression="none"), frozenset({70})).passed_on()
    found = pages(made)
    assert len(found) > 20
    for page in found:
        spoilt = bytearray(made)
        spoilt[page.start + page.size // 2] ^= 4
        with pytest.raises(OSError, match="CRC"):
            read(bytes(spoilt))


@pytest.mark.parametrize("is_noticed_by_time", [True, False])
def test_a_file_that_changes_after_it_was_decoded_is_noticed(tmp_path: Path, is_noticed_by_time: bool) -> None:
    path = stored(tmp_path, everything().select(["whole", "text"]), write_page_checksum=True) / "0.parquet"
    scored, status = Scored(tmp_path), path.stat()
    assert scored.rows
    spoilt = bytearray(path.read_bytes())
    page = pages(bytes(spoilt))[0]
    spoilt[page.start + 3] ^= 1
    path.write_bytes(spoilt)
    changed = status.st_mtime_ns + is_noticed_by_time
    os.utime(path, ns=(status.st_atime_ns, changed))
    what = (
        "this input file changed" if is_noticed_by_time else "this file is damaged: a page does not have its checksum"
    )
    with pytest.raises(DataError, match=what):
        scored.passed_on()


def test_a_file_that_is_gone_when_it_is_copied_from_is_told(tmp_path: Path) -> None:
    stored(tmp_path, everything().select(["whole"]))
    scored = Scored(tmp_path)
    passage = scored.passage
    assert scored.rows
    assert passage is not None
    (tmp_path / "0.parquet").unlink()
    with pytest.raises(DataError, match="is gone"):
        passage.write(iter(scored.rows), io.BytesIO(), {})
