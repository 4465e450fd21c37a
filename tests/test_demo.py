from __future__ import annotations

import hashlib
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

from scoreline.demo import write_demo, write_reference
from scoreline.demo.draws import TERMS, draw, make_world
from scoreline.demo.specials import DUPLICATE, Specials
from scoreline.demo.texts import HEADER
from scoreline.errors import UsageError

ROWS = 20_000
SEXES = ["F", "M"]


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def body(folder: Path) -> list[bytes]:
    files = sorted((folder / "transactions").glob("*.csv"))
    return [line for file in files for line in file.read_bytes().removeprefix(HEADER).split(b"\r\n")[:-1]]


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[list[str]]]:
    folder = tmp_path_factory.mktemp("csv")
    demo = write_demo(folder, ROWS)
    return demo, [line.decode("mac_roman").split(";") for line in body(folder)]


@pytest.fixture(scope="module")
def sound(csv: tuple[Any, list[list[str]]]) -> pd.DataFrame:
    names = HEADER.decode("mac_roman").rstrip("\r\n").split(";")
    return pd.DataFrame([fields for fields in csv[1] if len(fields) == 13], columns=names)


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, pa.Table]:
    folder = tmp_path_factory.mktemp("parquet")
    return write_demo(folder, ROWS, "parquet"), ds.dataset(folder / "transactions").to_table()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_same_arguments_give_the_same_bytes(tmp_path: Path, form: Any) -> None:
    write_demo(tmp_path / "a", 3_000, form)
    write_demo(tmp_path / "b", 3_000, form)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_another_seed_gives_other_rows(tmp_path: Path) -> None:
    write_demo(tmp_path / "a", 500)
    write_demo(tmp_path / "b", 500, seed=43)
    assert not set(body(tmp_path / "a")) & set(body(tmp_path / "b"))


def test_rows_do_not_depend_on_how_they_are_cut_into_files(tmp_path: Path) -> None:
    write_demo(tmp_path / "one", 7_000, rows_per_file=7_000)
    many = write_demo(tmp_path / "many", 7_000, rows_per_file=333)
    assert many.files == 22
    assert body(tmp_path / "one") == body(tmp_path / "many")


def test_row_groups_hold_the_same_rows_as_small_files(tmp_path: Path) -> None:
    one = write_demo(tmp_path / "one", 140_000, "parquet", rows_per_file=140_000)
    many = write_demo(tmp_path / "many", 140_000, "parquet", rows_per_file=50_000)
    assert pq.ParquetFile(tmp_path / "one/transactions/part-00000.parquet").metadata.num_row_groups == 2
    tables = [ds.dataset(Path(demo.source).parent).to_table() for demo in (one, many)]
    assert tables[0].equals(tables[1])


@pytest.mark.parametrize(("rows", "per_file", "files"), [(1, None, 1), (5_000, None, 4), (100, 30, 4), (100, 1, 100)])
def test_files_are_as_many_as_asked_for(tmp_path: Path, rows: int, per_file: int | None, files: int) -> None:
    demo = write_demo(tmp_path, rows, rows_per_file=per_file)
    assert demo.files == files == len(list((tmp_path / "transactions").iterdir()))
    assert len(body(tmp_path)) == rows == demo.rows


def test_every_csv_file_starts_with_the_header_of_the_real_export(tmp_path: Path) -> None:
    demo = write_demo(tmp_path, 100)
    for path in Path(demo.source).parent.glob("*.csv"):
        assert path.read_bytes().startswith(b"id;safra_abertura;cidade;estado;idade;sexo;limite_total;")
        assert path.read_bytes().split(b"\r\n")[0].split(b";")[9] == b" valor "


def test_text_is_mac_roman(tmp_path: Path) -> None:
    write_demo(tmp_path, 500)
    text = b"".join(body(tmp_path))
    assert b"SERVI\x82O" in text
    assert b"S\xccO PAULO   " in text


def test_lines_have_the_mess_of_the_real_export(sound: pd.DataFrame) -> None:
    assert sound["id"].str.fullmatch(r"\d,\d\dE\+\d\d").any()
    assert sound["id"].str.fullmatch(r"\d{11}").any()
    assert (sound["cidade"].str.len() == 22).all()
    assert (sound["estado"].str.len() == 3).all()
    assert sound[" valor "].str.fullmatch(r"\d\.\d{3},\d\d").sum() > ROWS // 1_000
    assert sound[" valor "].str.fullmatch(r"\d{1,3}(,\d{1,2})?").mean() > 0.9
    assert (sound["pais_estabelecimento"] == "").mean() == pytest.approx(0.004, abs=0.004)
    assert sound["data"].str.fullmatch(r"[1-9]\d?\.\d\d\.20(19|20)").all()


