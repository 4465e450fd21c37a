import io
import pickle
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scoreline.cleaners.join import Join
from scoreline.errors import DataError, StepError
from scoreline.refusal import Reason
from scoreline.storage import create

CITIES = pa.table(
    {"cidade": ["SANTOS", "OSASCO", None, ""], "pop": [430, 700, 1, None], "uf": ["SP", "SP", "XX", None]}
)
PART = pa.table({"valor": [1, 2, 3, 4], "cidade": ["OSASCO", "santos", None, "SANTOS"]})


@pytest.fixture
def cities(tmp_path: Path) -> str:
    return written(CITIES, tmp_path / "cities.parquet")


def written(table: pa.Table, path: Path) -> str:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    return str(path)


def joined(uri: str, keys: Any, part: pa.Table = PART, **options: Any) -> pa.Table:
    step = Join(**{"with": uri, "on": keys, **options})
    table = step.apply(part).table
    assert plain(table.schema) == plain(step.output_schema(part.schema))
    return table


def plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in schema])


def test_each_row_gets_the_columns_of_its_match(cities: str) -> None:
    table = joined(cities, ["cidade"])
    assert table.to_pydict() == {
        **PART.to_pydict(),
        "pop": [700, None, None, 430],
        "uf": ["SP", None, None, "SP"],
    }


def test_only_the_wanted_columns_are_brought_by_the_names_asked_for(cities: str) -> None:
    table = joined(cities, {"cidade": "cidade"}, columns=["pop"], prefix="home_", suffix="_2020")
    assert table.column_names == ["valor", "cidade", "home_pop_2020"]


def test_key_columns_may_have_other_names_and_be_brought_too(cities: str) -> None:
    part = PART.rename_columns(["valor", "city"])
    table = joined(cities, {"city": "cidade"}, part, columns=["cidade", "uf"])
    assert table["cidade"].to_pylist() == ["OSASCO", None, None, "SANTOS"]


def test_rows_without_a_match_are_refused_when_asked(cities: str) -> None:
    cleaned = Join(**{"with": cities, "on": ["cidade"], "on_miss": "refuse"}).apply(PART)
    (refusal,) = cleaned.refusals
    assert refusal.rows.tolist() == [1, 2]
    assert (refusal.reason, refusal.column, refusal.stage) == (Reason.NO_MATCH, "cidade", "join")


def test_rows_without_a_match_end_the_run_when_asked(cities: str) -> None:
    with pytest.raises(DataError, match="2 of 4 rows of a part have no match"):
        joined(cities, ["cidade"], on_miss="fail")
    assert joined(cities, ["cidade"], PART.slice(3), on_miss="fail").num_rows == 1


def test_the_hit_rate_is_judged_over_the_run(cities: str) -> None:
    step = Join(**{"with": cities, "on": ["cidade"], "min_hit_rate": 0.5})
    ((label, matched, rows),) = step.apply(PART).hits
    assert (matched, rows) == (2, 4)
    step.judge({label: (2, 4)})
    step.judge({})
    with pytest.raises(DataError, match=r"49 of 100 rows \(49.0%\) found a match"):
        step.judge({label: (49, 100)})


def test_hits_add_up_wherever_the_reference_lies(cities: str, tmp_path: Path) -> None:
    moved = str(tmp_path / "moved.parquet")
    pq.write_table(CITIES, moved)
    labels = {Join(**{"with": uri, "on": ["cidade"]}).apply(PART).hits[0][0] for uri in (cities, moved)}
    assert len(labels) == 1


