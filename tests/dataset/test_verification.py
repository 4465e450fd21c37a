"""Whatever bit changes of what is published, it is found; what is as it was written is not complained about."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from scoreline.dataset.commits import highest_commit
from scoreline.dataset.layout import Layout
from scoreline.dataset.plans import RunPlan, begin, read_plan
from scoreline.dataset.publication import Goal, publish, roll_back
from scoreline.dataset.receipts import Receipt, write_receipt
from scoreline.dataset.unit_file import write_unit_file
from scoreline.dataset.verification import verify
from scoreline.errors import DataError, StorageError
from scoreline.sinks.parquet import Parquet

SCHEMA = pa.schema([("n", pa.int64())])


def scored(uri: str, files: str, kept: Goal | None = None) -> Layout:
    """A run of one unit a file, one row of each refused, planned and published."""
    plan = RunPlan({"model": "m"}, tuple((name, 1, "0") for name in files), tuple(files), 2 * len(files), 1)
    layout = Layout(uri, plan.key)
    begin(layout, plan)
    receipts = [unit(layout, name) for name in files]
    publish(layout, receipts, kept or Goal(highest_commit(layout)))
    return layout


def unit(layout: Layout, name: str) -> Receipt:
    tables = [pa.table({"n": [ord(name)]}, schema=SCHEMA)]
    sink = Parquet(uri=layout.uri)
    data, rows = write_unit_file(partial(sink.write, tables, SCHEMA), layout, layout.unit_file(name))
    refused, _ = write_unit_file(partial(sink.write, tables, SCHEMA), layout, layout.quarantine_file(name))
    return write_receipt(layout, Receipt(name, rows + 1, rows, 0, {"bad_value": 1}, data, refused))


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """A data set with four versions of two runs."""
    uri = str(tmp_path / "out")
    first = scored(uri, "abc")
    base = highest_commit(first)
    assert base is not None
    scored(uri, "de", Goal(base, "append", base.runs))
    scored(uri, "abc")
    roll_back(first, 2)
    return uri


def test_what_was_written_is_as_it_was_written(uri: str) -> None:
    found = verify(uri)
    assert (found.versions, found.runs, found.files, found.problems) == (4, 2, 10, ())


def test_any_changed_bit_or_cut_is_found(uri: str) -> None:
    chance = random.Random(5)  # noqa: S311
    store = Path(f"{uri}.store")
    folders = ("runs", "quarantine", "receipts", "manifests", "commits", "plans", "versions")
    files = [path for folder in folders for path in sorted((store / folder).rglob("*")) if path.is_file()]
    files = [path for path in files if path.name != "driver.json"]
    for _ in range(150):
        path = chance.choice(files)
        body = path.read_bytes()
        place = chance.randrange(len(body))
        changed = body[:place] + bytes([body[place] ^ 1 << chance.randrange(8)]) + body[place + 1 :]
        path.write_bytes(changed if chance.random() < 0.8 else body[:place])
        assert verify(uri).problems, (path, place)
        path.write_bytes(body)
    assert verify(uri).problems == ()


@pytest.mark.parametrize(
    "folder", ["runs", "quarantine", "receipts", "manifests", "plans", "versions", "commits"], ids=str
)
def test_a_file_that_is_gone_is_found(uri: str, folder: str) -> None:
    gone = [path for path in (Path(f"{uri}.store") / folder).rglob("*") if path.is_file() and path.suffix != ".x"]
    for path in gone:
        if path.name == "driver.json":
            continue
        body = path.read_bytes()
        path.unlink()
        assert [problem.where for problem in verify(uri).problems], path
        path.write_bytes(body)


def test_a_file_that_nobody_wrote_is_found(uri: str) -> None:
    (run,) = (path for path in (Path(f"{uri}.store") / "runs").iterdir() if len(list((path / "data").iterdir())) == 2)
    (run / "data/stranger.parquet").write_bytes(b"x")
    assert [problem.what for problem in verify(uri).problems] == ["a file is there that no unit wrote"]


def test_pointers_that_lag_are_told(uri: str) -> None:
    link = Path(uri)
    link.unlink()
    link.symlink_to(f"{uri}.store/versions/1")
    (Path(f"{uri}.store") / "latest.json").write_text("{}")
    assert [problem.what for problem in verify(uri).problems] == [
        "the link does not lead to version 4, the current one",
        "latest.json does not tell of version 4, the current one",
    ]


def test_a_damaged_newest_commit_makes_no_older_version_the_current_one(uri: str) -> None:
    newest = Path(f"{uri}.store/commits/00000000000000000004.json")
    newest.write_bytes(newest.read_bytes()[:-1])
    assert [problem.what for problem in verify(uri).problems] == [
        "the commit of version 4 is damaged: it is not what was written"
    ]


@pytest.mark.parametrize("body", [b"[]", b"{}", b"{", b'{"files": [1], "units": [], "adopted": []}'])
def test_a_plan_that_says_nothing_is_damaged(uri: str, body: bytes) -> None:
    plan = next(Path(f"{uri}.store/plans").iterdir())
    plan.write_bytes(body)
    with pytest.raises(StorageError, match="damaged"):
        read_plan(Layout(uri, plan.stem))
    assert "the plan of a run is damaged" in {problem.what for problem in verify(uri).problems}


def test_nothing_to_verify_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no version of a data set is published there"):
        verify(str(tmp_path / "nothing"))
