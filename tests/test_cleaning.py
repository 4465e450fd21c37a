"""Cleaning as a whole: every row is kept, refused or filtered, and prediction gets the steps that it needs."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreline.cleaners.base import Cleaned, Step
from scoreline.cleaners.derive import Derive
from scoreline.cleaners.drop_duplicates import DropDuplicates
from scoreline.cleaners.filter_rows import FilterRows
from scoreline.cleaners.parse_numbers import ParseNumbers
from scoreline.cleaners.rename import Rename
from scoreline.cleaners.trim_strings import TrimStrings
from scoreline.cleaning import Cleaning, admitted, from_json
from scoreline.contract import Contract, Rule
from scoreline.errors import ModelError, StepError
from scoreline.refusal import Reason, Refusal, refused_rows
from scoreline.units import RawPart

STEPS = Cleaning(
    (
        TrimStrings(),
        Rename(columns={"Valor": "amount"}),
        ParseNumbers(columns=("amount",), decimal=","),
        FilterRows(where="amount >= 0"),
        Derive(columns={"double": "amount * 2"}),
    )
)
AMOUNTS = st.lists(st.sampled_from(["1,5", " 2 ", "-1", "x", None, "0"]), max_size=25)


def part(values: list[str | None]) -> pa.Table:
    return pa.table({"Valor": pa.array(values, pa.string()), "city": pa.array(["a "] * len(values), pa.string())})


@settings(max_examples=40, deadline=None)
@given(AMOUNTS)
def test_every_row_is_left_refused_or_filtered(values: list[str | None]) -> None:
    cleaned = STEPS.apply(part(values))
    refused = refused_rows(cleaned.refusals, len(values))
    assert np.flatnonzero(refused).tolist() == [row for row, value in enumerate(values) if value == "x"]
    assert cleaned.positions.tolist() == [row for row, value in enumerate(values) if value in ("1,5", " 2 ", "0")]
    assert cleaned.filtered == sum(value in ("-1", None) for value in values)


@settings(max_examples=40, deadline=None)
@given(AMOUNTS, st.data())
def test_a_part_cleaned_in_pieces_is_the_same(values: list[str | None], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(values)))
    whole = STEPS.apply(part(values))
    pieces = [STEPS.apply(part(values[:cut])), STEPS.apply(part(values[cut:]))]
    assert pa.concat_tables([piece.table for piece in pieces]).to_pylist() == whole.table.to_pylist()
    assert np.concatenate([pieces[0].positions, pieces[1].positions + cut]).tolist() == whole.positions.tolist()
    assert sum(piece.filtered for piece in pieces) == whole.filtered


def test_the_columns_that_come_out_are_those_that_were_announced() -> None:
    values = part(["1,5", "x"])
    assert STEPS.apply(values).table.schema.equals(STEPS.output_schema(values.schema))


def test_the_given_part_stays_as_it_was() -> None:
    values = part(["1,5", None, "x"])
    before = values.to_pylist()
    STEPS.apply(values)
    assert values.to_pylist() == before


def test_refusals_after_a_filter_name_positions_in_the_part_that_was_given() -> None:
    steps = Cleaning((FilterRows(where="city != 'gone'"), ParseNumbers(columns=("Valor",))))
    values = pa.table({"Valor": ["x", "1", "y", "2", "z"], "city": ["gone", "a", "a", "gone", "a"]})
    cleaned = steps.apply(values)
    assert [refusal.rows.tolist() for refusal in cleaned.refusals] == [[2, 4]]
    assert (cleaned.positions.tolist(), cleaned.filtered) == ([1], 2)


def test_a_row_that_is_refused_does_not_count_as_filtered() -> None:
    class Both(Step):
        kind: Literal["both_ways"] = "both_ways"

        def output_schema(self, schema: pa.Schema) -> pa.Schema:
            return schema

        def apply(self, part: pa.Table) -> Cleaned:
            return Cleaned(part, (Refusal(np.array([0]), Reason.BAD_VALUE, ""),), keep=np.array([False, False, True]))

    cleaned = Cleaning((Both(),)).apply(pa.table({"x": [1, 2, 3]}))
    assert (cleaned.positions.tolist(), cleaned.filtered) == ([2], 1)


def test_no_steps_leave_the_part_alone() -> None:
    values = part(["1", "2"])
    cleaned = Cleaning().apply(values)
    assert cleaned.table is values
    assert cleaned.positions.tolist() == [0, 1]


def test_the_step_that_sees_all_parts_is_told_of_the_rows_that_reach_it() -> None:
    steps = Cleaning((FilterRows(where="x > 0"), DropDuplicates(columns=("x",)), FilterRows(where="x < 9")))
    cleaned = steps.apply(pa.table({"x": [5, -1, 9, 5]}))
    assert cleaned.fingerprints is not None
    assert cleaned.fingerprints.positions.tolist() == [0, 2, 3]
    assert (cleaned.fingerprints.values[0] == cleaned.fingerprints.values[2]).all()
    assert cleaned.positions.tolist() == [0, 3]


def test_steps_that_drop_rows_are_for_training_unless_they_say_so() -> None:
    steps = Cleaning((TrimStrings(), FilterRows(where="x"), FilterRows(where="x", on="both"), TrimStrings(on="train")))
    assert [step.kind for step in steps.at("predict").steps] == ["trim_strings", "filter_rows"]
    assert len(steps.at("train").steps) == 4


class Unreliable(Step):
    """Make something else than it announces."""

    kind: Literal["unreliable"] = "unreliable"
    made: dict[str, list[Any]]

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        return schema

    def apply(self, part: pa.Table) -> Cleaned:
        return Cleaned(pa.table(self.made))


@pytest.mark.parametrize(
    ("made", "what"),
    [
        ({"n": [1]}, "made 1 rows of 2"),
        ({"n": ["a", "b"]}, "announced column 'n' as int64 and made string"),
        ({"n": [1, 2], "m": [1, 2]}, "announced column 'm' as nothing and made int64"),
        ({"m": [1, 2]}, "announced column 'n' as int64 and made nothing"),
    ],
)
def test_an_own_step_is_held_to_what_it_announces(made: dict[str, list[Any]], what: str) -> None:
    with pytest.raises(StepError, match=f"the step 'unreliable' {what}"):
        Cleaning((Unreliable(made=made),)).apply(pa.table({"n": [1, 2]}))
    assert Cleaning((Unreliable(made={"n": [3, 4]}),)).apply(pa.table({"n": [1, 2]})).table.num_rows == 2


def test_a_step_that_cannot_work_is_named_with_what_reaches_it() -> None:
    with pytest.raises(StepError, match="valr"):
        Cleaning((Rename(columns={"Valor": "amount"}), ParseNumbers(columns=("valr",)))).output_schema(part([]).schema)


def test_only_steps_that_feed_wanted_columns_stay() -> None:
    schema = pa.schema([(name, pa.string()) for name in ("a", "b", "target", "unused")])
    steps = Cleaning(
        (
            TrimStrings(),
            ParseNumbers(columns=("a", "target")),
            Rename(columns={"b": "B", "target": "y"}),
            Derive(columns={"c": "a * 2", "d": "length(unused)"}),
        )
    )
    kept, needed = steps.feeding(["c", "B"], schema)
    assert needed == {"a", "b"}
    assert kept.as_json()[1]["columns"] == ["a"]
    values = pa.table({"a": [" 1 "], "b": [" x"]})
    assert kept.apply(values).table.select(["c", "B"]).to_pylist() == [{"c": 2.0, "B": "x"}]


def test_what_was_narrowed_gives_the_wanted_columns_as_all_steps_do() -> None:
    values = part(["1,5", " 2 ", "-1", None])
    kept, needed = STEPS.feeding(["double"], values.schema)
    assert needed == {"Valor"}
    narrowed = kept.apply(values.select(list(needed))).table["double"]
    assert narrowed.to_pylist() == STEPS.apply(values).table["double"].to_pylist()


def test_without_wanted_columns_only_steps_that_drop_rows_stay() -> None:
    kept, needed = STEPS.feeding([], part([]).schema)
    assert needed == {"Valor"}
    assert [step.kind for step in kept.steps][-1] == "filter_rows"


def test_cleaning_survives_storage() -> None:
    again = from_json(STEPS.as_json())
    assert again == STEPS
    assert again.apply(part(["1,5", "x"])).table.to_pylist() == STEPS.apply(part(["1,5", "x"])).table.to_pylist()


def test_own_steps_come_from_the_modules_that_define_them(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("my_steps")
    monkeypatch.setitem(sys.modules, "my_steps", module)
    source = (
        "from scoreline.cleaners.base import Step\nclass Halve(Step):\n    kind: str = 'halve'\n    by: float = 2\n"
    )
    exec(source, vars(module))  # noqa: S102
    stored: list[dict[str, object]] = [{"kind": "halve", "by": 4}, {"kind": "trim_strings"}]
    assert from_json(stored, [module]).steps == (vars(module)["Halve"](by=4), TrimStrings())
    with pytest.raises(ModelError, match="no step of kind 'halve'"):
        from_json(stored)


def test_rows_that_reading_or_the_contract_refuses_are_not_admitted() -> None:
    table = pa.table({"x": [1.0, None, -1.0, 2.0]})
    files = pa.array(["f"] * 4).dictionary_encode()
    unreadable = Refusal(np.array([1]), Reason.BAD_VALUE, "not a number", "x", "read")
    raw = RawPart(table, files, np.arange(4), (unreadable,), table)
    done = admitted(raw, Contract(table.schema, {"x": Rule(nullable=False, min=0.0)}))
    assert (done.table.to_pylist(), done.positions.tolist()) == ([{"x": 1.0}, {"x": 2.0}], [0, 3])
    assert [(refusal.reason, refusal.rows.tolist()) for refusal in done.refusals] == [
        (Reason.BAD_VALUE, [1]),
        (Reason.NULL_NOT_ALLOWED, [1]),
        (Reason.BELOW_MINIMUM, [2]),
    ]
