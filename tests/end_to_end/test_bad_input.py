"""Data that are missing, damaged or impossible to learn from: the answer names them, and nothing is changed."""

import io
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pytest
from tests.end_to_end.spoiling import (
    HEADER,
    Case,
    check_answer,
    check_secret,
    data,
    only,
    replaced,
    rows,
    scoreline_here,
    spoil,
    working_job,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.filterwarnings("default")]

NEW = {"predict.source": {"kind": "csv", "uri": "new"}}
OTHER = {"evaluate.source": {"kind": "csv", "uri": "new"}}
PARQUET = {"source": {"kind": "parquet", "uri": "pq"}}
REGRESSION = {"train.model": {"kind": "ridge"}}
DECLARED = {"contract": {"columns": {"amount": {"type": "float64"}}}}
NO_AMOUNT = replaced(r"^(\d+),[\d.]+,", r"\1,,")
LATIN = (HEADER + rows(60, 60)).replace("Porto", "Évora").encode("latin-1")
OWN_KEY = {"contract": {"key": "extra"}}


def forty(folder: Path) -> None:
    """Forty files; the amounts of one are no numbers."""
    for number in range(40):
        text = rows(6 * number, 6)
        (folder / f"data/{number:02d}.csv").write_text(HEADER + (text.replace(".5,", "x,") if number == 17 else text))
    for number in range(2):
        (folder / f"data/{number}.csv").unlink()


def table(start: int = 0, **columns: Any) -> pa.Table:
    """The small data set as typed columns, some of them replaced or added."""
    text = io.BytesIO((HEADER + rows(start, 60)).encode())
    found = pv.read_csv(text, convert_options=pv.ConvertOptions(column_types={"id": pa.string()}))
    for name, values in columns.items():
        found = found.drop_columns([name]) if name in found.column_names else found
        found = found.append_column(name, values)
    return found


def parquet(*tables: pa.Table) -> dict[str, bytes]:
    """Parquet files as a case's files."""
    found = {}
    for number, each in enumerate(tables):
        pq.write_table(each, sink := pa.BufferOutputStream())
        found[f"pq/{number}.parquet"] = sink.getvalue().to_pybytes()
    return found


def many_parquet() -> dict[str, bytes]:
    """Forty Parquet files; the amounts of one are text."""
    tables = [table(60 * number) for number in range(40)]
    tables[17] = tables[17].set_column(1, "amount", tables[17]["amount"].cast(pa.string()))
    return parquet(*tables)


def damaged(spoiled: bytes) -> dict[str, bytes]:
    """A good Parquet file and a bad one."""
    return {**parquet(table()), "pq/1.parquet": spoiled}


GOOD = parquet(table())["pq/0.parquet"]
BAD_PAGE = GOOD[:20] + b"\xff" * 40 + GOOD[60:]
LISTS = pa.array([[1.0]] * 60)

# fmt: off
FILES = [
    Case("missing file", 3, "no such file", "nowhere.csv", "holds", {"source.uri": "nowhere.csv"}),
    Case("missing glob", 3, "no file matches", "nowhere/*.csv", "holds", {"source.uri": "nowhere/*.csv"}),
    Case("empty folder", 3, "holds no files", "/empty", "put input files there", {"source.uri": "empty"},
         spoil=lambda folder: (folder / "empty").mkdir()),
    Case("wrong delimiter", 3, "';' does not split the header", "data/0.csv", "to ','", {"source.delimiter": ";"}),
    Case("wrong encoding", 3, "1 of 2 files are not in utf-8", "1.csv in data/*.csv", '"cp1252"',
         {"source.encoding": "utf-8"}, {"data/1.csv": LATIN}),
    Case("UTF-16 forced", 3, "not in utf-16", "data/0.csv", '"auto"', {"source.encoding": "utf-16"}),
    Case("two encodings", 3, "are in utf-8, not in cp1252", "1.csv in data/*.csv", "each kind by itself",
         files={"data/0.csv": LATIN, "data/1.csv": (HEADER + rows(60, 60)).replace("Porto", "Évora")}),
    Case("UTF-16 beside UTF-8", 3, "differ in encoding", "utf-16 in 1.csv", "by itself",
         files={"data/1.csv": (HEADER + rows(60, 60)).encode("utf-16")}),
    Case("duplicate column names", 3, "several columns are named 'amount'", "0.csv, 1.csv in data/*.csv", "of its own",
         files=data(replaced("city", "amount"))),
    Case("zero rows", 3, "there are no rows", "0.csv", "a record", files=data(lambda _: HEADER)),
    Case("zero bytes", 3, "there are no rows", "0.csv", "a record", files=data(lambda _: "")),
    Case("a quote in the header", 3, "missing in 1 of 2 files", "1.csv", "columns here",
         files={"data/1.csv": '"' + HEADER + rows(60, 60)}),
    Case("Parquet as CSV", 3, "this is a Parquet file", "0.csv", "source.kind", files=only(GOOD)),
    Case("Excel as CSV", 3, "Excel or zip", "0.csv", "source.kind", files=only(b"PK\x03\x04" + bytes(3000))),
    Case("an image as CSV", 3, "", "0.csv", "", files=only(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 12)),
    Case("gzip that is none", 3, "cannot be decompressed", "data/2.csv.gz", "copy it again", {"source.uri": "data"},
         {"data/2.csv.gz": b"not gzip"}),
    Case("too few fields", 3, "another number of fields", "1.csv", "mend the header",
         files={"data/1.csv": HEADER + "1,2\n" * 60}),
    Case("truncated Parquet", 3, "cannot be read as Parquet", "pq/1.parquet", "cut short", PARQUET,
         damaged(GOOD[:-99])),
    Case("damaged Parquet page", 3, "damaged", "pq/1.parquet", "another copy", PARQUET, damaged(BAD_PAGE)),
    Case("empty Parquet", 3, "is empty", "pq/1.parquet", "write it again", PARQUET, damaged(b"")),
    Case("text as Parquet", 3, "cannot be read as Parquet", "pq/1.parquet", "no Parquet file", PARQUET,
         damaged(b"hello")),
    Case("CSV in a folder of Parquet", 3, ".parquet", "/pq", "holds 0.csv", PARQUET, {"pq/0.csv": HEADER}),
    Case("Parquet without rows", 3, "there are no rows", "0.parquet in pq", "with rows", PARQUET,
         parquet(table().slice(0, 0))),
]