def test_a_key_that_the_reference_has_twice_is_refused_before_and_while_reading(tmp_path: Path) -> None:
    twice = pa.table({"k": ["a", "b", "a", None, None, "b", "a"], "v": range(7)})
    uri = written(twice, tmp_path / "twice.parquet")
    step = Join(**{"with": uri, "on": ["k"]})
    for act in (lambda: step.prepared({}), lambda: step.apply(pa.table({"k": ["a"]}))):
        with pytest.raises(DataError) as caught:
            act()
        assert "2 keys occur more than once in the reference, such as k='a' (3 rows); k='b' (2 rows)" in str(
            caught.value
        )


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (pa.array([1, 2, None], pa.int8()), pa.array([2, 1], pa.int64())),
        (pa.array([1.5, -0.0, float("nan")]), pa.array([0.0, 1.5])),
        (pa.array([True, False, None]), pa.array([False, True])),
        (pa.array([date(2020, 1, 1), date(2020, 1, 2), None]), pa.array([date(2020, 1, 2), date(2020, 1, 1)])),
        (pa.array([0, 1, None], pa.timestamp("s")), pa.array([1, 0], pa.timestamp("s"))),
        (pa.array([0, 2**64 - 1, None], pa.uint64()), pa.array([2**64 - 1, 0], pa.uint64())),
        (pa.array([Decimal("1.50"), Decimal(2), None]), pa.array([Decimal("2.00"), Decimal("1.50")])),
        (pa.array(["x", "y", None]).dictionary_encode(), pa.array(["y", "x"], pa.large_string())),
    ],
)
def test_keys_of_every_type_match_by_value(here: pa.Array, there: pa.Array, tmp_path: Path) -> None:
    uri = written(pa.table({"k": there, "at": [0, 1]}), tmp_path / "r.parquet")
    assert joined(uri, ["k"], pa.table({"k": here}))["at"].to_pylist() == [1, 0, None]


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (pa.int64(), pa.string()),
        (pa.float64(), pa.int64()),
        (pa.timestamp("us"), pa.timestamp("us", "UTC")),
        (pa.date32(), pa.string()),
    ],
)
def test_keys_of_different_types_are_refused_with_advice(here: pa.DataType, there: pa.DataType, tmp_path: Path) -> None:
    uri = written(pa.table({"k": pa.nulls(1, there), "v": [1]}), tmp_path / "r.parquet")
    with pytest.raises(StepError, match="nothing can match") as caught:
        Join(**{"with": uri, "on": ["k"]}).output_schema(pa.schema({"k": here}))
    assert f"cast 'k' to {there}" in caught.value.problems[0].advice


def test_all_absent_columns_are_named_where_they_are_missing(cities: str) -> None:
    step = Join(**{"with": cities, "on": {"cidad": "city"}, "columns": ["popp"]})
    with pytest.raises(StepError) as caught:
        step.output_schema(PART.schema)
    assert [p.what for p in caught.value.problems] == ["no column 'cidad'", "no column 'city'", "no column 'popp'"]
    assert cities in caught.value.problems[1].where
    assert "did you mean 'pop'?" in caught.value.problems[2].advice


def test_a_name_that_is_there_already_is_refused(cities: str) -> None:
    with pytest.raises(StepError, match="two columns would be named 'uf'"):
        joined(cities, ["cidade"], PART.append_column("uf", pa.array(["a"] * 4)))


def test_several_keys_match_together(tmp_path: Path) -> None:
    there = pa.table({"a": [1, 1, 2, None], "b": ["x", "y", "x", "x"], "v": [10, 20, 30, 40]})
    uri = written(there, tmp_path / "r.parquet")
    part = pa.table({"a": [1, 2, 2, None, 1, 3], "c": ["y", "x", "y", "x", None, "x"]})
    assert joined(uri, {"a": "a", "c": "b"}, part)["v"].to_pylist() == [20, 30, None, None, None, None]


def test_a_reference_without_rows_matches_nothing(tmp_path: Path) -> None:
    uri = written(CITIES.slice(0, 0), tmp_path / "r.parquet")
    assert joined(uri, ["cidade"])["pop"].to_pylist() == [None] * 4


def test_a_folder_of_files_is_one_reference(tmp_path: Path) -> None:
    folder = tmp_path / "ref"
    folder.mkdir()
    written(CITIES.slice(0, 1), folder / "a.parquet")
    written(CITIES.slice(1), folder / "b.parquet")
    assert joined(str(folder), ["cidade"])["pop"].to_pylist() == [700, None, None, 430]


def test_files_with_other_columns_are_named(tmp_path: Path) -> None:
    for name, table in (("a", CITIES), ("b", CITIES), ("c", CITIES.drop_columns(["uf"]))):
        written(table, tmp_path / f"{name}.parquet")
    with pytest.raises(DataError) as caught:
        joined(str(tmp_path), ["cidade"])
    assert [Path(problem.where).name for problem in caught.value.problems] == ["c.parquet"]


