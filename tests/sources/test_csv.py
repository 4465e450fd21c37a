from __future__ import annotations

import bz2
import csv
import gzip
import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.sources.everything import Everything, declare, everything

from scoreline.contract import Contract, Rule
from scoreline.errors import DataError
from scoreline.sources import _scan
from scoreline.sources.csv import Csv

if TYPE_CHECKING:
    from pathlib import Path

FIELD = st.text(alphabet='ab;,"\n\r ç\ufeff', max_size=8)
ROWS = st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=25)


def write(folder: Path, **files: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / f"{name}.csv").write_bytes(data)
    return folder


def read(folder: Path, data: bytes, batch_rows: int = 1000, **options: object) -> Everything:
    source = Csv.model_validate({"uri": str(write(folder, a=data)), **options})
    return everything(source, batch_rows=batch_rows)


def refuses(source: Csv, *words: str, **types: str) -> None:
    with pytest.raises(DataError) as caught:
        source.survey(declare(**types))
    text = str(caught.value)
    assert [word for word in words if word not in text] == []


@pytest.fixture
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are cut into units of some 64 bytes."""
    monkeypatch.setattr(_scan, "_BLOCK", 32)
    monkeypatch.setattr(_scan, "_UNIT", 64)


@settings(max_examples=40, deadline=None)
@given(
    rows=ROWS,
    line_end=st.sampled_from(["\n", "\r\n"]),
    unit=st.integers(1, 120),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_rows_are_those_of_the_csv_module_however_files_are_cut(
    rows: list[tuple[str, ...]], line_end: str, unit: int, encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([("x", "y", "z"), *rows])
    folder = write(tmp_path_factory.mktemp("csv"), a=out.getvalue().encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_scan, "_BLOCK", max(8, unit // 2))
        patch.setattr(_scan, "_UNIT", unit)
        source = Csv(uri=str(folder), delimiter=";", encoding=encoding)
        found = everything(source, declare(x="string", y="string", z="string"), batch_rows=7)
    assert [tuple(value or "" for value in row.values()) for row in found.table.to_pylist()] == rows
    assert found.identity == [("a.csv", number) for number in range(len(rows))]
    assert found.refused == {}


def test_numbers_dates_and_text_are_read_as_pandas_reads_them(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "n": draw.normal(0, 1e4, 500),
            "i": draw.integers(-(10**6), 10**6, 500),
            "s": draw.choice(["São Paulo", "x,y", 'a "b"', ""], 500),
            "d": pd.date_range("1999-12-30", periods=500).strftime("%Y-%m-%d"),
            "t": pd.date_range("1999-12-30", periods=500, freq="37min").strftime("%Y-%m-%d %H:%M:%S"),
            "b": draw.choice([True, False], 500),
        }
    )
    frame.loc[3, ["n", "s"]] = None
    frame.to_csv(tmp_path / "a.csv", index=False)
    expected = pd.read_csv(tmp_path / "a.csv", parse_dates=["d", "t"])
    found = everything(Csv(uri=str(tmp_path)))
    assert str(found.table.schema.field("d").type) == "date32[day]"
    pd.testing.assert_frame_equal(found.table.to_pandas(date_as_object=False), expected, check_dtype=False)


def test_numbers_in_another_locale_are_read_as_pandas_reads_them(tmp_path: Path) -> None:
    data = b"v;w\n1.234,50;4.12.2019\n-0,5;1\n12;2\n;3\n1.234.567,8;4\n"
    (tmp_path / "a.csv").write_bytes(data)
    found = everything(Csv(uri=str(tmp_path), decimal=",", thousands="."))
    expected = pd.read_csv(io.BytesIO(data), sep=";", decimal=",", thousands=".", usecols=["v"])
    pd.testing.assert_frame_equal(found.table.select(["v"]).to_pandas(), expected)
    assert found.column("w") == ["4.12.2019", "1", "2", "3", "4"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "ending", "two"])
def test_line_ends_may_be_of_any_kind(tmp_path: Path, ending: str, last: str) -> None:
    text = ending.join(["a;b", "1;x", "", "2;y"]) + {"": "", "ending": ending, "two": ending * 2}[last]
    found = read(tmp_path, text.encode())
    assert found.table.to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    assert found.identity == [("a.csv", 0), ("a.csv", 1)]


@pytest.mark.usefixtures("small_units")
def test_rows_keep_their_numbers_after_lines_that_cannot_be_read(tmp_path: Path) -> None:
    lines = [f"{number};text {number}" for number in range(40)]
    lines[7], lines[8], lines[20], lines[39] = "7", "8;a;b", '20;"oops', "39;"
    found = read(tmp_path, "\n".join(["n;s", *lines]).encode(), batch_rows=5, delimiter=";")
    unreadable = ("unreadable_line", None)
    assert found.refused == {7: unreadable, 8: unreadable, 20: unreadable}
    assert found.column("n") == [None if number in {7, 8, 20} else number for number in range(40)]
    assert [number for _, number in found.identity] == list(range(40))
    assert [found.original[row]["line"] for row in (7, 8, 20, 21)] == ["7", "8;a;b", '20;"oops', None]
    assert len(found.survey.units) > 1


def test_a_value_that_cannot_be_read_refuses_its_row_and_keeps_its_text(tmp_path: Path) -> None:
    source = Csv(uri=str(write(tmp_path, a=b"v;w\n1;a\nx ;b\n-;c\n4;d\n")))
    found = everything(source, declare(v="float64"))
    assert found.column("v") == [1.0, None, None, 4.0]
    assert found.refused == {1: ("bad_value", "v")}
    assert found.original[1] == {"v": "x ", "w": "b", "line": None}


def test_bytes_that_mean_nothing_refuse_their_row(tmp_path: Path) -> None:
    data = b"n;s\n" + "1;São\n".encode() * 30 + b"2;S\xe3o\n" + "3;São\n".encode()
    found = read(tmp_path, data)
    assert found.refused == {30: ("unreadable_bytes", None)}
    assert found.original[30]["line"] == r"2;S\xe3o"
    assert found.identity[-1] == ("a.csv", 31)


@pytest.mark.parametrize("encoding", ["mac_roman", "cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    text = "nome;valor\n" + "SERVIÇO;1\nAUTO PEÇAS;2\nSão João;3\nAÇÃO;4\n"
    found = read(tmp_path, text.encode(encoding))
    assert found.column("nome") == ["SERVIÇO", "AUTO PEÇAS", "São João", "AÇÃO"]
    assert found.survey.contract.schema.names == ["nome", "valor"]


def test_the_survey_writes_out_what_it_found(tmp_path: Path) -> None:
    source = read(tmp_path, "nome;valor\nSERVIÇO;1\nAUTO PEÇAS;2\n".encode("mac_roman")).survey.source
    assert source.model_dump(include={"delimiter", "encoding"}) == {"delimiter": ";", "encoding": "mac_roman"}


def test_text_that_reads_alike_under_two_encodings_is_asked_about(tmp_path: Path) -> None:
    source = Csv(uri=str(write(tmp_path, a="s;n\nça;1\n".encode("mac_roman"))))
    refuses(source, "the encoding cannot be told", '"source.encoding"', "'ça' under mac_roman")


def test_a_wrong_encoding_is_refused_with_the_likely_one(tmp_path: Path) -> None:
    write(tmp_path, a="s;n\nSERVIÇO;1\n".encode("mac_roman"))
    for wrong in ("utf-8", "latin-1", "ascii"):
        refuses(Csv(uri=str(tmp_path), encoding=wrong), "not in", 'set "source.encoding" to "mac_roman"', "'SERVIÇO'")


def test_utf_8_read_as_a_single_byte_encoding_is_refused(tmp_path: Path) -> None:
    write(tmp_path, a="s;n\nSão João;1\nação;2\n".encode())
    refuses(Csv(uri=str(tmp_path), encoding="cp1252"), "are in utf-8, not in cp1252")


def test_files_in_different_encodings_are_named(tmp_path: Path) -> None:
    text = "s;n\nação;1\nSão João;2\nnão;3\nPEÇAS;4\n"
    write(tmp_path, a=text.encode("cp1252"), b=text.encode("cp1252"), c=text.encode(), d=text.encode("mac_roman"))
    refuses(
        Csv(uri=str(tmp_path)), "the files differ", "cp1252 in a.csv, b.csv;", "mac_roman in d.csv;", "utf-8 in c.csv"
    )


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a;b\n1,5;2,5\n", ";"),
        ("a,b\n1,2\n", ","),
        ("a\tb\n1,2\t3\n", "\t"),
        ("a|b\nx;y|2\n", "|"),
        ('a,b\n"1;2",3\n', ","),
    ],
)
def test_the_delimiter_is_found(tmp_path: Path, text: str, delimiter: str) -> None:
    source = read(tmp_path, text.encode()).survey.source
    assert source.model_dump()["delimiter"] == delimiter


def test_a_file_of_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    assert read(tmp_path, b"x\n1.5\n\n2.5\n").column("x") == [1.5, 2.5]


def test_a_wrong_delimiter_is_refused_with_the_likely_one(tmp_path: Path) -> None:
    write(tmp_path, a=b"a;b\n1;2\n3;4\n")
    refuses(Csv(uri=str(tmp_path), delimiter=","), "delimiter ',' does not split the header", "to ';'")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["1", "-2", "300"], pa.int64()),
        (["1", "2.5", "1e-05"], pa.float64()),
        (["true", "False"], pa.bool_()),
        (["2019-12-04", "2020-02-29"], pa.date32()),
        (["2019-12-04 10:11:12", "2020-02-29T00:00"], pa.timestamp("us")),
        (["2019-12-04T10:11:12Z", "2020-02-29 00:00+01:00"], pa.timestamp("us", "UTC")),
        (["2019-12-04", "2020-02-30"], pa.string()),
        (["007", "12"], pa.string()),
        (["4.53E+11", "12"], pa.string()),
        (["4.53e+17", "12", "1e+16", "-1.5e+150"], pa.float64()),
        (["12e5", "7e10"], pa.string()),
        (["1234567890123456"], pa.string()),
        (["4.12.2019"], pa.string()),
        (["", "-", "NA"], pa.string()),
        ([" 1 ", "-", "NaN"], pa.int64()),
    ],
)
def test_types_are_found(tmp_path: Path, values: list[str], found: pa.DataType) -> None:
    text = "\n".join(["k;v", *(f"k;{value}" for value in values)])
    assert read(tmp_path, text.encode()).survey.contract.schema.field("v").type == found


def test_types_are_found_in_the_middle_of_large_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_scan, "_BLOCK", 1 << 16)
    rows = [f"{number};x" for number in range(100_000)]
    rows[45_000:55_000] = ["1.5;x"] * 10_000
    assert read(tmp_path, "\n".join(["n;s", *rows]).encode()).survey.contract.schema.field("n").type == pa.float64()


def test_a_declared_name_stands_for_one_with_white_space(tmp_path: Path) -> None:
    write(tmp_path, a=b"id; valor ; x \n1;2;3\n", b=b" x ;id;valor\n6;4;5\n")
    found = everything(Csv(uri=str(tmp_path)), declare(valor="float64"))
    assert found.table.to_pydict() == {"id": [1, 4], "valor": [2.0, 5.0], " x ": [3, 6]}


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    write(tmp_path, a=b"a;b\n1;x\n", b=b"b;a\ny;2\n")
    found = everything(Csv(uri=str(tmp_path)))
    assert found.table.to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    assert found.identity == [("a.csv", 0), ("b.csv", 0)]


def test_only_wanted_columns_are_read(tmp_path: Path) -> None:
    source = Csv(uri=str(write(tmp_path, a=b"a;b;c\n1;2;3\n4;5\n")))
    found = everything(source, columns=["c", "a"])
    assert found.table.to_pydict() == {"c": [3, None], "a": [1, None]}
    assert list(found.original[1]) == ["c", "a", "line"]


def test_no_wanted_column_leaves_the_rows(tmp_path: Path) -> None:
    source = Csv(uri=str(write(tmp_path, a=b"a;b\n1;2\n4\n5;6\n")))
    survey = source.survey(declare())
    (part,) = survey.source.read(survey.units[0], survey.contract, [], 10)
    assert part.rows.tolist() == [0, 1, 2]
    assert part.refusals[0].rows.tolist() == [1]


@pytest.mark.parametrize(("extra", "names"), [("keep", ["a", "b", "c"]), ("drop", ["b"])])
def test_extra_columns_are_kept_or_dropped(tmp_path: Path, extra: str, names: list[str]) -> None:
    source = Csv(uri=str(write(tmp_path, a=b"a;b;c\n1;2;3\n")))
    assert source.survey(declare(extra, b="int64")).contract.schema.names == names


def test_extra_columns_are_refused_by_name(tmp_path: Path) -> None:
    source = Csv(uri=str(write(tmp_path, a=b"a;b;c\n1;2;3\n")))
    with pytest.raises(DataError, match="does not name: 'a', 'c'"):
        source.survey(declare("refuse", b="int64"))


def test_what_a_bundle_knows_rules_types_and_may_be_missing(tmp_path: Path) -> None:
    schema = pa.schema([("a", pa.string()), ("label", pa.string())])
    known = Contract(schema, {"a": Rule(nullable=False), "label": Rule(nullable=False)}, ("a",))
    found = everything(Csv(uri=str(write(tmp_path, a=b"a;b\n1;2\n"))), known=known)
    assert found.table.to_pydict() == {"a": ["1"], "b": [2]}
    assert (dict(found.survey.contract.rules), found.survey.contract.key) == ({"a": Rule(nullable=False)}, ("a",))


def test_missing_columns_are_named_with_close_names(tmp_path: Path) -> None:
    write(tmp_path, a=b"valor;x\n1;2\n", b=b"valor;x\n1;2\n", c=b"valr;x\n1;2\n")
    refuses(Csv(uri=str(tmp_path)), "no column 'Valor_total'", "did you mean", Valor_total="float64")
    refuses(Csv(uri=str(tmp_path)), "column 'valor' is missing in 1 of 3 files", "where: c.csv", "mean 'valr'")


def test_column_names_that_repeat_are_named(tmp_path: Path) -> None:
    write(tmp_path, a=b"a;b;a\n1;2;3\n")
    refuses(Csv(uri=str(tmp_path)), "several columns are named 'a'", "where: a.csv")


def test_a_column_of_another_type_in_one_file_of_forty_is_named(tmp_path: Path) -> None:
    files = {f"f{number:02}": b"a;b\n" + b"1;x\n" * 9 for number in range(40)}
    write(tmp_path, **{**files, "f17": b"a;b\n" + b"one;x\n" * 9})
    refuses(Csv(uri=str(tmp_path)), "'a' is int64 in 39 of 40 files", "where: f17.csv")
    refuses(Csv(uri=str(tmp_path)), "'a' is declared float64, but in 1 of 40 files", "where: f17.csv", a="float64")


def test_a_declared_number_in_another_locale_is_refused_with_the_marks_to_set(tmp_path: Path) -> None:
    write(tmp_path, a=b"v;w\n1.234,5;x\n1,5;y\n2,5;z\n")
    refuses(Csv(uri=str(tmp_path)), '"source.decimal" to ","', '"source.thousands" to "."', v="float64")


def test_undeclared_numbers_in_another_locale_are_noted(tmp_path: Path) -> None:
    notes = read(tmp_path, b"v;w\n1.234,5;x\n1,5;y\n2,5;z\n").survey.notes
    assert any("'v' is read as text" in note and '"source.decimal" to ","' in note for note in notes)


def test_records_that_do_not_fit_the_header_are_refused(tmp_path: Path) -> None:
    write(tmp_path, a=b"a;b\n1;2;\n3;4;\n")
    refuses(Csv(uri=str(tmp_path)), "most records have another number of fields than the header")


def test_files_without_rows_are_noted(tmp_path: Path) -> None:
    write(tmp_path, a=b"", b=b"a;b\n", c=b"a;b\n1;2\n")
    found = everything(Csv(uri=str(tmp_path)))
    assert found.identity == [("c.csv", 0)]
    assert "files without rows: a.csv, b.csv" in found.survey.notes


@pytest.mark.parametrize("data", [b"", b"a;b\n", b"a;b", b"\n\n", b"\xef\xbb\xbf"])
def test_a_source_without_rows_is_refused(tmp_path: Path, data: bytes) -> None:
    refuses(Csv(uri=str(write(tmp_path, a=data))), "there are no rows", "where: a.csv")


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress)])
def test_compressed_files_are_one_unit_each(tmp_path: Path, suffix: str, pack: object) -> None:
    data = b"a;b\n" + b"1;x\n" * 100
    (tmp_path / f"a.csv.{suffix}").write_bytes(pack(data))  # type: ignore[operator]
    found = everything(Csv(uri=str(tmp_path)), batch_rows=7)
    assert found.column("a") == [1] * 100
    assert len(found.survey.units) == 1


def test_zstd_is_read_too(tmp_path: Path) -> None:
    with pa.CompressedOutputStream(str(tmp_path / "a.csv.zst"), "zstd") as out:
        out.write(b"a;b\n1;x\n")
    assert everything(Csv(uri=str(tmp_path))).table.to_pydict() == {"a": [1], "b": ["x"]}


def test_a_compressed_file_that_is_cut_short_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a;b\n" + np.random.default_rng(0).bytes(9000))[:-100])
    refuses(Csv(uri=str(tmp_path), encoding="latin-1"), "cannot be decompressed as gzip", "a.csv.gz")


@pytest.mark.parametrize("magic", [b"PAR1", b"PK\x03\x04", b"\x1f\x8b"])
def test_files_that_are_no_text_are_named(tmp_path: Path, magic: bytes) -> None:
    refuses(Csv(uri=str(write(tmp_path, a=magic + b"....", b=b"a;b\n1;2\n"))), "not CSV", "a.csv")


def test_tiny_files_go_together(tmp_path: Path) -> None:
    write(tmp_path, **{f"f{number:03}": f"a;b\n{number};x\n".encode() for number in range(200)})
    found = everything(Csv(uri=str(tmp_path)), batch_rows=64)
    assert len(found.survey.units) == 1
    assert found.column("a") == list(range(200))
    assert found.identity[123] == ("f123.csv", 0)


def test_text_that_repeats_is_a_dictionary_and_other_text_is_not(tmp_path: Path) -> None:
    rows = "".join(f"{number};{'xy'[number % 2]}\n" for number in range(1000))
    survey = Csv(uri=str(write(tmp_path, a=f"id;s\n{rows}".encode()))).survey(declare(id="string"))
    parts = list(survey.source.read(survey.units[0], survey.contract, ["id", "s"], 400))
    assert {str(part.table.schema.field("id").type) for part in parts} == {"string"}
    assert {part.table.schema.field("s").type for part in parts} == {pa.dictionary(pa.int32(), pa.string())}


def test_null_values_replace_the_usual_ones(tmp_path: Path) -> None:
    source = Csv(uri=str(write(tmp_path, a=b"v;s\n1; none \n.;x\n;\n2;-\n")), null_values=(".", "none"))
    assert everything(source).table.to_pydict() == {"v": [1, None, None, 2], "s": [None, "x", None, "-"]}


def test_a_file_that_changed_since_the_survey_is_refused(tmp_path: Path) -> None:
    survey = Csv(uri=str(write(tmp_path, a=b"a;b\n1;2\n"))).survey(declare())
    write(tmp_path, a=b"a;b\n1;2\n3;4\n")
    with pytest.raises(DataError, match=r"this input file changed \(8 to 12 bytes\) while the run lasted"):
        list(survey.source.read(survey.units[0], survey.contract, ["a"], 10))


def test_a_type_that_text_cannot_spell_is_refused(tmp_path: Path) -> None:
    refuses(Csv(uri=str(write(tmp_path, a=b"a;b\n1;2\n"))), "cannot be of type binary", "column 'a'", a="binary")


def test_a_record_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoreline.sources._records.LONGEST_RECORD", 1000)
    monkeypatch.setattr(_scan, "_BLOCK", 100)
    refuses(Csv(uri=str(write(tmp_path, a=b"a;b\n1;2\n" + b"x" * 5000))), "record 1 has no end", "a.csv")


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": ";;"},
        {"delimiter": "\n"},
        {"quote": "a"},
        {"decimal": ",", "thousands": ","},
        {"encoding": "utf-9"},
    ],
)
def test_impossible_options_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Csv.model_validate({"uri": "data", **options})
