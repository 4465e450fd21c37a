"""What must hold for every index in a program's arrays: kernels look nowhere else, and always come to an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoreline.compiled.baked.program import BakedTrees, BakedWeights
from scoreline.compiled.baked.slots import Cuts, Feature, Lookup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scoreline.compiled.baked.finish import Finish
    from scoreline.compiled.baked.program import Program
    from scoreline.compiled.flat import Walk, Weights

_WALK = {"nodes": "u8", "roots": "u8", "leaf": "u4", "first": "i8", "place": "u2", "value": "f8"}
_WEIGHTS = {"first": "i8", "operation": "i8", "operand": "f8", "intercept": "f8"}
_TABLES = {"table": "f8", "coef": "f8"}


def check(program: Program) -> None:
    """Raise ValueError when some index leads out of an array, or nodes run in a circle."""
    model = program.model
    if isinstance(model, BakedTrees):
        _check_trees(program, model)
    elif isinstance(model, BakedWeights):
        _check_weights(program, model)


def _hold(*conditions: bool | np.bool_) -> None:
    if not all(conditions):
        raise ValueError("arrays that do not belong together")


def _types(given: Iterable[tuple[np.ndarray, str]], dimensions: int) -> None:
    _hold(*(array.dtype == np.dtype(kind) and array.ndim == dimensions for array, kind in given))


def _check_slots(program: Program, most: int) -> None:
    """Codes must be at most `most`."""
    for slot in program.slots:
        _hold(0 <= slot.input < len(program.inputs))
        if isinstance(slot, Lookup):
            _types([(slot.codes, "i8")], 1)
            _hold(len(slot.codes) == len(slot.values) + 1, slot.codes.min() >= -1, slot.codes.max() <= most)
        elif isinstance(slot, Cuts):
            _types([(slot.cuts, "f8")], 1)
            in_order = bool((slot.cuts[1:] >= slot.cuts[:-1]).all())
            _hold(-1 <= slot.null <= most, len(slot.cuts) <= most, in_order)


def _check_trees(program: Program, model: BakedTrees) -> None:
    walk = model.walk
    _types(((getattr(walk, name), kind) for name, kind in _WALK.items()), 1)
    _types([(model.start, "f8")], 1)
    _check_slots(program, 0xFFFF)
    _hold(not any(isinstance(slot, Feature) for slot in program.slots))
    _check_nodes(walk, len(program.slots))
    leaves = len(walk.first) - 1
    _hold(leaves >= 1, walk.leaf.max() < leaves, walk.first[0] == 0, bool((np.diff(walk.first) >= 0).all()))
    _hold(walk.first[-1] == len(walk.value) == len(walk.place))
    _hold(not len(walk.place) or walk.place.max() < len(model.start))
    _check_finish(model.finish, len(model.start))


def _check_nodes(walk: Walk, slots: int) -> None:
    """Children come after their parents, and a leaf is its own child whatever the code is."""
    count = len(walk.nodes)
    _hold(count > 0, len(walk.leaf) == count, len(walk.roots) > 0, walk.roots.max() < count)
    own, left = np.arange(count), (walk.nodes >> np.uint64(40)).astype(np.int64)
    span = walk.nodes & np.uint64(0xFFFF)
    leaf = left == own
    _hold(bool((leaf | (left > own)).all()), bool((span[leaf] == 0xFFFF).all()))
    _hold(bool((left[~leaf] + 1 < count).all()), int(((walk.nodes >> np.uint64(32)) & np.uint64(0xFF)).max()) < slots)


def _check_finish(finish: Finish, scores: int) -> None:
    labels = 0 if finish.labels is None else len(finish.labels)
    _hold(finish.divisor > 0, scores == 1 or finish.choice == "largest", scores > 0)
    if finish.choice != "number":
        _hold(labels == (scores if finish.choice == "largest" else 2))


def _check_weights(program: Program, model: BakedWeights) -> None:
    weights: Weights = model.weights
    _types(((getattr(weights, name), kind) for name, kind in _WEIGHTS.items()), 1)
    _types(((getattr(weights, name), kind) for name, kind in _TABLES.items()), 2)
    classes, features = len(weights.intercept), sum(isinstance(slot, Feature) for slot in program.slots)
    _check_slots(program, len(weights.table) - 1)
    _hold(classes >= 1, weights.table.shape[1] == classes + 2, weights.coef.shape == (features, classes))
    _hold(len(model.labels) == max(2, classes), len(weights.first) == features + 1, weights.first[0] == 0)
    _hold(
        bool((np.diff(weights.first) >= 0).all()), weights.first[-1] == len(weights.operand) == len(weights.operation)
    )
