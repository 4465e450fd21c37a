"""What every cleaner must do, asked of every kind that ships."""

import pickle
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter, ValidationError

from scoreline.catalogue import kinds, union_of
from scoreline.cleaners.base import Cleaned, FrameStep, Step
from scoreline.errors import StepError
from scoreline.refusal import refused_rows

TABLE = pa.table(
    {
        " id ": pa.array([1, 2, 3, None, 5, 2], pa.int64()),
        "cidade": [" SAO PAULO", "Santos ", None, "", "Óbidos", " SAO PAULO"],
        "valor": [1.5, -2.0, None, float("nan"), 0.0, -0.0],
        "texto": ["1.234,5", "7", None, "x", "(2)", "7"],
        "data": ["4.12.2019", "31.02.2020", None, "", "1.1.2020", "4.12.2019"],
        "certo": [True, None, False, True, None, None],
    }
)
"""A column of each sort, with nulls, repeated values and values that cannot be converted."""


CITIES = pa.table(
    {
        "name": [" SAO PAULO", "Santos ", "", None],
        "flag": [True, None, True, False],
        "uf": ["SP", "SP", None, "XX"],
        "pop": [12, None, 0, 1],
    }
)
"""Reference data to join."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reference")
    pq.write_table(CITIES, path / "cities.parquet")
    return path


@pytest.fixture(autouse=True)
def _beside_the_reference(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


@dataclass(frozen=True)
class Example:
    """A step as a config spells it, and a column of `TABLE` without which it cannot work."""

    config: dict[str, Any]
    needed: str | None = None


EXAMPLES = {
    "cast": [Example({"columns": {" id ": "float32", "valor": "int8", "texto": "int64", "certo": "string"}}, "texto")],
    "clip": [Example({"min": 0}), Example({"columns": ["valor"], "max": 1.0}, "valor")],
    "derive": [
        Example({"columns": {"x": "valor / 2 if certo else ` id `", "valor": "-valor"}}, "valor"),
        Example({"columns": {"n": "length(cidade)", "u": "upper(cidade) + '!'", "m": "is_null(cidade)"}}, "cidade"),
    ],
    "drop_duplicates": [Example({}), Example({"columns": ["cidade", "valor"]}, "cidade")],
    "fill_missing": [
        Example({"columns": {"cidade": "?", "valor": 1, " id ": 0, "certo": False}}, "cidade"),
        Example({"columns": ["cidade", "texto"], "value": "none"}, "texto"),
    ],
    "filter_rows": [Example({"where": "valor >= 0 and cidade != ''"}, "valor"), Example({"where": "certo"}, "certo")],
    "join": [
        Example({"with": "cities.parquet", "on": {"cidade": "name"}, "on_miss": "refuse"}, "cidade"),
        Example(
            {"with": "cities.parquet", "on": {"cidade": "name", "certo": "flag"}, "columns": ["pop"], "prefix": "c_"},
            "certo",
        ),
    ],
    "map_values": [
        Example({"columns": ["cidade"], "values": {"": None, "Santos ": "Santos"}}, "cidade"),
        Example({"columns": ["texto"], "values": {"7": 7}, "others": "refuse"}, "texto"),
        Example({"columns": [" id "], "values": {"2": "two"}, "others": "null"}, " id "),
    ],
    "normalise_text": [Example({}), Example({"columns": ["cidade"], "case": "upper", "accents": "strip"}, "cidade")],
    "parse_dates": [
        Example({"columns": ["data"], "format": "%d.%m.%Y"}, "data"),
        Example({"columns": ["data"], "format": ["%d.%m.%Y"], "to": "timestamp", "on_error": "null"}, "data"),
    ],
    "parse_numbers": [
        Example({"columns": ["texto"], "decimal": ",", "thousands": "."}, "texto"),
        Example({"columns": ["texto"], "type": "int64", "on_error": "null", "strip": ["R$"]}, "texto"),
    ],
    "rename": [
        Example({"columns": {"cidade": "city", " id ": "cidade"}}, "cidade"),
        Example({"columns": {"valor": "v"}, "others": "drop"}, "valor"),
    ],
    "select": [Example({"columns": ["valor", "cidade"]}, "valor"), Example({"drop": ["data"]}, "data")],
    "strip_names": [Example({})],
    "trim_strings": [Example({}), Example({"columns": ["cidade"], "empty_as_null": False}, "cidade")],
}

ADAPTER: TypeAdapter[Step] = TypeAdapter(union_of("cleaners"))
CASES = [(kind, at) for kind, examples in EXAMPLES.items() for at in range(len(examples))]
each_example = pytest.mark.parametrize(("kind", "at"), CASES)


def made(kind: str, at: int) -> Step:
    return ADAPTER.validate_python({"kind": kind, **EXAMPLES[kind][at].config})


def test_every_kind_has_an_example() -> None:
    assert sorted(EXAMPLES) == list(kinds("cleaners"))


def plain(table: pa.Table) -> pa.Table:
    types = [f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in table.schema]
    fields = [field.with_type(arrow_type) for field, arrow_type in zip(table.schema, types, strict=True)]
    return table.cast(pa.schema(fields))


def encoded(table: pa.Table) -> pa.Table:
    return pa.table(
        [column.dictionary_encode() if pa.types.is_string(column.type) else column for column in table.columns],
        names=table.column_names,
    )


def outcome(step: Step, table: pa.Table) -> tuple[list[Any], pa.Schema]:
    """What a step says of each row: refused, dropped, or its values; fingerprints for a step that sees all parts."""
    if isinstance(step, FrameStep):
        return [tuple(pair) for pair in step.fingerprint(table).tolist()], step.output_schema(plain(table).schema)
    cleaned = step.apply(table)
    return _rows(cleaned), plain(cleaned.table).schema


def _rows(cleaned: Cleaned) -> list[Any]:
    refused = refused_rows(cleaned.refusals, cleaned.table.num_rows)
    dropped = np.zeros(len(refused), bool) if cleaned.keep is None else ~cleaned.keep
    rows = zip(refused, dropped, cleaned.table.to_pylist(), strict=True)
    return ["refused" if no else "dropped" if gone else repr(row) for no, gone, row in rows]


@each_example
def test_what_comes_out_is_what_was_declared(kind: str, at: int) -> None:
    step = made(kind, at)
    declared = step.output_schema(TABLE.schema)
    assert outcome(step, TABLE)[1] == declared
    assert outcome(step, TABLE.slice(0, 0))[1] == declared
    assert outcome(step, TABLE.schema.empty_table())[1] == declared


@each_example
def test_rows_keep_their_number(kind: str, at: int) -> None:
    assert len(outcome(made(kind, at), TABLE)[0]) == TABLE.num_rows


@each_example
@pytest.mark.parametrize("cuts", [[0, 6], [0, 2, 2, 6], [0, 1, 2, 3, 4, 5, 6]])
def test_parts_can_be_cleaned_apart(kind: str, at: int, cuts: list[int]) -> None:
    step = made(kind, at)
    parts = [TABLE.slice(start, stop - start) for start, stop in pairwise(cuts)]
    assert [row for part in parts for row in outcome(step, part)[0]] == outcome(step, TABLE)[0]
    assert outcome(step, pa.concat_tables(parts))[0] == outcome(step, TABLE)[0]


@each_example
def test_dictionary_columns_give_the_same_answer(kind: str, at: int) -> None:
    step = made(kind, at)
    assert outcome(step, encoded(TABLE)) == outcome(step, TABLE)
    apart = pa.concat_tables([encoded(TABLE.slice(0, 3)), encoded(TABLE.slice(3))])
    assert outcome(step, apart)[0] == outcome(step, TABLE)[0]


@each_example
def test_a_column_of_nulls_is_cleaned(kind: str, at: int) -> None:
    nothing = pa.table([pa.nulls(3, field.type) for field in TABLE.schema], schema=TABLE.schema)
    assert len(outcome(made(kind, at), nothing)[0]) == 3


@each_example
def test_the_part_is_not_edited(kind: str, at: int) -> None:
    before = TABLE.to_pydict(), TABLE.schema
    outcome(made(kind, at), TABLE)
    assert repr((TABLE.to_pydict(), TABLE.schema)) == repr(before)


@each_example
def test_a_step_pickles(kind: str, at: int) -> None:
    step = made(kind, at)
    assert outcome(pickle.loads(pickle.dumps(step)), TABLE) == outcome(step, TABLE)


@each_example
def test_a_config_survives_the_round_trip(kind: str, at: int) -> None:
    step = made(kind, at)
    assert ADAPTER.validate_python(step.model_dump(mode="json", by_alias=True)) == step
    assert ADAPTER.validate_json(step.model_dump_json(by_alias=True)) == step


@each_example
def test_a_step_is_frozen_and_knows_its_options(kind: str, at: int) -> None:
    step = made(kind, at)
    with pytest.raises(ValidationError):
        step.on = "train"
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({**step.model_dump(by_alias=True), "surprise": 1})


@each_example
def test_an_absent_column_is_named_before_and_while_reading(kind: str, at: int) -> None:
    step, needed = made(kind, at), EXAMPLES[kind][at].needed
    if needed is None:
        assert outcome(step, TABLE.drop_columns(["data"]))
        return
    without = TABLE.drop_columns([needed])
    for act in (lambda: step.output_schema(without.schema), lambda: outcome(step, without)):
        with pytest.raises(StepError) as caught:
            act()
        problem = caught.value.problems[0]
        assert needed in problem.what
        assert problem.where.startswith(f"clean step '{kind}'")
        assert problem.advice


@each_example
def test_a_narrowed_step_makes_the_wanted_columns_from_the_needed_ones(kind: str, at: int) -> None:
    step = made(kind, at)
    whole = outcome_columns(step, TABLE)
    for name in step.output_schema(TABLE.schema).names:
        wanted = frozenset([name])
        narrowed = step.narrowed(wanted, TABLE.schema)
        needed = wanted if narrowed is None else narrowed.needs(wanted, TABLE.schema)
        reduced = TABLE.select([n for n in TABLE.column_names if n in needed])
        assert repr(outcome_columns(narrowed, reduced)[name]) == repr(whole[name])


def outcome_columns(step: Step | None, table: pa.Table) -> dict[str, list[Any]]:
    done = table if step is None or isinstance(step, FrameStep) else step.apply(table).table
    return done.to_pydict()
