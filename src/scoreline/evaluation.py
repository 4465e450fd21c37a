"""Judging a model: sums that add up over parts, bootstrap intervals that depend on no partitioning, and the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from scoreline.errors import Problem
from scoreline.metrics.base import Answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scoreline.metrics.base import Metric

CALIBRATION_BINS = 10
BLOCK_ROWS = 4_096
"""Rows whose weights are made at a time: 6 MB for 200 replicates."""
SLICE_VALUES = 50
"""Values of a slice column that a report shows, the commonest first."""
SLICE_LIMIT = 1_000
"""Slices are for columns with few values; one that has more is left out, and the report says so."""
SLICE_REPLICATES = 50
"""Slices get their intervals from the first replicates only: there are many of them."""

_POISSON_1 = np.cumsum([np.exp(-1.0) / f for f in (1, 1, 2, 6, 24, 120, 720, 5040, 40320)])


class GateRule(BaseModel):
    """A metric that a model must reach before it may predict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = Field(description="Name of a metric that is evaluated.")
    min: float | None = Field(None, description="Smallest value that passes.")
    max: float | None = Field(None, description="Largest value that passes.")
    min_gain: float | None = Field(None, description="How much better than the trivial baseline it must be.")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.min is None and self.max is None and self.min_gain is None:
            raise ValueError("say at least one of min, max, min_gain")
        return self


def bootstrap_weights(hashes: np.ndarray, replicates: int, seed: int) -> np.ndarray:
    """Poisson(1) weight of each row in each bootstrap replicate, float64 (rows, 1 + replicates).

    The first column is ones. A row's weights come from its identity hash alone, so they are the same however the rows
    are cut into parts (the Poisson bootstrap; Chamandy and others, Estimating uncertainty for massive data streams,
    2012).
    """
    start = np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    salts = _mixed(np.arange(1, replicates + 1, dtype=np.uint64) + start)
    draws = _mixed(hashes[:, np.newaxis] ^ salts[np.newaxis, :])
    uniform = (draws >> np.uint64(11)).astype(np.float64) / 2.0**53
    weights = np.searchsorted(_POISSON_1, uniform, side="right").astype(np.float64)
    return np.concatenate([np.ones((len(hashes), 1)), weights], axis=1)


