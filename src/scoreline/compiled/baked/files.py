"""A program as files: arrays as ``.npy``, which processes share by mapping them, and a description as JSON."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.baked.checks import check
from scoreline.compiled.baked.finish import Finish
from scoreline.compiled.baked.program import BakedTrees, BakedWeights, Program
from scoreline.compiled.baked.scale import Scale
from scoreline.compiled.baked.slots import Cuts, Feature, Input, Lookup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scoreline.compiled.baked.slots import Slot

PROGRAM = "program.json"
_NPY = ".npy"


def as_files(program: Program) -> dict[str, bytes]:
    """The files of a program by name. Labels, known values and numbers come back exactly as they are."""
    slots, arrays = _slots(program)
    arrays |= _arrays(program)
    described = {
        "inputs": [[each.name, each.kind, each.low, each.high, each.nullable] for each in program.inputs],
        "slots": slots,
        "model": _model(program),
    }
    text = json.dumps(described, ensure_ascii=False, allow_nan=False)
    return {PROGRAM: text.encode(), **{f"{name}{_NPY}": _as_npy(array) for name, array in arrays.items()}}


def _as_npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def _slots(program: Program) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """What describes each slot, and the codes and cuts of all of them one after another."""
    described: list[dict[str, Any]] = []
    codes, cuts = [np.empty(0, np.int64)], [np.empty(0)]
    for slot in program.slots:
        if isinstance(slot, Lookup):
            described.append({"input": slot.input, "values": list(slot.values)})
            codes.append(slot.codes.astype(np.int64))
        elif isinstance(slot, Cuts):
            described.append({"input": slot.input, "cuts": len(slot.cuts), "null": slot.null})
            cuts.append(slot.cuts)
        else:
            described.append({"input": slot.input, "steps": [list(step) for step in slot.scale.steps]})
    return described, {"codes": np.concatenate(codes), "cuts": np.concatenate(cuts)}


def _arrays(program: Program) -> dict[str, np.ndarray]:
    model = program.model
    if isinstance(model, BakedTrees):
        return {**model.walk._asdict(), "start": model.start}
    return dict(model.weights._asdict()) if isinstance(model, BakedWeights) else {}


def _model(program: Program) -> dict[str, Any]:
    model = program.model
    if isinstance(model, BakedWeights):
        return {"kind": "weights", "is_logistic": model.is_logistic, **_labels(model.labels)}
    finish = model.finish if isinstance(model, BakedTrees) else Finish("number")
    return {
        "kind": "trees",
        "choice": finish.choice,
        "link": finish.link,
        "divisor": finish.divisor,
        "by_column": finish.by_column,
        **_labels(finish.labels),
    }


def _labels(labels: np.ndarray | None) -> dict[str, Any]:
    return {} if labels is None else {"labels": labels.tolist(), "dtype": labels.dtype.str}


def from_files(described: bytes, arrays: Mapping[str, np.ndarray]) -> Program:
    """The program in files: the text of `PROGRAM`, and the arrays by name without their suffix.

    Raises ValueError or KeyError for what is no program; so no kernel is ever given an array that leads it astray.
    """
    stored = json.loads(described)
    inputs = tuple(Input(*each) for each in stored["inputs"])
    program = Program(inputs, _read_slots(stored["slots"], arrays), _read_model(stored["model"], arrays))
    check(program)
    return program


def _read_slots(described: list[dict[str, Any]], arrays: Mapping[str, np.ndarray]) -> tuple[Slot, ...]:
    slots: list[Slot] = []
    codes = cuts = 0
    for each in described:
        if "values" in each:
            codes += len(each["values"]) + 1
            mine = arrays["codes"][codes - len(each["values"]) - 1 : codes]
            slots.append(Lookup(each["input"], tuple(each["values"]), mine))
        elif "cuts" in each:
            cuts += each["cuts"]
            slots.append(Cuts(each["input"], arrays["cuts"][cuts - each["cuts"] : cuts], each["null"]))
        else:
            steps = tuple((operation, operand) for operation, operand in each["steps"])
            slots.append(Feature(each["input"], Scale(steps)))
    if (codes, cuts) != (len(arrays["codes"]), len(arrays["cuts"])):
        raise ValueError("other slots than its arrays are for")
    return tuple(slots)


def _read_model(stored: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> BakedTrees | BakedWeights:
    from scoreline.compiled.flat import Walk, Weights

    labels = np.array(stored["labels"], dtype=stored["dtype"]) if "labels" in stored else None
    if stored["kind"] == "weights" and labels is not None:
        weights = Weights(*(arrays[name] for name in Weights._fields))
        return BakedWeights(weights, labels, is_logistic=stored["is_logistic"])
    finish = Finish(stored["choice"], stored["link"], stored["divisor"], labels, by_column=stored["by_column"])
    return BakedTrees(Walk(*(arrays[name] for name in Walk._fields)), arrays["start"], finish)
