"""Columns that are only passed on, of unusual types and names: kept to the last value, or the row is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.end_to_end.in_process import account, job, predicted, ran, rows, store

COUNT = 20_000
"""So many rows make a row group that is copied as it is stored."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model, which predicts whatever else its input has."""
    folder = tmp_path_factory.mktemp("kept")
    store(folder, rows(400))
    record = ran(folder, job(folder), "train")
    assert record.model is not None
    return Path(record.model["uri"])


def predict(model: Path, folder: Path, *tables: pa.Table, **sections: Any) -> tuple[pa.Table, Any]:
    """Predictions for some files, and the record of the run."""
    if tables:
        store(folder, *tables)
    config = {
        name: part for name, part in job(folder).items() if name not in ("features", "target", "train", "evaluate")
    }
    record = ran(folder, {**config, "model": {"uri": str(model)}, **sections}, "predict")
    return predicted(folder), record


def beside(name: str, values: Any, seed: int = 0) -> pa.Table:
    """Rows with one more column."""
    return rows(len(values), seed).append_column(name, values)


FAR = [dt.datetime(9999, 12, 31), dt.datetime(1600, 1, 1), dt.datetime(2020, 1, 1)]  # noqa: DTZ001  none is meant


@pytest.mark.parametrize(
    "far",
    [pa.array(FAR, pa.timestamp("us")), pa.array(FAR, pa.timestamp("ms")), pa.array([day.date() for day in FAR])],
    ids=["us", "ms", "date"],
)
def test_moments_that_another_file_has_no_room_for_are_refused_and_kept(model: Path, tmp_path: Path, far: Any) -> None:
    near = pa.array([1, 2, 3], pa.timestamp("ns"))
    found, record = predict(model, tmp_path, beside("seen", far), beside("seen", near, seed=1))
    assert account(record)[1:] == (4, 2, 0)
    assert found["seen"].null_count == 0
    (refused,) = (tmp_path / "out").resolve().parents[1].rglob("quarantine/**/*.parquet")
    table = pq.read_table(refused)
    assert set(table["_reason_code"].to_pylist()) == {"bad_value"}
    assert table["seen"].to_pylist() == far[:2].to_pylist()


@pytest.mark.parametrize(
    "text", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
@pytest.mark.parametrize("first", [True, False])
def test_a_file_in_which_all_text_is_null_goes_with_others(model: Path, tmp_path: Path, text: Any, first: bool) -> None:
    tables = [beside("note", pa.nulls(5)), beside("note", pa.array(["a", None, "b"]).cast(text), seed=1)]
    found, _ = predict(model, tmp_path, *(tables if first else reversed(tables)))
    assert sorted(map(str, found["note"].to_pylist())) == [*["None"] * 6, "a", "b"]


@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("a.s", pa.array(range(50))),
        ("a.b", pa.array([f"u{row}" for row in range(50)])),
        ("l.list.element", pa.array(range(50))),
    ],
)
def test_a_column_may_be_called_like_what_is_inside_of_another(
    model: Path, tmp_path: Path, name: str, values: Any, turned: bool
) -> None:
    inside = pa.StructArray.from_arrays([pa.array(range(50)), pa.array(["q"] * 50)], ["b", "s"])
    lists = pa.array([["s"]] * 50)
    table = beside(name, values).append_column("a", inside).append_column("l", lists)
    found, _ = predict(model, tmp_path, table.select(table.column_names[::-1]) if turned else table)
    for column, kept in ((name, values), ("a", inside), ("l", lists)):
        assert found[column].combine_chunks().equals(kept)


def test_nulls_of_a_column_are_not_those_of_what_is_called_alike(model: Path, tmp_path: Path) -> None:
    # Known to have no nulls, it would have to have none.
    values = pa.array([None, *range(49)])
    table = beside("a.b", values).append_column("a", pa.StructArray.from_arrays([pa.array(range(50))], ["b"]))
    found, record = predict(model, tmp_path, table)
    assert account(record)[1:] == (50, 0, 0)
    assert found["a.b"].combine_chunks().equals(values)


@pytest.mark.parametrize(
    "values",
    [
        pa.ExtensionArray.from_storage(pa.bool8(), pa.array(np.arange(COUNT) % 2, pa.int8())),
        pa.ExtensionArray.from_storage(pa.opaque(pa.string(), "geometry", "postgis"), pa.array(["s"] * COUNT)),
        pa.ExtensionArray.from_storage(pa.opaque(pa.float64(), "geometry", "postgis"), pa.array([1.5] * COUNT)),
    ],
    ids=["bool8", "text", "float"],
)
def test_extension_types_are_kept(model: Path, tmp_path: Path, values: Any) -> None:
    found, _ = predict(model, tmp_path, beside("more", values))
    assert found["more"].to_pylist() == values.to_pylist()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.list_(pa.string_view()), ["a"]),
        (pa.large_list(pa.binary_view()), [b"a"]),
        (pa.list_(pa.string_view(), 2), ["a", "b"]),
        (pa.struct([("s", pa.string_view())]), {"s": "a"}),
        (pa.map_(pa.string(), pa.list_(pa.string_view())), [("k", ["a", None])]),
    ],
    ids=str,
)
def test_views_inside_of_others_are_kept_where_a_row_is_refused(
    model: Path, tmp_path: Path, kind: Any, value: Any
) -> None:
    values = pa.array([value, None, value, value], kind)
    table = beside("more", values).set_column(3, "city", pa.array(["Natal", "Natal", None, "Natal"]))
    found, record = predict(model, tmp_path, table, contract={"columns": {"city": {"nullable": False}}})
    assert account(record)[1:] == (3, 1, 0)
    assert found["more"].to_pylist() == [value, None, value]


def test_text_that_is_not_utf8_is_none_of_the_allowed_values(model: Path, tmp_path: Path) -> None:
    spoilt = pa.array([b"a", b" b", b"\xff", b"a"]).view(pa.string())
    rule = {"columns": {"note": {"allowed": ["a", "b"]}}}
    found, record = predict(model, tmp_path, beside("note", spoilt), contract=rule)
    assert account(record)[1:] == (3, 1, 0)
    assert found["note"].to_pylist() == ["a", " b", "a"]


def test_folders_that_carry_a_hidden_looking_column_are_read(model: Path, tmp_path: Path) -> None:
    for day in (1, 2):
        (tmp_path / "in" / f"_day={day}").mkdir(parents=True)
        pq.write_table(rows(5, day), tmp_path / "in" / f"_day={day}" / "a.parquet")
    found, record = predict(model, tmp_path)
    assert account(record)[1:] == (10, 0, 0)
    assert found["_day"].to_pylist() == [1] * 5 + [2] * 5