def test_broken_csv_rows_are_counted_by_kind(csv: tuple[Any, list[list[str]]], sound: pd.DataFrame) -> None:
    demo, lines = csv
    amount = sound[" valor "]
    assert demo.broken == {
        "too_few_fields": sum(len(fields) < 13 for fields in lines),
        "too_many_fields": sum(len(fields) > 13 for fields in lines),
        "amount_not_a_number": (amount == "#VALOR!").sum(),
        "impossible_date": (sound["data"] == "31.02.2020").sum(),
        "negative_amount": amount.str.startswith("-").sum(),
        "unknown_sex": (~sound["sexo"].isin(SEXES)).sum(),
    }
    assert sum(demo.broken.values()) == pytest.approx(ROWS / 1_000, abs=1)


def test_even_the_smallest_data_have_every_kind_of_broken_row(tmp_path: Path) -> None:
    assert min(write_demo(tmp_path, 5_000).broken.values()) == 1


def test_duplicates_and_missing_amounts_are_counted(csv: tuple[Any, list[list[str]]], sound: pd.DataFrame) -> None:
    demo, lines = csv
    assert demo.duplicates == len(lines) - len(set(map(tuple, lines))) == pytest.approx(0.002 * ROWS, rel=0.2)
    assert demo.missing_amounts == (sound[" valor "] == " -   ").sum() == pytest.approx(0.0026 * ROWS, rel=0.2)


def test_parquet_has_clean_types(parquet: tuple[Any, pa.Table]) -> None:
    schema = parquet[1].schema
    assert {field.name: str(field.type) for field in schema} == {
        **dict.fromkeys(schema.names, "string"),
        **dict.fromkeys(["safra_abertura", "idade", "limite_total", "limite_disp"], "int64"),
        "data": "date32[day]",
        "valor": "double",
    }


def test_parquet_text_is_trimmed_and_never_empty(parquet: tuple[Any, pa.Table]) -> None:
    table = parquet[1]
    for field in table.schema:
        if field.type == pa.string():
            distinct = table[field.name].unique().drop_null()
            assert distinct.equals(pc.utf8_trim_whitespace(distinct))
            assert "" not in distinct.to_pylist()


def test_broken_parquet_rows_are_counted_by_kind(parquet: tuple[Any, pa.Table]) -> None:
    demo, table = parquet
    assert demo.broken == {
        "negative_amount": pc.sum(pc.less(table["valor"], 0)).as_py(),
        "null_age": table["idade"].null_count,
        "unknown_sex": pc.sum(pc.invert(pc.is_in(table["sexo"], pa.array(SEXES)))).as_py(),
    }
    assert demo.missing_amounts == table["valor"].null_count
    assert demo.duplicates == table.num_rows - table.group_by(table.column_names).aggregate([]).num_rows


def test_both_formats_hold_the_same_transactions(sound: pd.DataFrame, csv: Any, parquet: tuple[Any, pa.Table]) -> None:
    frame = parquet[1].to_pandas()
    whole = [len(fields) == 13 for fields in csv[1]]
    frame = frame[whole].reset_index(drop=True)
    plain = sound["sexo"].isin(SEXES) & frame["sexo"].isin(SEXES) & frame["idade"].notna()
    assert sound["cidade"].str.rstrip().equals(frame["cidade"])
    assert sound["idade"][plain].astype("float64").equals(frame["idade"][plain])
    amount = sound[" valor "].str.replace(".", "").str.replace(",", ".")
    amount = pd.to_numeric(amount, errors="coerce").abs()
    both = amount.notna()
    np.testing.assert_array_equal(amount[both], frame["valor"].abs()[both])


def test_the_reference_has_one_row_a_city_and_lacks_a_few(parquet: tuple[Any, pa.Table]) -> None:
    demo, table = parquet
    reference = pq.read_table(demo.reference)
    assert reference["cidade"].combine_chunks().value_counts().field("counts").unique().to_pylist() == [1]
    assert reference.column_names == ["cidade", "regiao", "populacao", "indice_renda"]
    assert 0.985 < pc.mean(pc.is_in(table["cidade"], reference["cidade"].combine_chunks())).as_py() < 1