COLUMNS = [
    Case("missing column", 2, "no column 'amout'", "job.json:17:3 ($.features[0])", "'amount'",
         {"features.0.columns": ["amout"]}),
    Case("missing in the contract", 3, "no column 'amout'", "0.csv, 1.csv in data/*.csv", "'amount'",
         {"contract": {"columns": {"amout": {"type": "float64"}}}}),
    Case("missing in one file", 3, "'amount' is missing in 1 of 2 files", "1.csv in data/*.csv", "'amnt'",
         files={"data/1.csv": (HEADER + rows(60, 60)).replace("amount", "amnt")}),
    Case("missing in new data", 3, "no column 'amount'", "new", "the nearest is 'amnt'", {**NEW, "train.seed": 5},
         data(replaced("amount", "amnt"), "new")),
    Case("new data are missing", 3, "no file matches", "nowhere/*.csv", "holds",
         {"predict.source": {"kind": "csv", "uri": "nowhere/*.csv"}, "train.seed": 5}),
    Case("target missing in data to judge on", 3, "no column 'group'", "new", "the columns are: id, amount, city, day",
         OTHER, data(replaced(",[^,]*$", ""), "new")),
    Case("one type in one of forty", 3, "'amount' is float64 in 39 of 40 files", "17.csv in data", "mend", spoil=forty),
    Case("one type in one of forty, declared", 3, "in 1 of 40 files most values", "17.csv in data", "mend", DECLARED,
         spoil=forty),
    Case("one type in one of forty, Parquet", 3, "float64 in 39, string in 1", "17.parquet", "with one type", PARQUET,
         many_parquet()),
    Case("a column without values", 2, "'amount' of type string", "$.features[0]", "without any value",
         files=data(NO_AMOUNT)),
    Case("a declared column without values", 3, "'amount' has no value", "column 'amount'", "leave the column out",
         DECLARED, data(NO_AMOUNT)),
    Case("a null column", 2, "'amount' without any value", "$.features[1]", "leave the column out", PARQUET,
         parquet(table(amount=pa.nulls(60)))),
    Case("lists as a feature", 2, "list<element: double>", "$.features[1]", "choose number columns", PARQUET,
         parquet(table(amount=LISTS))),
    Case("bytes as a feature", 2, "of type binary", "$.features[2]", "derive", PARQUET,
         parquet(table(city=pa.array([b"a"] * 60)))),
    Case("dates as a number", 2, "of type date32", "$.features[1]", "turn it into a number",
         {"features.1.columns": ["day"]}),
    Case("numbers beyond 2**53", 3, "2**53", "column 'id'", "as text",
         {"contract": {"columns": {"id": {"type": "int64"}}}, "features.1.columns": ["amount", "id"]},
         data(replaced(r"^\d(\d+),", r"9007199254740\1,"))),
    Case("infinite numbers", 3, "'amount' holds infinite", "column 'amount'", "clip",
         files=data(replaced(r"^(00001|00070),[\d.]+", r"\1,inf"))),
    Case("dates that are none", 3, "no row is left after cleaning: 120 bad_value", "all 120 rows", "the steps in clean",
         {"clean.0": {"kind": "parse_dates", "columns": ["day"], "format": "%Y-%m-%d"},
          "clean.1": {"kind": "derive", "columns": {"month": "month(day)"}},
          "features.0": {"kind": "passthrough", "columns": ["month"]},
          "features.2": {"kind": "bin", "columns": ["amount"]}},
         data(replaced(r"2026-01-\d\d", "soon"))),
    Case("declared dates that are none", 3, "'day' is declared date32", "0.csv, 1.csv in data/*.csv", "mend",
         {"contract": {"columns": {"day": {"type": "date32"}}}}, data(replaced(r"2026-01-\d\d", "soon"))),
    Case("times with and without a zone", 3, "timestamp[us, tz=UTC] in 1, timestamp[us] in 1", "1.parquet", "one type",
         PARQUET, parquet(*(table(day=pa.array([0] * 60, pa.timestamp("us", zone))) for zone in ("UTC", None)))),
    Case("an input column 'prediction'", 3, "two columns 'prediction'", "input column 'prediction'", "predict.keep",
         {"train.seed": 5}, data(replaced("day", "prediction"))),
    Case("an input column 'source_row'", 3, "two columns 'source_row'", "input column", '"predict.row_id": false',
         files=data(replaced("day", "source_row"))),
    Case("a name that a terminal obeys", 2, "no column 'dy'", "$.features[1]", r"d\x1b[31my",
         {"features.1.columns": ["dy"]}, data(replaced("day", "d\x1b[31my"))),
    Case("a contract that no row keeps", 3, "no row is left after cleaning: 120 below_minimum", "all 120 rows",
         "contract", {"contract": {"columns": {"amount": {"type": "float64", "min": 1e9}}}}),
    Case("a filter that no row passes", 3, "no row is left after cleaning: 120 filtered", "all 120 rows", "clean",
         {"clean.1": {"kind": "filter_rows", "where": "amount > 1000"}}),
    Case("columns that nobody declared", 3, "does not name: 'id', 'city'", "0.csv", "contract.extra_columns",
         {"contract": {"columns": {"amount": {"type": "float64"}}, "extra_columns": "refuse"}}),
    Case("a type that is not there", 3, "'amount' is float64 in 1 of 1 files", "0.parquet in pq", "declare",
         {**PARQUET, "contract": {"columns": {"amount": {"type": "date32"}}}}, parquet(table())),
    Case("a key of lists", 2, "'extra' is list<element: double>", "$.contract.key", "text, numbers or dates",
         {**PARQUET, **OWN_KEY}, parquet(table(extra=LISTS))),
    Case("slices by lists", 2, "'extra' is list<element: double>", "$.evaluate.slices[0]", "text, numbers or dates",
         {**PARQUET, "evaluate.slices": ["extra"]}, parquet(table(extra=LISTS))),
    Case("a row that must not fail", 3, "above_maximum", "0.csv, row 2, column 'amount'", "mend the row",
         {"contract": {"columns": {"amount": {"type": "float64", "max": 50}}}, "predict.on_bad_row": "fail",
          "target": "city", "features": [{"kind": "impute", "columns": ["amount"]}]}),
    Case("unknown categories beyond the budget", 8, "unknown_category 20", "/quarantine/", "predict.error_budget",
         NEW, {"new/0.csv": HEADER + rows(0, 60).replace("Porto", "Braga")}),
    Case("a join that matches little", 3, "20 of 60 rows (33.3%)", "clean step 'join'", "complete the reference",
         {**PARQUET, "clean.1": {"kind": "join", "with": "ref.parquet", "on": ["city"], "min_hit_rate": 0.9},
          "features.0.columns": ["amount", "size"], "features.1.columns": ["amount", "size"]}, parquet(table()),
         spoil=lambda folder: pq.write_table(pa.table({"city": ["Porto"], "size": [1]}), folder / "ref.parquet")),
    Case("a join without its reference", 3, "no such file", "/ref.parquet", "holds",
         {"clean.1": {"kind": "join", "with": "ref.parquet", "on": ["city"]}}),
]

