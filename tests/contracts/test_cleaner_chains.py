"""Steps in a row: what a bundle keeps of them makes the same columns from fewer."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from scoreline.catalogue import kinds, union_of
from scoreline.cleaners.base import Step
from scoreline.cleaning import Cleaning
from scoreline.errors import StepError

ADAPTER: TypeAdapter[Step] = TypeAdapter(union_of("cleaners"))
TABLE = pa.table(
    {
        "a": [1, 2, None, 4],
        "b": [1.5, None, -2.0, 0.0],
        "c": [" x", "y ", None, ""],
        " d ": ["1,5", "7", "z", None],
        "k": ["p", "q", None, "r"],
        "when": ["201405", None, "202001", "201405"],
    }
)
STEPS: list[dict[str, Any]] = [
    {"kind": "strip_names"},
    {"kind": "trim_strings"},
    {"kind": "trim_strings", "columns": ["c"], "empty_as_null": False},
    {"kind": "normalise_text", "case": "upper"},
    {"kind": "rename", "columns": {"a": "b", "b": "a"}},
    {"kind": "rename", "columns": {"c": "e"}},
    {"kind": "rename", "columns": {"b": "c", "c": "f"}},
    {"kind": "rename", "columns": {"k": "k", "x": "a", "c": "g"}, "others": "drop"},
    {"kind": "select", "drop": ["a"]},
    {"kind": "select", "drop": ["c", "k"]},
    {"kind": "select", "columns": ["k", "b", "c"]},
    {"kind": "derive", "columns": {"x": "a + 1", "b": "a * 2"}},
    {"kind": "derive", "columns": {"a": "length(c)", "c": "k + '!'"}},
    {"kind": "derive", "columns": {"y": "x if is_null(b) else b"}},
    {"kind": "parse_numbers", "columns": ["d"], "decimal": ",", "on_error": "null"},
    {"kind": "parse_dates", "columns": ["when"], "format": "%Y%m"},
    {"kind": "cast", "columns": {"a": "float64", "b": "string"}},
    {"kind": "map_values", "columns": ["k"], "values": {"p": 1, "q": 2}, "others": "null"},
    {"kind": "fill_missing", "columns": {"a": 0, "c": "none"}},
    {"kind": "clip", "min": 1},
    {"kind": "join", "with": "keys.parquet", "on": ["k"]},
    {"kind": "join", "with": "keys.parquet", "on": {"c": "k"}, "columns": ["a"], "prefix": "j_"},
    {"kind": "join", "with": "keys.parquet", "on": {"e": "k"}, "columns": ["c"]},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reference")
    pq.write_table(
        pa.table({"k": ["p", "q", "x"], "w": [1, 2, 3], "a": [7, 8, 9], "c": ["P", None, "X"]}), path / "keys.parquet"
    )
    return path


def test_every_kind_that_keeps_rows_can_be_in_a_chain() -> None:
    dropping = {"drop_duplicates", "filter_rows"}
    assert {step["kind"] for step in STEPS} == set(kinds("cleaners")) - dropping


def chain_of(configs: list[dict[str, Any]]) -> Cleaning:
    """Those of the steps that can work on what the ones before them leave."""
    kept: list[Step] = []
    schema = TABLE.schema
    for config in configs:
        step = ADAPTER.validate_python(config)
        try:
            schema = step.output_schema(schema)
        except StepError:
            continue
        kept.append(step)
    return Cleaning(tuple(kept))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(STEPS), max_size=7), st.data())
def test_a_narrowed_chain_makes_the_wanted_columns_from_the_needed_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch, configs: list[dict[str, Any]], data: st.DataObject
) -> None:
    monkeypatch.chdir(folder)
    chain = chain_of(configs)
    whole = chain.apply(TABLE).table
    wanted = data.draw(st.lists(st.sampled_from(whole.column_names), unique=True)) if whole.num_columns else []
    narrowed, needed = chain.feeding(wanted, TABLE.schema)
    reduced = TABLE.select([name for name in TABLE.column_names if name in needed])
    made = narrowed.apply(reduced).table
    assert needed <= set(TABLE.column_names)
    assert made.select(wanted).to_pydict() == whole.select(wanted).to_pydict()
    assert set(wanted) <= set(narrowed.output_schema(reduced.schema).names)
