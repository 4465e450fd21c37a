"""From a fitted pipeline to a program: every value that it knows is encoded, every threshold moved to its column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.baked.finishes import finish_of, labels_of
from scoreline.compiled.baked.program import BakedTrees, BakedWeights, Program
from scoreline.compiled.baked.scales import scales_of
from scoreline.compiled.baked.slots import LEFT_OUT, Cuts, Feature, Input, Lookup, kind_of
from scoreline.compiled.baked.thresholds import limits, on_column, range_of
from scoreline.compiled.baked.values import encoded
from scoreline.compiled.dictionary import Declined
from scoreline.compiled.linear import LinearModel, compile_linear
from scoreline.compiled.matrix import Encoding, layout_of
from scoreline.compiled.packing import as_walk
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.rank_kernel import NAN
from scoreline.compiled.tree_model import TreeModel, compile_trees
from scoreline.compiled.trees import is_made_of_trees
from scoreline.compiled.way import no_look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from scoreline.compiled.baked.scale import Scale
    from scoreline.compiled.baked.slots import Slot
    from scoreline.compiled.baked.values import Encoded
    from scoreline.compiled.dictionary import MakeFrame
    from scoreline.compiled.plan import Branch, Plan

    Key = tuple[int, int | None, int | None]
    """The branch of a slot, its column in there (None for numbers), and its feature, as in `Numbered`."""


@dataclass(frozen=True, eq=False)
class Oven:
    """What baking needs: a plan, its input columns, real rows that scikit-learn answers, the compiled model.

    `cast` turns a scaled number into the one that the model compares.
    """

    plan: Plan
    schema: pa.Schema
    encoding: Encoding
    real: pa.Table
    compiled: TreeModel | LinearModel

    def cast(self, values: np.ndarray) -> np.ndarray:
        """Scaled numbers as the model sees them."""
        return self.compiled.ranks.cast(values) if isinstance(self.compiled, TreeModel) else values


def bake(plan: Plan | NotCompilable, schema: pa.Schema, frame: MakeFrame, real: pa.Table) -> Program | NotCompilable:
    """The program of a plan, not proven yet; or why there is none. `real` are rows that scikit-learn answers. Eager."""
    if isinstance(plan, NotCompilable):
        return plan
    if plan.after or plan.as_array:
        return NotCompilable("a step that takes the whole matrix follows, or there are no column names")
    if not real.num_rows:
        return NotCompilable("no rows to prove it on")
    try:
        return _baked(plan, schema, frame, real)
    except Declined as why:
        return NotCompilable(str(why))


def _baked(plan: Plan, schema: pa.Schema, frame: MakeFrame, real: pa.Table) -> Program | NotCompilable:
    encoding = Encoding(plan, schema, frame, no_look_up)
    blocks = encoding.blocks(real)
    layout = layout_of(blocks, encoding.stacked(blocks, real.num_rows))
    compiled = compile_trees(plan, layout) if is_made_of_trees(plan.model) else compile_linear(plan, layout)
    if isinstance(compiled, NotCompilable):
        return compiled
    if not isinstance(compiled, TreeModel | LinearModel):
        return NotCompilable(f"{type(plan.model).__name__} has no stored form")
    oven = Oven(plan, schema, encoding, real, compiled)
    return _with_trees(oven, compiled) if isinstance(compiled, TreeModel) else _with_weights(oven, compiled)


def _numbers(oven: Oven) -> dict[int, list[Scale]]:
    """The branches of numbers, each with the scale of each of its columns. Raises Declined for any other."""
    made = {}
    for number, branch in enumerate(oven.plan.branches):
        if branch.widths is None:
            scales = None if branch.flat else scales_of(branch.steps, len(branch.columns))
            if scales is None or not _is_equal(oven, branch, scales):
                names = ", ".join(type(step).__name__ for step in branch.steps)
                raise Declined(f"{names or 'a branch'}: not a number for each number, in the same order")
            made[number] = scales
    return made


def _is_equal(oven: Oven, branch: Branch, scales: list[Scale]) -> bool:
    """Whether the scales make what the transformer makes of the real rows."""
    from scoreline.compiled.baked.reading import as_numbers

    expected = np.asarray(oven.encoding.called(branch, oven.real))
    made = [scale(as_numbers(oven.real[name])) for name, scale in zip(branch.columns, scales, strict=True)]
    return expected.shape == (oven.real.num_rows, len(made)) and np.array_equal(
        np.asarray(expected, np.float64), np.stack(made, axis=1), equal_nan=True
    )


def _inputs(oven: Oven, scales: dict[int, list[Scale]]) -> tuple[Input, ...]:
    """The columns, each with the narrowest limits that its numbers have in any branch."""
    made: dict[str, Input] = {}
    for number, branch in enumerate(oven.plan.branches):
        for place, name in enumerate(branch.columns):
            found = _input(oven, name, scales[number][place] if number in scales else None)
            before = made.get(name, found)
            made[name] = replace(found, low=max(found.low, before.low), high=min(found.high, before.high))
    every = (made[name] if name in made else _input(oven, name, None) for name in oven.schema.names)
    return tuple(replace(each, nullable=_allows_null(oven, number)) for number, each in enumerate(every))


def _idle(oven: Oven) -> list[Slot]:
    """Slots for columns that no branch takes: they too are held to their types."""
    used = {name for branch in oven.plan.branches for name in branch.columns}
    slots: list[Slot] = []
    for column, field in enumerate(oven.schema):
        if field.name not in used:
            text = kind_of(field.type) == "text"
            slots.append(Lookup(column, (None,), np.zeros(2, np.int64)) if text else Cuts(column, np.empty(0), 0))
    return slots


def _input(oven: Oven, name: str, scale: Scale | None) -> Input:
    arrow_type = oven.schema.field(name).type
    kind = kind_of(arrow_type)
    if kind is None or (scale is not None and kind == "text"):
        raise Declined(f"column '{name}' is {arrow_type}")
    if scale is None:
        return Input(name, kind, *range_of(arrow_type, kind))
    found = limits(name, arrow_type, kind, lambda values: oven.cast(scale(values)))
    if found is None:
        raise Declined(f"column '{name}' leads to infinite numbers")
    return found


def _encoded(oven: Oven, inputs: tuple[Input, ...]) -> Iterator[tuple[int, int, int, Encoded]]:
    """For each encoded column its branch, its place in there, the number of the input, and what its values become."""
    row = oven.real.slice(0, 1)
    for number, branch in enumerate(oven.plan.branches):
        for place, name in enumerate(branch.columns if branch.widths is not None else ()):
            column = oven.schema.get_field_index(name)
            found = encoded(oven.encoding, branch, place, inputs[column], row)
            if found is None:
                raise Declined(f"column '{name}' has too many values")
            yield number, place, column, found


def _with_trees(oven: Oven, model: TreeModel) -> Program | NotCompilable:
    finish = finish_of(oven.plan.model)
    if isinstance(finish, NotCompilable):
        return finish
    if any(column.goes_on for column in model.ranks.columns):
        return NotCompilable("more thresholds of a feature than one column of codes has room for")
    scales = _numbers(oven)
    inputs = _inputs(oven, scales)
    made = {**_lookups(oven, model, inputs), **_ranks(oven, model, inputs, scales)}
    # A node names its column of codes by place: those that nodes ask for come first, in their order.
    asked = [(each.branch, each.place, each.feature) for each in model.ranks.columns]
    others = [slot for key, slot in made.items() if key not in set(asked)]
    walk = as_walk(model.ensemble.trees, model.ranks)
    baked = BakedTrees(walk, np.asarray(model.ensemble.start, np.float64), finish)
    return Program(inputs, (*(made[key] for key in asked), *others, *_idle(oven)), baked)


def _lookups(oven: Oven, model: TreeModel, inputs: tuple[Input, ...]) -> dict[Key, Slot]:
    """The slots of encoded columns; a column that no node asks for has one too, since its values may be refused."""
    slots: dict[Key, Slot] = {}
    for number, place, column, found in _encoded(oven, inputs):
        asked = [each for each in model.ranks.columns if (each.branch, each.place) == (number, place)]
        refused, *codes = _codes(found, partial(model.derive, number, place), 1 + len(asked))
        keys: list[Key] = [(each.branch, each.place, each.feature) for each in asked] or [(number, place, LEFT_OUT)]
        for key, mine in zip(keys, codes or [np.zeros_like(refused)], strict=True):
            slots[key] = Lookup(column, found.values, np.where(refused == 0, mine, LEFT_OUT))
    return slots


def _ranks(oven: Oven, model: TreeModel, inputs: tuple[Input, ...], scales: dict[int, list[Scale]]) -> dict[Key, Slot]:
    """The slots of numbers; one that no node asks for has no thresholds."""
    slots: dict[Key, Slot] = {}
    for number, places in scales.items():
        for place, scale in enumerate(places):
            column = oven.schema.get_field_index(oven.plan.branches[number].columns[place])
            slots[number, None, place] = _cuts(oven, model, inputs[column], (number, place, column), scale)
    return slots


def _codes(found: Encoded, derive: Callable[[Any], np.ndarray], width: int) -> np.ndarray:
    """What is looked up for all values, int64 (width, values); the first row is 1 where scikit-learn refuses."""
    refused = np.ones((1, width), np.int64)
    pieces = [
        np.repeat(refused, count, axis=0) if block is None else np.asarray(derive(block), np.int64)
        for count, block in found.pieces
    ]
    return np.concatenate(pieces).T


def _cuts(oven: Oven, model: TreeModel, given: Input, at: tuple[int, int, int], scale: Scale) -> Cuts:
    number, place, column = at
    asked = [
        each.cuts for each in model.ranks.columns if (each.branch, each.place, each.feature) == (number, None, place)
    ]
    cuts = asked[0] if asked else np.empty(0)

    def scaled(values: np.ndarray) -> np.ndarray:
        return oven.cast(scale(values))

    return Cuts(column, on_column(cuts, scaled, given), _null(model, scaled(np.array([np.nan]))[0], cuts))


def _null(model: TreeModel, scaled: float, cuts: np.ndarray) -> int:
    """The code of NaN and null, which is `scaled` to the model."""
    if not np.isnan(scaled):
        return int(np.searchsorted(cuts, scaled))
    return NAN if model.ensemble.takes_nan else LEFT_OUT


def _allows_null(oven: Oven, column: int) -> bool:
    field = oven.schema.field(column)
    return bool(field.nullable or kind_of(field.type) not in ("whole", "bool"))


def _with_weights(oven: Oven, model: LinearModel) -> Program | NotCompilable:
    from scoreline.compiled.flat import Weights

    labels = labels_of(oven.plan.model)
    if labels is None or isinstance(labels, NotCompilable):
        return labels or NotCompilable("a linear model without classes")
    scales = _numbers(oven)
    inputs = _inputs(oven, scales)
    lookups, table = _table(oven, model, inputs)
    features = [(number, place, scale) for number, places in scales.items() for place, scale in enumerate(places)]
    slots = [Feature(oven.schema.get_field_index(oven.plan.branches[n].columns[place]), s) for n, place, s in features]
    coef = np.array([model.coef[model.starts[n][0] + place] for n, place, _ in features])
    steps = [step for _, _, scale in features for step in scale.steps]
    weights = Weights(
        table,
        np.cumsum([0, *(len(scale.steps) for _, _, scale in features)]),
        np.array([operation for operation, _ in steps], np.int64),
        np.array([operand for _, operand in steps], np.float64),
        np.ascontiguousarray(coef.reshape(-1, model.coef.shape[1])),
        np.array(model.intercept, np.float64),
    )
    is_logistic = type(oven.plan.model).__name__ == "LogisticRegression"
    return Program(inputs, (*lookups, *slots, *_idle(oven)), BakedWeights(weights, labels, is_logistic=is_logistic))


def _table(oven: Oven, model: LinearModel, inputs: tuple[Input, ...]) -> tuple[list[Lookup], np.ndarray]:
    """The slots of encoded columns, and the rows that their codes count; the first one adds nothing."""
    lookups = []
    rows = [np.zeros((1, model.coef.shape[1] + 2))]
    for number, place, column, found in _encoded(oven, inputs):
        codes: list[int] = []
        for count, block in found.pieces:
            start = sum(map(len, rows))
            codes += [LEFT_OUT] * count if block is None else range(start, start + count)
            rows += [] if block is None else [model.added(number, place, block)]
        lookups.append(Lookup(column, found.values, np.array(codes, np.int64)))
    return lookups, np.ascontiguousarray(np.concatenate(rows), np.float64)