TARGETS = [
    Case("target missing", 2, "no column 'grup'", "job.json:37:2 ($.target)", "'group'", {"target": "grup"}),
    Case("target of one class", 3, "one class only: a", "column 'group'", "two classes",
         files=data(replaced(",b$", ",a"))),
    Case("target without values", 3, "no row has a target", "column 'group'", "name another target",
         files=data(replaced(",[ab]$", ","))),
    Case("infinite target", 3, "contains infinity", "$.train.model", "the target 'group'", REGRESSION,
         data(replaced(",[ab]$", ",inf"))),
    Case("amounts as classes", 3, "Unknown label type", "$.train.model", "the target 'group'",
         files=data(lambda text: text.replace(",a\n", ",1.5\n").replace(",b\n", ",2.5\n"))),
    Case("whole numbers as target", 2, "nobody can tell labels from amounts", "$.train", '"task"',
         {"train.model": {"kind": "random_forest"}},
         data(lambda text: text.replace(",a\n", ",1\n").replace(",b\n", ",2\n"))),
    Case("dates as target", 2, "'day' is date32, which no model learns", "$.target", "derive", {"target": "day"}),
    Case("one row", 3, "one class only", "column 'group'", "two classes", files=only(HEADER + rows(0, 1))),
    Case("one column", 2, "no column 'amount'", "$.features[0]", "columns here: a", files=only("a\n1\n2\n")),
    Case("a sample of one row", 3, "only one class", "$.train.model", "target 'group'", {"train.sample.rows": 1}),
    Case("a group split of one group", 3, "no row to train on", "$.train.split", "more values",
         {"train.split": {"kind": "group", "column": "city"}}, data(replaced("Lisboa|Porto|Faro", "X"))),
    Case("a time split that holds all out", 3, "no row to train on", "$.train.split", "hold out fewer",
         {"train.split": {"kind": "time", "column": "day", "at": "1999-01-01"}}),
    Case("a time split that holds nothing out", 3, "no row is left to judge", "$.train.split", "hold out more",
         {"train.split": {"kind": "time", "column": "day", "at": "2999-01-01"}}),
    Case("more folds than rows", 3, "too small for 50 folds", "$.train.search.folds", "sample more rows",
         {"train.search": {"kind": "grid", "params": {"C": [0.1, 1]}, "folds": 50}}, only(HEADER + rows(0, 8))),
    Case("data to judge on without rows", 3, "there are no rows", "0.csv in new", "a record", OTHER,
         {"new/0.csv": HEADER}),
]
# fmt: on


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("working") / "job"
    working_job(folder)
    return folder