def _mixed(values: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    final: np.ndarray = mixed ^ (mixed >> np.uint64(31))
    return final


@dataclass(frozen=True, eq=False)
class Judged:
    """Rows to judge: what the model answered, what the trivial baseline would have, and which slices they are in.

    Attributes
    ----------
    truth, predicted, baseline, proba, labels : as in `Answers`
    hashes : uint64 identity hash of each row
    slices : by column, the value of each row as text (an object array, None for null)
    """

    truth: np.ndarray
    predicted: np.ndarray
    baseline: np.ndarray
    proba: np.ndarray | None
    labels: tuple[str, ...]
    hashes: np.ndarray
    slices: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Sums:
    """Rows, and the sums over them by family of metrics."""

    rows: int
    by_family: Mapping[str, np.ndarray]

    def __add__(self, other: Sums) -> Sums:
        names = dict.fromkeys([*self.by_family, *other.by_family])
        return Sums(
            self.rows + other.rows,
            {name: np.asarray(self.by_family.get(name, 0.0) + other.by_family.get(name, 0.0)) for name in names},
        )

    def values(self, metric: Metric) -> np.ndarray | None:
        """The metric of each replicate; None when it was not summed up."""
        sums = self.by_family.get(_family(metric))
        return None if sums is None else metric.value(sums)


def _family(metric: Metric) -> str:
    return metric.family or metric.kind


Slices = Mapping[str | None, Sums]
"""Sums by the value of a column."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Everything that judging adds up; tallies of parts add up to the tally of the whole.

    Attributes
    ----------
    model, baseline : sums of the model and of the trivial baseline
    confusion : rows by true and predicted label, float64 (labels, labels); empty for regression
    calibration : by bin of the top probability: rows, sum of the probability, rows that were right
    slices : by column, the sums of the model by value; None for a column with more values than are kept
    """

    model: Sums
    baseline: Sums
    confusion: np.ndarray
    calibration: np.ndarray
    slices: Mapping[str, Slices | None]

    def __add__(self, other: Tally) -> Tally:
        columns = dict.fromkeys([*self.slices, *other.slices])
        return Tally(
            self.model + other.model,
            self.baseline + other.baseline,
            self.confusion + other.confusion,
            self.calibration + other.calibration,
            {column: _joined(self.slices.get(column, {}), other.slices.get(column, {})) for column in columns},
        )


def _joined(left: Slices | None, right: Slices | None) -> Slices | None:
    """The slices of a column over two parts. Whether there are too many values depends on no partitioning."""
    if left is None or right is None:
        return None
    values = dict.fromkeys([*left, *right])
    nothing = Sums(0, {})
    summed = {value: left.get(value, nothing) + right.get(value, nothing) for value in values}
    return summed if len(summed) <= SLICE_LIMIT else None


def in_order(tallies: Iterable[tuple[int, Tally | None]]) -> Tally | None:
    """Add up numbered tallies of parts that come in any order, always in the order of their numbers; None without any.

    So the sum is the same to the last bit, whoever was faster. Memory: the tallies that came before their turn.
    """
    total, turn, early = None, 0, dict[int, Tally | None]()
    for number, found in tallies:
        early[number] = found
        while turn in early:
            following, turn = early.pop(turn), turn + 1
            total = following if total is None else total if following is None else total + following
    return total


def tally(judged: Judged, metrics: Sequence[Metric], replicates: int, seed: int) -> Tally:
    """Add up one part; eager. Memory: the weights of 4,096 rows."""
    total = Tally(Sums(0, {}), Sums(0, {}), _confusion(judged), _calibration(judged), {})
    for rows in _blocks(len(judged.truth)):
        weights = bootstrap_weights(judged.hashes[rows], replicates, seed)
        model = _answers(judged, judged.predicted, judged.proba, rows, weights)
        trivial = _answers(judged, judged.baseline, None, rows, weights)
        total = total + Tally(
            _sums(model, metrics),
            _sums(trivial, [metric for metric in metrics if not metric.needs_proba]),
            np.zeros_like(total.confusion),
            np.zeros_like(total.calibration),
            {column: _sliced(model, values[rows], metrics) for column, values in judged.slices.items()},
        )
    return total


def _blocks(rows: int) -> Iterator[slice]:
    for start in range(0, max(rows, 1), BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, rows))


def _answers(
    judged: Judged, predicted: np.ndarray, proba: np.ndarray | None, rows: slice, weights: np.ndarray
) -> Answers:
    return Answers(judged.truth[rows], predicted[rows], None if proba is None else proba[rows], judged.labels, weights)


def _sums(answers: Answers, metrics: Sequence[Metric]) -> Sums:
    usable = {_family(m): m for m in metrics if answers.proba is not None or not m.needs_proba}
    return Sums(len(answers.truth), {family: metric.sums(answers) for family, metric in usable.items()})


def _sliced(answers: Answers, values: np.ndarray, metrics: Sequence[Metric]) -> Slices | None:
    narrow = [metric for metric in metrics if not metric.wide]
    positions: dict[str | None, list[int]] = {}
    for position, value in enumerate(values.tolist()):
        positions.setdefault(value, []).append(position)
    if len(positions) > SLICE_LIMIT:
        return None
    return {value: _sums(_only(answers, np.array(rows)), narrow) for value, rows in positions.items()}


def _only(answers: Answers, rows: np.ndarray) -> Answers:
    return Answers(
        answers.truth[rows],
        answers.predicted[rows],
        None if answers.proba is None else answers.proba[rows],
        answers.labels,
        answers.weights[rows, : 1 + SLICE_REPLICATES],
    )


def _confusion(judged: Judged) -> np.ndarray:
    count = len(judged.labels)
    table = np.zeros((count, count))
    known = (judged.truth >= 0) & (judged.predicted >= 0) if count else np.zeros(0, dtype=bool)
    if count:
        np.add.at(table, (judged.truth[known], judged.predicted[known]), 1.0)
    return table


