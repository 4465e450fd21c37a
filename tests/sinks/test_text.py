"""Text comes out as it went in, in the same bytes, however it was held and cut."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.sinks._text import PROBE_ROWS, by_value, one_by_one, repeats
from scoreline.sinks.parquet import ROW_GROUP_ROWS, Parquet

if TYPE_CHECKING:
    from collections.abc import Sequence

Texts = list[str | None]
SCHEMA = pa.schema([("t", pa.string())])
VALUES = st.one_of(st.none(), st.sampled_from(["", "a", "b", " a", "ç", "\0", "long" * 99]), st.text(max_size=3))
INDICES = st.sampled_from([pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.uint32(), pa.int64()])
TYPES = st.sampled_from([pa.string(), pa.large_string(), pa.string_view()])


@st.composite
def held(draw: st.DrawFn, values: Texts) -> pa.Array:
    """The values as a chunk of some type: plain, or a dictionary that may list values twice, null, or for no row."""
    kind = draw(TYPES)
    if draw(st.booleans()):
        return pa.array(values, pa.string()).cast(kind)
    listed = draw(st.permutations([*values, *draw(st.lists(VALUES, max_size=3))]))
    places = [None if value is None and draw(st.booleans()) else listed.index(value) for value in values]
    dictionary = pa.array(listed, pa.string()).cast(kind)
    return pa.DictionaryArray.from_arrays(pa.array(places, draw(INDICES)), dictionary)


@st.composite
def cut(draw: st.DrawFn) -> tuple[Texts, list[pa.Array]]:
    """Values, and chunks that hold them, some of them slices of others and some empty."""
    pieces = draw(st.lists(st.lists(VALUES, max_size=12), min_size=1, max_size=5).filter(any))
    chunks = []
    for piece in pieces:
        chunk, at = draw(held(piece)), draw(st.integers(0, len(piece)))
        chunks += [chunk[:at], chunk[at:]] if draw(st.booleans()) else [chunk]
    return [value for piece in pieces for value in piece], chunks


@settings(max_examples=200, deadline=None)
@given(cut())
def test_codes_are_those_of_the_values_in_one_plain_chunk(given_chunks: tuple[Texts, list[pa.Array]]) -> None:
    values, chunks = given_chunks
    plain = pa.array(values, pa.string())
    assert by_value(chunks).equals(plain.dictionary_encode())
    assert one_by_one(chunks).equals(plain)
    assert repeats(chunks) == repeats([plain])


def written(tables: Sequence[pa.Table]) -> bytes:
    file = io.BytesIO()
    Parquet(uri="out").write(iter(tables), SCHEMA, file, {"scoreline.score_key": "k"})
    return file.getvalue()


def read(file: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(file), page_checksum_verification=True)


@settings(max_examples=100, deadline=None)
@given(cut())
def test_files_are_those_of_plain_text(given_chunks: tuple[Texts, list[pa.Array]]) -> None:
    values, chunks = given_chunks
    plain = pa.table([values], SCHEMA)
    file = written([pa.table({"t": chunk}) for chunk in chunks])
    assert file == written([plain])
    assert read(file).equals(plain)


@pytest.mark.parametrize("distinct", [1, 7, 40_000, 100_000, 10_000_000])
@pytest.mark.parametrize("width", [1, 60])
def test_row_groups_with_other_dictionaries_come_back(distinct: int, width: int) -> None:
    random, rows = np.random.default_rng(distinct), ROW_GROUP_ROWS + 1_000
    halves = [
        pa.array([f"{number:0{width}}" for number in random.integers(start, start + distinct, rows).tolist()])
        for start in (0, distinct // 2)
    ]
    halves = [pa.concat_arrays([half, pa.nulls(5, pa.string())]) for half in halves]
    file = written([pa.table({"t": half.dictionary_encode()}) for half in halves])
    assert file == written([pa.table({"t": half}) for half in halves])
    assert read(file)["t"].combine_chunks().equals(pa.concat_arrays(halves))


def test_text_is_in_codes_only_where_it_repeats() -> None:
    def encodings(values: list[str]) -> set[str]:
        footer = pq.ParquetFile(io.BytesIO(written([pa.table([values], SCHEMA)]))).metadata
        return set(footer.row_group(0).column(0).encodings)

    assert "RLE_DICTIONARY" in encodings([str(number % 50) for number in range(PROBE_ROWS)])
    assert "RLE_DICTIONARY" not in encodings([str(number) for number in range(PROBE_ROWS)])


@pytest.mark.parametrize("values", [["a", "a", "a"], ["a", "b", "c"], [None, None]])
def test_footers_are_those_that_arrow_writes_for_plain_text(values: Texts) -> None:
    plain = pa.table([values], SCHEMA.with_metadata({"scoreline.score_key": "k"}))
    file = io.BytesIO()
    pq.write_table(plain, file)
    ours, arrows = pq.ParquetFile(io.BytesIO(written([plain]))), pq.ParquetFile(file)
    assert ours.metadata.metadata == arrows.metadata.metadata
    assert ours.schema.equals(arrows.schema)
    assert ours.schema_arrow.equals(plain.schema, check_metadata=True)
