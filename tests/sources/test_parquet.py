from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.everything import declare, everything

from scoreline.chunks.assembly import Assembly, made_groups
from scoreline.contract import Contract, Rule
from scoreline.errors import DataError
from scoreline.sources import _parquet_units
from scoreline.sources._parquet_reading import read_pieces
from scoreline.sources.parquet import Parquet

if TYPE_CHECKING:
    from pathlib import Path

CASES = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), min_size=1, max_size=5)


def write(folder: Path, tables: dict[str, pa.Table], **options: object) -> Path:
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, **options)
    return folder


def source(folder: Path, **tables: pa.Table) -> Parquet:
    return Parquet(uri=str(write(folder, tables)))


def refuses(refused: Parquet, *words: str, **types: str) -> None:
    with pytest.raises(DataError) as caught:
        refused.survey(declare(**types))
    text = str(caught.value)
    assert [word for word in words if word not in text] == []


def some_rows(count: int, start: int = 0) -> pa.Table:
    numbers = np.arange(start, start + count)
    return pa.table(
        {"n": numbers, "half": numbers / 2, "s": pa.array((numbers % 3).astype(str)), "id": numbers.astype(str)}
    )


@settings(max_examples=25, deadline=None)
@given(files=CASES, batch_rows=st.integers(1, 9), large=st.integers(1, 8))
def test_rows_are_those_of_pandas_however_files_are_cut(
    files: list[tuple[int, int]], batch_rows: int, large: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("parquet")
    for number, (count, group) in enumerate(files):
        write(folder, {f"f{number}": some_rows(count, 100 * number)}, row_group_size=group)
    write(folder, {"g": some_rows(1, 900)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_parquet_units, "_LARGE_ROWS", large)
        patch.setattr(_parquet_units, "_TINY_ROWS", 3)
        found = everything(Parquet(uri=str(folder)), batch_rows=batch_rows)
    pd.testing.assert_frame_equal(found.table.to_pandas(), pd.read_parquet(folder))
    counts = [*(count for count, _ in files), 1]
    names = [*(f"f{number}.parquet" for number in range(len(files))), "g.parquet"]
    assert found.identity == [(name, row) for name, count in zip(names, counts, strict=True) for row in range(count)]
    assert max(unit.pieces[0].rows for unit in found.survey.units) <= max(2, large, *(group for _, group in files))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
@pytest.mark.parametrize("encoding", ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"])
def test_text_that_is_stored_by_differences_is_read(tmp_path: Path, encoding: str, kind: pa.DataType) -> None:
    plain = some_rows(50)
    table = plain.set_column(2, "s", plain["s"].cast(kind))
    coded = {"use_dictionary": ["id"], "column_encoding": {"s": encoding}}
    write(tmp_path, {"a": table, "c": table})
    write(tmp_path, {"b": table}, **coded)
    for batch_rows in (7, 40):
        found = everything(Parquet(uri=str(tmp_path)), batch_rows=batch_rows)
        assert found.table.equals(pa.concat_tables([table] * 3).cast(found.table.schema))


def test_text_that_is_stored_by_differences_in_later_row_groups_is_read(tmp_path: Path) -> None:
    table = some_rows(60)
    write(tmp_path, {"a": table}, row_group_size=20)
    write(tmp_path, {"b": table}, row_group_size=20, use_dictionary=["id"], column_encoding={"s": "DELTA_BYTE_ARRAY"})
    # One file of both: the first group of one, the others of the other.
    files = [(tmp_path / f"{name}.parquet").read_bytes() for name in "ab"]
    made = io.BytesIO()
    assembly = Assembly(made)
    for number, file in enumerate((files[0], files[1], files[1])):
        rows, chunks = list(made_groups(memoryview(file)))[number]
        assembly.add(rows, [chunk for column in chunks.values() for chunk in column])
    empty = io.BytesIO()
    pq.write_table(table.slice(0, 0), empty)
    assembly.finish(empty.getbuffer())
    (tmp_path / "b.parquet").unlink()
    (tmp_path / "a.parquet").write_bytes(made.getvalue())
    for batch_rows in (7, 40):
        found = everything(Parquet(uri=str(tmp_path)), batch_rows=batch_rows)
        assert found.table.equals(table.cast(found.table.schema))


def test_folders_are_columns_as_arrow_reads_them(tmp_path: Path) -> None:
    table = pa.table({"y": [1, 1, 2], "city": ["São Paulo", "a=b", None], "x": [1.0, 2.0, 3.0]})
    pq.write_to_dataset(table, tmp_path, partition_cols=["y", "city"], basename_template="part-{i}.parquet")
    found = everything(Parquet(uri=str(tmp_path)))
    expected = ds.dataset(tmp_path, partitioning="hive").to_table().sort_by("x")
    assert found.table.sort_by("x").select(["x", "city"]).equals(expected.select(["x", "city"]))
    assert found.survey.contract.schema.names == ["x", "y", "city"]
    assert found.survey.contract.schema.field("y").type == pa.int64()


def test_a_column_of_the_file_counts_before_the_folder(tmp_path: Path) -> None:
    found = everything(source(tmp_path, **{"y=5/a": pa.table({"y": [1], "x": [2]})}))
    assert found.table.to_pydict() == {"y": [1], "x": [2]}


def test_a_folder_column_takes_the_declared_type(tmp_path: Path) -> None:
    files = source(tmp_path, **{"d=2020-01-31/a": pa.table({"x": [1]}), "d=2020-02-01/a": pa.table({"x": [2]})})
    found = everything(files, declare(d="date32"))
    assert found.column("d") == [dt.date(2020, 1, 31), dt.date(2020, 2, 1)]
    refuses(files, "folder names of column 'd' do not spell int64", "d=2020-01-31", d="int64")


def test_only_folder_columns_may_be_wanted(tmp_path: Path) -> None:
    files = source(tmp_path, **{"k=a/x": pa.table({"x": [1, 2]}), "k=b/x": pa.table({"x": [3]})})
    assert everything(files, columns=["k"]).column("k") == ["a", "a", "b"]


def test_nested_and_dictionary_columns_pass_through(tmp_path: Path) -> None:
    table = pa.table(
        {
            "list": [[1], None, [2, 3]],
            "struct": [{"a": 1}, {"a": 2}, None],
            "text": pa.array(["a", None, "b"], pa.dictionary(pa.int8(), pa.large_string())),
            "time": pa.array([1, 2, None], pa.timestamp("ns", "America/Sao_Paulo")),
            "price": pa.array([None, 2, 3], pa.decimal128(12, 2)),
        }
    )
    found = everything(source(tmp_path, a=table))
    assert found.table.to_pylist() == table.to_pylist()
    assert found.survey.contract.schema.field("text").type == pa.string()
    assert [field.type for field in found.survey.contract.schema if field.name != "text"] == [
        field.type for field in table.schema if field.name != "text"
    ]


def test_types_that_differ_safely_are_brought_together_and_noted(tmp_path: Path) -> None:
    one = pa.table({"n": pa.array([1], pa.int32()), "s": pa.array(["x"]), "e": pa.nulls(1)})
    two = pa.table({"s": pa.array(["y"], pa.large_string()), "n": [2], "e": [0.5]})
    found = everything(source(tmp_path, a=one, b=two))
    assert found.table.to_pydict() == {"n": [1, 2], "s": ["x", "y"], "e": [None, 0.5]}
    assert "column 'n' is int32 in a.parquet, read as int64" in found.survey.notes


def test_a_column_of_another_type_in_one_file_of_forty_is_named(tmp_path: Path) -> None:
    tables = {f"f{number:02}": pa.table({"x": [1.0], "y": [1]}) for number in range(40)}
    files = source(tmp_path, **{**tables, "f17": pa.table({"x": ["1.0"], "y": [1]})})
    refuses(files, "column 'x'", "float64 in 39, string in 1 files", "where: string: f17.parquet")
    refuses(files, "column 'x' is string in 1 of 40 files, not float64", "where: f17.parquet", x="float64")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    files = source(
        tmp_path, a=pa.table({"x": [1], "y": [1], "z": [1]}), b=pa.table({"x": ["a"], "z": [True], "w": [1]})
    )
    refuses(
        files,
        "column 'y' is missing in 1 of 2 files",
        "column 'w' is missing in 1 of 2 files",
        "no column 'valr'",
        valr="int64",
    )
    refuses(
        source(tmp_path / "c", a=pa.table({"x": [1], "z": [1]}), b=pa.table({"x": ["a"], "z": [True]})), "'x'", "'z'"
    )


def test_values_that_the_declared_type_does_not_hold_refuse_their_rows(tmp_path: Path) -> None:
    files = source(tmp_path, a=pa.table({"n": [1, 2**40, None, -5], "f": [1.0, 2.5, np.inf, 3.0]}))
    found = everything(files, declare(n="int32", f="int64"))
    assert found.table.to_pydict() == {"n": [1, None, None, -5], "f": [1, None, None, 3]}
    assert found.refused == {1: ("bad_value", "f"), 2: ("bad_value", "f")}
    assert found.original[1] == {"n": 2**40, "f": 2.5}


def test_integers_beyond_two_to_the_53_are_no_floats(tmp_path: Path) -> None:
    found = everything(source(tmp_path, a=pa.table({"n": [2**53, 2**53 + 1]})), declare(n="float64"))
    assert (found.column("n"), found.refused) == ([2.0**53, None], {1: ("bad_value", "n")})


def test_integers_become_text_only_where_text_is_declared(tmp_path: Path) -> None:
    files = source(tmp_path, a=pa.table({"id": [7]}), b=pa.table({"id": ["007"]}))
    assert everything(files, declare(id="string")).column("id") == ["7", "007"]
    refuses(files, "column 'id' is of types that do not go together")


def test_columns_may_stand_in_any_order_and_only_wanted_ones_are_read(tmp_path: Path) -> None:
    files = source(tmp_path, a=pa.table({"x": [1], "y": ["a"]}), b=pa.table({"y": ["b"], "x": [2]}))
    assert everything(files).table.to_pydict() == {"x": [1, 2], "y": ["a", "b"]}
    assert everything(files, columns=["y"]).table.to_pydict() == {"y": ["a", "b"]}


def test_column_names_may_hold_anything(tmp_path: Path) -> None:
    table = pa.table({"a.b": [1], "a": [2], " valor ": [3], "x\ny": [4], "": [5], "São=1/%2F": [6]})
    found = everything(source(tmp_path, a=table))
    assert found.table.to_pydict() == table.to_pydict()


@pytest.mark.parametrize(("extra", "names"), [("keep", ["a", "b"]), ("drop", ["b"])])
def test_extra_columns_are_kept_or_dropped(tmp_path: Path, extra: str, names: list[str]) -> None:
    files = source(tmp_path, a=pa.table({"a": [1], "b": [2]}))
    assert files.survey(declare(extra, b="int64")).contract.schema.names == names


def test_extra_columns_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not name: 'a'"):
        source(tmp_path, a=pa.table({"a": [1], "b": [2]})).survey(declare("refuse", b="int64"))


def test_a_column_in_some_files_may_be_dropped(tmp_path: Path) -> None:
    files = source(tmp_path, a=pa.table({"a": [1], "b": [2]}), b=pa.table({"b": [3]}))
    assert everything(files, declare("drop", b="int64")).table.to_pydict() == {"b": [2, 3]}


def test_what_a_bundle_knows_rules_types_and_may_be_missing(tmp_path: Path) -> None:
    schema = pa.schema([("a", pa.float64()), ("label", pa.string())])
    known = Contract(schema, {"a": Rule(min=0), "label": Rule(nullable=False)}, ())
    found = everything(source(tmp_path, a=pa.table({"a": [1]})), known=known)
    assert found.table.schema == pa.schema([("a", pa.float64())])
    assert dict(found.survey.contract.rules) == {"a": Rule(min=0)}


def test_names_that_repeat_are_named(tmp_path: Path) -> None:
    refuses(source(tmp_path, a=pa.table([[1], [2]], names=["x", "x"])), "several columns are named 'x'", "a.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"id;valor\n1;2\n", None], ids=["empty", "short", "text", "cut"])
def test_unreadable_files_are_named(tmp_path: Path, content: bytes | None) -> None:
    files = source(tmp_path, a=some_rows(3), b=some_rows(3))
    path = tmp_path / "b.parquet"
    path.write_bytes(path.read_bytes()[:-20] if content is None else content)
    refuses(files, "Parquet", f"where: {path}")


def test_a_name_that_is_no_text_is_damage(tmp_path: Path) -> None:
    files = source(tmp_path, a=pa.table({"unmistakable": [1]}))
    path = tmp_path / "a.parquet"
    path.write_bytes(path.read_bytes().replace(b"unmistakable", b"unmistakabl\xe1"))
    refuses(files, "cannot be read as Parquet", f"where: {path}")


def test_a_flipped_bit_is_found_by_the_page_checksum(tmp_path: Path) -> None:
    write(tmp_path, {"a": pa.table({"x": np.arange(1000.0)})}, write_page_checksum=True, use_dictionary=False)
    raw = bytearray((tmp_path / "a.parquet").read_bytes())
    raw[2000] ^= 1
    (tmp_path / "a.parquet").write_bytes(bytes(raw))
    with pytest.raises(DataError, match="this file is damaged"):
        everything(Parquet(uri=str(tmp_path)))


def test_a_source_without_rows_is_refused(tmp_path: Path) -> None:
    refuses(source(tmp_path, a=some_rows(0)), "there are no rows", "where: a.parquet")


def test_files_without_rows_are_noted(tmp_path: Path) -> None:
    found = everything(source(tmp_path, a=some_rows(0), b=some_rows(2)))
    assert found.identity == [("b.parquet", 0), ("b.parquet", 1)]
    assert "files without rows: a.parquet" in found.survey.notes


@pytest.mark.parametrize(
    "columns", [{}, {"n": [], "s": pa.array([], pa.float64())}, {"other": pa.nulls(0)}], ids=["none", "types", "names"]
)
def test_columns_of_files_without_rows_do_not_matter(tmp_path: Path, columns: dict[str, Any]) -> None:
    alone = everything(source(tmp_path / "alone", b=some_rows(2)))
    found = everything(source(tmp_path / "both", a=pa.table(columns), b=some_rows(2)))
    assert found.survey.contract == alone.survey.contract
    assert found.table.equals(alone.table)


def test_a_file_that_changed_since_the_survey_is_refused(tmp_path: Path) -> None:
    survey = source(tmp_path, a=some_rows(3)).survey(declare())
    write(tmp_path, {"a": some_rows(4)})
    with pytest.raises(DataError, match=r"this input file changed .* while the run lasted"):
        list(survey.source.read(survey.units[0], survey.contract, ["n"], 10))


def test_text_that_repeats_is_a_dictionary_and_other_text_is_not(tmp_path: Path) -> None:
    survey = source(tmp_path, a=some_rows(500)).survey(declare())
    (part,) = survey.source.read(survey.units[0], survey.contract, ["id", "s"], 1000)
    assert part.table.schema.types == [pa.string(), pa.dictionary(pa.int32(), pa.string())]


def test_text_that_repeats_in_one_file_and_not_in_another_is_told_apart_whichever_was_read_before(
    tmp_path: Path,
) -> None:
    many, few = [f"{row:x}" for row in range(5_000)], ["a", "b", None, "c"] * 1_250
    write(tmp_path, {"a": pa.table({"text": many}), "b": pa.table({"text": few})})
    survey = Parquet(uri=str(tmp_path)).survey(declare())
    for wanted in ("a", "b", "b", "a"):
        piece = next(piece for unit in survey.units for piece in unit.pieces if wanted in piece.path)
        (part,) = read_pieces([piece], survey.contract.schema, 10_000)
        assert part.table["text"].to_pylist() == (many if wanted == "a" else few)
        assert pa.types.is_dictionary(part.table["text"].type) is (wanted == "b")


def test_tiny_files_go_together_and_large_ones_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parquet_units, "_LARGE_ROWS", 40)
    monkeypatch.setattr(_parquet_units, "_TINY_ROWS", 10)
    write(tmp_path, {f"f{number}": some_rows(5) for number in range(6)})
    write(tmp_path, {"g": some_rows(100)}, row_group_size=20)
    units = Parquet(uri=str(tmp_path)).survey(declare()).units
    assert [len(unit.pieces) for unit in units] == [6, 1, 1, 1]
    assert [unit.pieces[0].row_groups for unit in units] == [None, (0, 1), (2, 3), (4,)]
    assert [unit.pieces[0].first_row for unit in units] == [0, 0, 40, 80]


@pytest.mark.parametrize(("second", "nullable"), [([3, 4], False), ([3, None], True), ([], False)])
def test_integers_and_booleans_allow_no_null_when_all_statistics_prove_it(
    tmp_path: Path, second: list[int | None], nullable: bool
) -> None:
    first = pa.table({"n": [1, 2], "flag": [True, False], "x": [1.0, 2.0]})
    other = pa.table({"n": pa.array(second, pa.int64())}).append_column(
        "flag", pa.array([True] * len(second), pa.bool_())
    )
    files = source(tmp_path, a=first, b=other.append_column("x", pa.array([1.0] * len(second), pa.float64())))
    fields = {field.name: field.nullable for field in files.survey(declare()).contract.schema}
    assert fields == {"n": nullable, "flag": False, "x": True}


def test_nothing_is_proved_without_statistics_or_where_values_may_be_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a": pa.table({"n": [1, 2]})}, write_statistics=False)
    assert Parquet(uri=str(tmp_path)).survey(declare()).contract.schema.field("n").nullable
    files = source(tmp_path, a=pa.table({"n": [1, 2]}))
    assert not files.survey(declare()).contract.schema.field("n").nullable
    assert files.survey(declare(n="int8")).contract.schema.field("n").nullable


def test_a_survey_tells_how_all_files_store_a_column(tmp_path: Path) -> None:
    texts = pa.array(["a", "b"])
    first = pa.table({"level": texts.dictionary_encode(), "city": texts, "n": [1, 2]})
    stored = (
        source(tmp_path, a=first, b=first.set_column(1, "city", texts.dictionary_encode())).survey(declare()).stored
    )
    assert {name: str(kind) for name, kind in stored.items()} == {
        "level": "dictionary<values=string, indices=int32, ordered=0>",
        "n": "int64",
    }


def test_dictionaries_inside_lists_are_told_from_damage(tmp_path: Path) -> None:
    words = pa.ListArray.from_arrays(pa.array(range(11), pa.int32()), pa.array(["a", "b"] * 5).dictionary_encode())
    pq.write_table(pa.table({"words": words}), tmp_path / "a.parquet", row_group_size=4)
    source = Parquet(uri=str(tmp_path))
    survey = source.survey(declare())
    with pytest.raises(DataError, match="without dictionaries inside lists"):
        list(source.read(survey.units[0], survey.contract, ["words"], 10))
