"""Text of Parquet input is in the output as it is in the input, in the same bytes, however the input stores it."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.everything import declare

from scoreline.sinks.parquet import Parquet as ParquetSink
from scoreline.sinks.parquet import plain
from scoreline.sources.parquet import Parquet

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from scoreline.contract import Contract
    from scoreline.units import Unit

VALUES = st.one_of(st.none(), st.sampled_from(["", "a", "b", " a", "ç"]), st.text(max_size=2))
COLUMNS = st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=60)
STORED = {
    "plain": pa.string(),
    "large": pa.large_string(),
    "view": pa.string_view(),
    "dictionary": pa.dictionary(pa.int8(), pa.string()),
}


def stored(folder: Path, rows: list[tuple[str | None, str | None]], cuts: list[int], kind: str, group: int) -> Path:
    """The rows in files, cut before some of them, as text of one kind."""
    folder.mkdir()
    edges = [0, *sorted(cut % len(rows) for cut in cuts), len(rows)]
    for number, (start, stop) in enumerate(pairwise(edges)):
        columns = [pa.array([row[place] for row in rows[start:stop]], pa.string()) for place in (0, 1)]
        encoded = [column.dictionary_encode() if kind == "dictionary" else column for column in columns]
        table = pa.table([column.cast(STORED[kind]) for column in encoded], ["s", "t"])
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=group)
    return folder


def passed_on(source: Parquet, contract: Contract, units: tuple[Unit, ...], batch_rows: int) -> list[bytes]:
    """A file for each unit, with all that was read of it."""
    files = [io.BytesIO() for _ in units]
    for unit, file in zip(units, files, strict=True):
        parts = source.read(unit, contract, contract.schema.names, batch_rows)
        ParquetSink(uri="out").write((part.table for part in parts), plain(contract.schema), file, {})
    return [file.getvalue() for file in files]


@settings(max_examples=60, deadline=None)
@given(
    rows=COLUMNS,
    cuts=st.lists(st.integers(0, 99), max_size=3),
    kind=st.sampled_from(sorted(STORED)),
    sizes=st.tuples(st.integers(1, 30), st.integers(1, 40)),
)
def test_text_passes_through_unchanged(
    rows: list[tuple[str | None, str | None]],
    cuts: list[int],
    kind: str,
    sizes: tuple[int, int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, (group, batch_rows) = tmp_path_factory.mktemp("text"), sizes
    one = Parquet(uri=str(stored(folder / "one", rows, cuts, kind, group)))
    other = Parquet(uri=str(stored(folder / "other", rows, cuts, "plain", 1_000)))
    survey, plainly = one.survey(declare()), other.survey(declare())
    files = passed_on(one, survey.contract, survey.units, batch_rows)
    assert files == passed_on(other, plainly.contract, plainly.units, 1_000)
    found = pa.concat_tables([pq.read_table(io.BytesIO(file)) for file in files])
    assert found.schema.types == [pa.string()] * 2
    assert list(zip(found["s"].to_pylist(), found["t"].to_pylist(), strict=True)) == rows