@pytest.mark.parametrize("case", [*FILES, *COLUMNS, *TARGETS], ids=lambda case: case.name)
def test_bad_data_are_named_and_nothing_is_changed(
    case: Case, working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(case, working, tmp_path / "job", monkeypatch)
    check_answer(case)


def test_a_few_unknown_categories_are_put_aside_with_their_reason(
    working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"new/0.csv": HEADER + rows(0, 200).replace("Porto", "Braga", 1)}
    spoil(Case("", 0, "", "", "", NEW, files), working, tmp_path / "job", monkeypatch)
    assert scoreline_here("run", "job.json").code == 0
    (aside,) = (pq.read_table(path) for path in Path("predictions.store/quarantine").rglob("*.parquet"))
    assert aside["_reason_code"].to_pylist() == ["unknown_category"]
    assert (aside["city"].to_pylist(), aside["_column"].to_pylist()) == (["Braga"], ["city"])
    assert pq.read_table("predictions").num_rows == 199


GOOD_ENOUGH = {
    "one file of a header only": ({"data/1.csv": HEADER}, 60, 0),
    "one empty file": ({"data/1.csv": ""}, 60, 0),
    "line ends of Windows in one file": ({"data/1.csv": (HEADER + rows(60, 60)).replace("\n", "\r\n")}, 120, 0),
    "line ends of old Macs in one file": ({"data/1.csv": (HEADER + rows(60, 60)).replace("\n", "\r")}, 120, 0),
    "a byte order mark in one file": ({"data/1.csv": "\ufeff" + HEADER + rows(60, 60)}, 120, 0),
    "a quote that never closes": ({"data/1.csv": (HEADER + rows(60, 60)).replace("Porto", '"Porto', 1)}, 119, 1),
    "a field too many": ({"data/1.csv": (HEADER + rows(60, 60)).replace("Porto", "Porto,more", 1)}, 119, 1),
    "a field of 10,000 characters": (data(replaced("Porto", "P" * 10_000)), 120, 0),
    "NUL characters": (data(replaced("Porto", "Po\0rto")), 120, 0),
    "a constant feature": (data(replaced(r"^(\d+),[\d.]+", r"\1,7.5")), 120, 0),
    "a column without a name": (data(lambda text: re.sub("day", "", text, count=1)), 120, 0),
}


@pytest.mark.parametrize("name", GOOD_ENOUGH)
def test_odd_data_are_read_and_every_row_is_accounted_for(
    name: str, working: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, predicted, refused = GOOD_ENOUGH[name]
    spoil(Case("", 0, "", "", "", files=files), working, tmp_path / "job", monkeypatch)
    told = scoreline_here("run", "job.json")
    assert told.code == 0, told.err
    assert f"{predicted + refused} in = {predicted} predicted + {refused} quarantined + 0 filtered" in told.out
    assert pq.read_table("predictions").num_rows == predicted
    check_secret(told)
