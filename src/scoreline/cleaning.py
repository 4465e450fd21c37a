"""Cleaning as a whole: steps in order, what they make of a schema and of a part, and what of them prediction needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from scoreline.catalogue import kind_class
from scoreline.cleaners.base import FrameStep, Step
from scoreline.contract import violations
from scoreline.errors import ModelError, Problem, StepError
from scoreline.parts import every_row
from scoreline.refusal import Refusal, refused_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import ModuleType

    from scoreline.contract import Contract
    from scoreline.units import RawPart


class Fingerprints(NamedTuple):
    """What a step that sees all parts needs to know of one: which rows reached it, and what they look like to it."""

    positions: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class CleanPart:
    """A part after cleaning.

    Attributes
    ----------
    table : the rows that are left
    positions : int64, where each of them stood in the part that was given
    refusals : rows that a step refused (positions in the part that was given)
    filtered : how many rows steps dropped on purpose
    hits : rows matched and rows looked up, by join
    fingerprints : what the step that sees all parts needs; None without such a step
    """

    table: pa.Table
    positions: np.ndarray
    refusals: tuple[Refusal, ...] = ()
    filtered: int = 0
    hits: tuple[tuple[str, int, int], ...] = ()
    fingerprints: Fingerprints | None = None


@dataclass(frozen=True)
class Cleaning:
    """Cleaning steps in the order in which they are applied."""

    steps: tuple[Step, ...] = ()

    def at(self, moment: Literal["train", "predict"]) -> Cleaning:
        """The steps that are applied when training, or when predicting."""
        return Cleaning(tuple(step for step in self.steps if step.on in ("both", moment)))

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns after all steps. Raises StepError of the first step that cannot work on what reaches it."""
        return self.schemas(schema)[-1]

    def schemas(self, schema: pa.Schema) -> tuple[pa.Schema, ...]:
        """The columns before the first step and after each."""
        found = [schema]
        for step in self.steps:
            found.append(step.output_schema(found[-1]))
        return tuple(found)

    def feeding(self, wanted: Sequence[str], schema: pa.Schema) -> tuple[Cleaning, frozenset[str]]:
        """The steps that `wanted` columns need, and the columns of `schema` that those need: the backward closure."""
        needed, kept = frozenset(wanted), []
        for step, before in zip(reversed(self.steps), reversed(self.schemas(schema)[:-1]), strict=True):
            narrowed = step.narrowed(needed, before)
            if narrowed is not None:
                kept.append(narrowed)
                needed = narrowed.needs(needed, before)
        return Cleaning(tuple(reversed(kept))), needed

    def origins(self, names: Sequence[str], schema: pa.Schema) -> dict[str, str | None]:
        """What columns after all steps are called in `schema`, before them; None for those that a step computes."""
        known: dict[str, str | None] = {name: name for name in names}
        for step, before in zip(reversed(self.steps), reversed(self.schemas(schema)[:-1]), strict=True):
            renamed = step.renamed(before)
            known = {name: renamed.get(at, at) if at is not None else None for name, at in known.items()}
        return known

    def apply(self, part: pa.Table) -> CleanPart:
        """Clean one part; eager. Every row of it is in the result, refused, or counted as filtered."""
        return self.extend(CleanPart(part, every_row(part.num_rows)))

    def extend(self, done: CleanPart) -> CleanPart:
        """Clean further what is left of a part."""
        for step in self.steps:
            done = _with_fingerprints(step, done) if isinstance(step, FrameStep) else _after(step, done)
        return done

    def judge(self, hits: Iterable[Mapping[str, tuple[int, int]]]) -> None:
        """Let every step judge what was matched in the whole run: rows matched and looked up by join, of all units.

        Raises DataError when it is too little.
        """
        total: dict[str, tuple[int, int]] = {}
        for name, (matched, looked_up) in (pair for unit in hits for pair in unit.items()):
            before = total.get(name, (0, 0))
            total[name] = (before[0] + matched, before[1] + looked_up)
        for step in self.steps:
            step.judge(total)

    def prepared(self, facts: dict[str, Any]) -> Cleaning:
        """The steps with what was found out about the data they join."""
        return Cleaning(tuple(step.prepared(facts) for step in self.steps))

    def surveyed(self) -> Cleaning:
        """The steps with their references found, measured and hashed; eager, reads the references."""
        return self.prepared({})

    def spread(self, folder: str) -> Cleaning:
        """The steps with references too large for memory spread over files below `folder`; eager."""
        return Cleaning(tuple(step.spread(folder) for step in self.steps))

    def reference_hashes(self) -> tuple[str, ...]:
        """The hash of each reference's content, in the order of the steps that read them."""
        return tuple(found for step in self.steps for found in step.reference_hashes())

    def as_json(self) -> list[dict[str, Any]]:
        """The steps as a config spells them."""
        return [step.model_dump(mode="json", by_alias=True) for step in self.steps]