def test_the_reference_can_be_written_alone(tmp_path: Path) -> None:
    demo = write_demo(tmp_path / "a", 100)
    assert Path(write_reference(tmp_path / "b")).read_bytes() == Path(demo.reference).read_bytes()


def test_groups_are_as_skewed_as_in_the_real_export(parquet: tuple[Any, pa.Table]) -> None:
    shares = parquet[1].to_pandas()["grupo_estabelecimento"].value_counts(normalize=True)
    assert len(shares) == 22
    assert shares.index[0] == "SERVIÇO"
    assert shares.iloc[0] == pytest.approx(0.37, abs=0.03)


def test_customers_grow_slowly_with_the_rows() -> None:
    assert [len(make_world(42, rows).customers.number) for rows in (5_000, 50_000, 4_000_000)] == [28, 28, 2_000]


def test_customer_numbers_are_unique() -> None:
    numbers = make_world(42, 10_000_000).customers.number
    assert len(np.unique(numbers)) == len(numbers)


def test_who_buys_where_tells_groups_apart_in_rows_not_seen_before() -> None:
    rows = draw(make_world(42, 50_000), np.arange(50_000))
    frame = pd.DataFrame({"group": rows.group, "customer": rows.term // TERMS, "place": rows.place})
    seen, unseen = frame[::2], frame[1::2]
    usual = seen.groupby(["customer", "place"])["group"].agg(lambda groups: groups.mode()[0]).rename("usual")
    guess = unseen.join(usual, on=["customer", "place"])["usual"]
    assert (guess == unseen["group"]).mean() > (unseen["group"] == 0).mean() + 0.05


def test_a_second_call_leaves_finished_files_alone(tmp_path: Path) -> None:
    demo = write_demo(tmp_path, 300)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert write_demo(tmp_path, 300) == demo
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_an_interrupted_call_is_made_good(tmp_path: Path) -> None:
    write_demo(tmp_path, 300)
    before = hashes(tmp_path)
    (tmp_path / "transactions/part-00002.csv").unlink()
    write_demo(tmp_path, 300)
    assert hashes(tmp_path) == before


def test_other_arguments_replace_the_files_of_an_earlier_call(tmp_path: Path) -> None:
    write_demo(tmp_path, 300, rows_per_file=10)
    demo = write_demo(tmp_path, 200, "parquet")
    assert [path.suffix for path in (tmp_path / "transactions").iterdir()] == [".parquet"] * demo.files


def test_files_of_others_are_never_replaced(tmp_path: Path) -> None:
    theirs = tmp_path / "transactions/part-00000.csv"
    theirs.parent.mkdir()
    theirs.write_text("precious")
    with pytest.raises(UsageError, match="not demo data"):
        write_demo(tmp_path, 300)
    assert theirs.read_text() == "precious"


def test_impossible_arguments_are_refused_together(tmp_path: Path) -> None:
    wrong: Any = "xml"
    with pytest.raises(UsageError) as caught:
        write_demo(tmp_path, 0, wrong, -1, 0)
    assert len(caught.value.problems) == 4
    assert not any(tmp_path.iterdir())


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 100_000), cut=st.floats(0, 1), seed=st.integers(0, 5))
def test_special_rows_are_counted_and_do_not_depend_on_cuts(rows: int, cut: float, seed: int) -> None:
    specials = Specials(seed, rows, ["one", "two"])
    middle = int(cut * rows)
    parts = [specials.between(0, middle), specials.between(middle, rows)]
    whole = specials.between(0, rows)
    for kind, total in specials.totals().items():
        np.testing.assert_array_equal(np.concatenate([part[kind] for part in parts]), whole[kind])
        assert len(whole[kind]) == total


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(200, 1_000_000), seed=st.integers(0, 5))
def test_copies_are_of_earlier_plain_rows(rows: int, seed: int) -> None:
    specials = Specials(seed, rows, ["one"])
    special = specials.between(0, rows)
    sources = specials.sources(special[DUPLICATE])
    assert (sources < special[DUPLICATE]).all()
    assert not np.isin(sources, np.concatenate(list(special.values()))).any()