def _calibration(judged: Judged) -> np.ndarray:
    table = np.zeros((CALIBRATION_BINS, 3))
    if judged.proba is not None and len(judged.proba):
        top = judged.proba.max(axis=1)
        bins = np.minimum((top * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
        right = judged.predicted == judged.truth
        for column, values in enumerate((np.ones(len(top)), top, right.astype(float))):
            table[:, column] = np.bincount(bins, weights=values, minlength=CALIBRATION_BINS)
    return table


def report(total: Tally, metrics: Sequence[Metric], labels: Sequence[str]) -> dict[str, Any]:
    """The evaluation as JSON values: metrics with 95 % intervals, the baseline, confusion, calibration, slices."""
    found: dict[str, Any] = {
        "rows": total.model.rows,
        "metrics": _values(total.model, metrics),
        "baseline": {"metrics": _values(total.baseline, metrics)},
        "slices": _slices(total, metrics),
    }
    if labels:
        found["confusion"] = {"labels": list(labels), "rows": total.confusion.astype(int).tolist()}
    if total.calibration[:, 0].any():
        found["calibration"] = _calibration_table(total.calibration)
    return found


def _values(sums: Sums, metrics: Sequence[Metric]) -> dict[str, dict[str, float | bool | None]]:
    found = {metric: values for metric in metrics if (values := sums.values(metric)) is not None}
    return {
        metric.kind: {**_with_interval(values), "greater_is_better": metric.greater_is_better}
        for metric, values in found.items()
    }


def _with_interval(values: np.ndarray) -> dict[str, float | None]:
    low, high = interval(values[1:])
    return {"value": _number(values[0]), "low": low, "high": high}


def interval(replicates: np.ndarray) -> tuple[float | None, float | None]:
    """The 95 % percentile interval of bootstrap replicates; None where there are none.

    >>> interval(np.arange(101.0))
    (2.5, 97.5)
    """
    defined = replicates[np.isfinite(replicates)]
    if not len(defined):
        return None, None
    low, high = np.quantile(defined, [0.025, 0.975])
    return float(low), float(high)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _slices(total: Tally, metrics: Sequence[Metric]) -> dict[str, dict[str, Any]]:
    return {column: _slice_column(slices, metrics) for column, slices in total.slices.items()}


def _slice_column(slices: Slices | None, metrics: Sequence[Metric]) -> dict[str, Any]:
    if slices is None:
        return {"values": None, "note": f"left out: the column has more than {SLICE_LIMIT} values", "shown": []}
    ordered = sorted(slices.items(), key=lambda item: (-item[1].rows, str(item[0])))
    shown = [
        {"value": value, "rows": sums.rows, "metrics": _values(sums, metrics)} for value, sums in ordered[:SLICE_VALUES]
    ]
    return {"values": len(slices), "shown": shown}


def _calibration_table(sums: np.ndarray) -> list[dict[str, float | int]]:
    return [
        {"rows": int(rows), "mean_probability": float(probability / rows), "share_right": float(right / rows)}
        for rows, probability, right in sums
        if rows
    ]


def failed_rules(found: Mapping[str, Any], rules: Sequence[GateRule]) -> list[Problem]:
    """The rules of the gate that a report does not pass, as problems; empty when it passes all."""
    failed = ((number, what) for number, rule in enumerate(rules) if (what := _failed(found, rule)))
    advice = "improve the model or change the gate; the bundle and its metrics are kept, and nothing was predicted"
    return [
        Problem(f"the gate refuses the model: {what}", f"$.evaluate.gate[{number}]", advice) for number, what in failed
    ]


def _failed(found: Mapping[str, Any], rule: GateRule) -> str | None:
    reached = found.get("metrics", {}).get(rule.metric, {})
    value = reached.get("value")
    if value is None:
        return f"{rule.metric} was not evaluated, or is not defined"
    if rule.min is not None and value < rule.min:
        return f"{rule.metric} is {value:.4g}, and the gate asks for {rule.min:g} at least"
    if rule.max is not None and value > rule.max:
        return f"{rule.metric} is {value:.4g}, and the gate asks for {rule.max:g} at most"
    trivial = found.get("baseline", {}).get("metrics", {}).get(rule.metric, {}).get("value")
    if rule.min_gain is not None:
        gain = None if trivial is None else (value - trivial) * (1 if reached["greater_is_better"] else -1)
        if gain is None or gain < rule.min_gain:
            return f"{rule.metric} gains {gain} on the baseline, and the gate asks for {rule.min_gain:g}"
    return None