def admitted(raw: RawPart, contract: Contract) -> CleanPart:
    """The rows of a raw part that reading and the contract let pass; the others are refused."""
    refusals = (*raw.refusals, *violations(raw.table, contract))
    kept = ~refused_rows(refusals, raw.table.num_rows)
    table = raw.table if kept.all() else raw.table.filter(pa.array(kept))
    return CleanPart(table, np.flatnonzero(kept), refusals)


def from_json(stored: Sequence[Mapping[str, Any]], modules: Sequence[ModuleType] = ()) -> Cleaning:
    """The cleaning that `Cleaning.as_json` wrote, own kinds from `modules`. Raises ModelError for unknown kinds."""
    steps: list[Any] = []
    problems: list[Problem] = []
    advice = "use the version of scoreline that wrote it, or name your own steps with --module"
    for step in stored:
        found = kind_class("cleaners", step["kind"], modules)
        if found is None:
            problems.append(Problem(f"there is no step of kind '{step['kind']}'", "stored cleaning", advice))
        else:
            steps.append(found.model_validate(step))
    if problems:
        raise ModelError(*problems)
    return Cleaning(tuple(steps))


def _after(step: Step, before: CleanPart) -> CleanPart:
    cleaned = step.apply(before.table)
    if not type(step).__module__.startswith("scoreline."):
        _hold_to_its_word(step, before.table, cleaned.table)
    refused = refused_rows(cleaned.refusals, before.table.num_rows)
    kept = ~refused if cleaned.keep is None else ~refused & cleaned.keep
    return CleanPart(
        table=cleaned.table if kept.all() else cleaned.table.filter(pa.array(kept)),
        positions=before.positions[kept],
        refusals=before.refusals + tuple(_moved(refusal, before.positions) for refusal in cleaned.refusals),
        filtered=before.filtered + int((~kept & ~refused).sum()),
        hits=before.hits + cleaned.hits,
        fingerprints=before.fingerprints,
    )


def _hold_to_its_word(step: Step, part: pa.Table, made: pa.Table) -> None:
    """Raise StepError when a step of the user's own made other rows or columns than it must; ours are tested for it."""
    place = f"clean step '{step.kind}'"
    if made.num_rows != part.num_rows:
        what = f"the step '{step.kind}' made {made.num_rows} rows of {part.num_rows}"
        advice = "return every row of the part in its order, and name those that leave in 'keep' or 'refusals'"
        raise StepError(Problem(what, place, advice))
    announced = {field.name: _plain(field.type) for field in step.output_schema(_plain_schema(part.schema))}
    found = {field.name: _plain(field.type) for field in made.schema}
    wrong = [name for name in announced | found if announced.get(name) != found.get(name)]
    if wrong:
        said, was = announced.get(wrong[0], "nothing"), found.get(wrong[0], "nothing")
        what = f"the step '{step.kind}' announced column '{wrong[0]}' as {said} and made {was}"
        raise StepError(Problem(what, place, "let 'output_schema' say what 'apply' makes, names and types"))


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_type(_plain(field.type)) for field in schema])


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type of values, however they are stored; there is one type of text."""
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if pa.types.is_large_string(plain) or pa.types.is_string_view(plain) else plain


def _with_fingerprints(step: FrameStep, before: CleanPart) -> CleanPart:
    marked = Fingerprints(before.positions, step.fingerprint(before.table))
    return CleanPart(before.table, before.positions, before.refusals, before.filtered, before.hits, marked)


def _moved(refusal: Refusal, positions: np.ndarray) -> Refusal:
    return Refusal(positions[refusal.rows], refusal.reason, refusal.detail, refusal.column, refusal.stage)