def test_the_index_of_a_pandas_file_is_not_brought(tmp_path: Path) -> None:
    uri = str(tmp_path / "r.parquet")
    pd.DataFrame({"k": [1], "v": [2]}, index=pd.Index([9])).to_parquet(uri)
    assert joined(uri, ["k"], pa.table({"k": [1]})).column_names == ["k", "v"]


CSV = 'cidade;code;pop;since;note\nSANTOS;007;430;1546-01-26;"a;\n""b"""\nOSASCO;012;;1962-02-19;\n'


def test_csv_types_are_found_out_and_codes_stay_text(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(CSV, encoding="utf-8")
    table = joined(str(tmp_path / "r.csv"), ["cidade"], PART.slice(3), delimiter=";")
    assert table.select(["code", "pop", "since", "note"]).to_pylist() == [
        {"code": "007", "pop": 430, "since": date(1546, 1, 26), "note": 'a;\n"b"'}
    ]


def test_csv_types_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(CSV, encoding="utf-8")
    table = joined(str(tmp_path / "r.csv"), ["cidade"], delimiter=";", types={"pop": "float64", "since": "string"})
    assert table["pop"].to_pylist() == [None, None, None, 430.0]
    assert table["since"].to_pylist()[3] == "1546-01-26"


def test_a_type_found_out_fits_the_last_row_too(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(50_000))
    (tmp_path / "r.csv").write_text(f"k,v\n{rows}x,1.5\n", encoding="utf-8")
    table = joined(str(tmp_path / "r.csv"), ["k"], pa.table({"k": ["49999", "x"]}))
    assert table["v"].to_pylist() == [49999.0, 1.5]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "a header with a name for each column"),
        (b"k,k\n1,2\n", "a header with a name for each column"),
        (b"k,v\n1,2,3\n", "cannot be read"),
        (b"k,v\n\xff,2\n", "cannot be read"),
    ],
)
def test_csv_that_cannot_be_read_is_refused(content: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(content)
    with pytest.raises(DataError, match=what):
        joined(str(tmp_path / "r.csv"), ["k"], pa.table({"k": ["1"]}))


def test_csv_with_a_header_alone_matches_nothing(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("k,v")
    assert joined(str(tmp_path / "r.csv"), ["k"], pa.table({"k": ["1"]}))["v"].to_pylist() == [None]


@pytest.mark.parametrize(("name", "what"), [("r.parquet", "cannot be read"), ("r.bin", "does not tell its format")])
def test_a_file_that_is_no_reference_is_named(name: str, what: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match=what) as caught:
        joined(str(tmp_path / name), ["cidade"])
    assert name in caught.value.problems[0].where


def test_an_absent_reference_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file or folder"):
        joined(str(tmp_path / "cities.parquet"), ["cidade"])


def test_a_reference_that_changes_during_the_run_is_noticed(cities: str) -> None:
    step = Join(**{"with": cities, "on": ["cidade"], "broadcast_rows": 1}).prepared({})
    pq.write_table(CITIES.slice(0, 2), cities)
    with pytest.raises(DataError, match="changed since the run was planned"):
        step.apply(PART)


def test_a_reference_that_changes_before_it_is_spread_is_noticed(cities: str, tmp_path: Path) -> None:
    step = Join(**{"with": cities, "on": ["cidade"], "broadcast_rows": 1}).prepared({})
    pq.write_table(CITIES.slice(0, 2), cities)
    with pytest.raises(DataError, match="changed since the run was planned"):
        step.spread(str(tmp_path / "buckets"))


def test_a_prepared_step_needs_its_reference_no_more(cities: str) -> None:
    step = Join(**{"with": cities, "on": ["cidade"]}).prepared({})
    Path(cities).unlink()
    assert step.apply(PART).table["pop"].to_pylist() == [700, None, None, 430]


def test_what_is_known_of_the_reference_travels_with_the_step(cities: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(cities).parent)
    step = pickle.loads(pickle.dumps(Join(**{"with": "cities.parquet", "on": ["cidade"]}).prepared({})))
    monkeypatch.chdir("/")
    assert step.apply(PART).table["pop"].to_pylist() == [700, None, None, 430]


def test_the_hash_is_that_of_the_content_wherever_it_lies(cities: str, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    Path(cities).rename(other / "renamed.parquet")
    (here,) = Join(**{"with": written(CITIES, Path(cities)), "on": ["cidade"]}).prepared({}).reference_hashes()
    (there,) = Join(**{"with": str(other), "on": ["cidade"]}).prepared({}).reference_hashes()
    assert here == there
    assert Join(**{"with": cities, "on": ["cidade"]}).reference_hashes() == ()


def test_facts_are_taken_as_they_are_given(cities: str) -> None:
    step = Join(**{"with": cities, "on": ["cidade"]})
    fact = step.prepared({})._fact
    Path(cities).unlink()
    assert step.prepared({cities: fact}).apply(PART).hits[0][1] == 2


def test_it_needs_its_keys_for_what_it_brings(cities: str) -> None:
    step = Join(**{"with": cities, "on": ["cidade"], "prefix": "c_"})
    wanted = frozenset({"c_uf", "valor"})
    narrowed = step.narrowed(wanted, PART.schema)
    assert narrowed is not None
    assert narrowed.columns == ("uf",)
    assert narrowed.needs(wanted, PART.schema) == {"cidade", "valor"}
    assert step.narrowed(frozenset({"valor"}), PART.schema) is None


@pytest.mark.parametrize(
    "options",
    [
        {"on": []},
        {"on": ["a", "a"]},
        {"on": ["a"], "validate": "m:m"},
        {"on": ["a"], "types": {"x": "number"}},
        {},
        {"on": "a"},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Join(**{"with": "x.parquet", **options})


KEYS = st.tuples(st.sampled_from([None, "a", "b", "c", "d"]), st.none() | st.integers(0, 4))


def table_of(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [(), ()]
    return pa.table({"t": pa.array(columns[0], pa.string()), "n": pa.array(columns[1], pa.int64())})


@settings(max_examples=40, deadline=None)
@given(
    st.lists(KEYS, unique=True, max_size=15),
    st.lists(KEYS, max_size=15),
    st.booleans(),
    st.sampled_from([["t", "n"], ["n", "t"]]),
)
def test_it_agrees_with_pandas_whole_and_in_buckets(
    there: list[tuple[Any, ...]], here: list[tuple[Any, ...]], encoded: bool, keys: list[str]
) -> None:
    reference = (
        table_of(there).append_column("v", pa.array(np.arange(len(there)))).append_column("w", table_of(there)["t"])
    )
    part = table_of(here)
    known = [i for i, key in enumerate(there) if None not in key]
    right = reference.take(pa.array(known, pa.int64())).to_pandas()
    expected = part.to_pandas().merge(right, how="left", on=keys)["v"].to_numpy(float)
    if encoded:
        part = part.set_column(0, "t", part["t"].dictionary_encode())
    with TemporaryDirectory() as folder:
        uri = written(reference, Path(folder, "r.parquet"))
        whole = Join(**{"with": uri, "on": keys}).prepared({})
        spread = Join(**{"with": uri, "on": keys, "broadcast_rows": 3}).prepared({}).spread(f"{folder}/buckets")
        tables = [step.apply(part).table for step in (whole, spread, spread.narrowed(frozenset("vw"), part.schema))]
    np.testing.assert_array_equal(tables[0]["v"].to_numpy(), expected)
    assert tables[0].to_pydict() == tables[1].to_pydict() == tables[2].to_pydict()


def large(tmp_path: Path, rows: int = 1000) -> tuple[Join, Path]:
    uri = written(pa.table({"k": np.arange(rows)[::-1], "v": np.arange(rows)}), tmp_path / "large.parquet")
    return Join(**{"with": uri, "on": ["k"], "broadcast_rows": 100}).prepared({}), tmp_path / "buckets"


def test_a_large_reference_is_spread_over_files(tmp_path: Path) -> None:
    step, folder = large(tmp_path)
    spread = step.spread(str(folder))
    files = sorted(folder.rglob("*.parquet"))
    assert len(files) == 11
    assert sum(pq.read_metadata(file).num_rows for file in files) == 1000
    part = pa.table({"k": [999, 0, -1, None, 17]})
    assert spread.apply(part).table["v"].to_pylist() == [0, 999, None, None, 982]


def test_a_part_reads_only_the_buckets_of_its_keys(tmp_path: Path) -> None:
    step, folder = large(tmp_path)
    spread = pickle.loads(pickle.dumps(step.spread(str(folder))))
    part = pa.table({"k": [17]})
    expected = spread.apply(part).table
    (used,) = [file for file in folder.rglob("*.parquet") if 17 in pq.read_table(file)["k"].to_pylist()]
    for file in folder.rglob("*.parquet"):
        if file != used:
            file.unlink()
    assert spread.apply(part).table == expected


def test_spreading_twice_makes_the_same_files(tmp_path: Path) -> None:
    step, folder = large(tmp_path)
    first, second = step.spread(str(folder)), step.spread(str(folder))
    assert first == second
    assert first._buckets is not None


def test_a_bucket_that_was_altered_is_noticed(tmp_path: Path) -> None:
    step, folder = large(tmp_path)
    spread = step.spread(str(folder))
    for file in folder.rglob("*.parquet"):
        file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(DataError, match="not what was written"):
        spread.apply(pa.table({"k": [424]}))


def test_keys_that_a_large_reference_has_twice_are_refused_when_it_is_spread(tmp_path: Path) -> None:
    uri = written(pa.table({"k": [*range(500), 7], "v": range(501)}), tmp_path / "r.parquet")
    step = Join(**{"with": uri, "on": ["k"], "broadcast_rows": 100}).prepared({})
    with pytest.raises(DataError, match=r"such as k=7 \(2 rows\)"):
        step.spread(str(tmp_path / "buckets"))
    assert not (tmp_path / "buckets").exists()


def test_memory_is_bounded_while_a_reference_is_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step, folder = large(tmp_path)
    monkeypatch.setattr("scoreline.cleaners._buckets._FLUSH_BYTES", 100)
    monkeypatch.setattr("scoreline.cleaners._reference._BATCH_ROWS", 64)
    spread = step.spread(str(folder))
    groups = [pq.read_metadata(file).num_row_groups for file in folder.rglob("*.parquet")]
    assert min(groups) > 1
    assert spread.apply(pa.table({"k": [999, 0]})).table["v"].to_pylist() == [0, 999]


@pytest.mark.storage
def test_a_reference_on_s3_is_joined_and_spread(s3_bucket: str, tmp_path: Path) -> None:
    step, _ = large(tmp_path)
    create(f"{s3_bucket}/ref/large.parquet", Path(step.reference))
    there = Join(**{"with": f"{s3_bucket}/ref", "on": ["k"]}).prepared({})
    spread = Join(**{"with": f"{s3_bucket}/ref", "on": ["k"], "broadcast_rows": 100}).prepared({})
    part = pa.table({"k": [999, 5000, 3]})
    for ready in (there, spread.spread(f"{s3_bucket}/buckets")):
        assert ready.reference_hashes() == step.reference_hashes()
        assert ready.apply(part).table["v"].to_pylist() == [0, None, 996]


def test_a_small_reference_is_not_spread(cities: str, tmp_path: Path) -> None:
    step = Join(**{"with": cities, "on": ["cidade"]}).prepared({})
    assert step.spread(str(tmp_path / "buckets")) is step
    assert not (tmp_path / "buckets").exists()


def test_a_large_csv_is_spread_too(tmp_path: Path) -> None:
    content = io.StringIO()
    pd.DataFrame({"k": [f"c{n:03d}" for n in range(300)], "v": range(300)}).to_csv(content, index=False)
    (tmp_path / "r.csv").write_text(content.getvalue())
    step = Join(**{"with": str(tmp_path / "r.csv"), "on": ["k"], "broadcast_rows": 50}).prepared({})
    spread = step.spread(str(tmp_path / "buckets"))
    part = pa.table({"k": ["c299", "c300", "c000"]})
    assert spread.apply(part).table["v"].to_pylist() == [299, None, 0]


def test_a_moment_with_a_zone_matches_one_with_the_same_zone(tmp_path: Path) -> None:
    moment = pa.array([datetime.fromisoformat("2020-01-01")], pa.timestamp("us", "UTC"))
    uri = written(pa.table({"k": moment, "v": [1]}), tmp_path / "r.parquet")
    assert joined(uri, ["k"], pa.table({"k": moment}))["v"].to_pylist() == [1]
