"""Tables come out as they went in, whatever way their text was held."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest

from scoreline.dataset.spool import Spool


def test_tables_come_back_in_order_with_plain_types() -> None:
    with Spool() as spool:
        spool.add(pa.table({"n": [1, 2], "s": pa.array(["a", None]).dictionary_encode()}))
        spool.add(pa.table({"n": [3], "s": pa.array(["b"])}))
        tables = list(spool.tables())
    assert pa.concat_tables(tables).to_pydict() == {"n": [1, 2, 3], "s": ["a", None, "b"]}
    assert spool.schema == pa.schema([("n", pa.int64()), ("s", pa.string())])


def test_nested_values_and_columns_of_nulls_come_back() -> None:
    table = pa.table({"l": [[1], None], "s": [{"a": "x"}, None], "z": pa.nulls(2)})
    with Spool() as spool:
        spool.add(table)
        assert list(spool.tables()) == [table]


def test_nothing_was_added() -> None:
    with Spool() as spool:
        assert (list(spool.tables()), spool.schema) == ([], None)


def test_nothing_has_a_name_that_a_killed_process_would_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Spool() as spool:
        spool.add(pa.table({"n": [1]}))
        assert list(tmp_path.iterdir()) == []
