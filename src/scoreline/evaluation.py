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
    from collections.abc import Iterator, Sequence

    from scoreline.metrics.base import Metric

CALIBRATION_BINS = 10
BLOCK_ROWS = 4_096
"""Rows whose weights are made at a time: 6 MB for 200 replicates."""
SLICE_VALUES = 50
"""Values of a slice column that a report shows, the commonest first."""
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
    """Poisson(1) weight of each row in each bootstrap replicate, float64 (rows, 1 + replicates); the first column is ones.

    A row's weights come from its identity hash alone, so they are the same however the rows are cut into parts
    (the Poisson bootstrap; Chamandy and others, Estimating uncertainty for massive data streams, 2012).
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
    """Rows, and each metric's sums over them by its kind."""

    rows: int
    by_metric: Mapping[str, np.ndarray]

    def __add__(self, other: Sums) -> Sums:
        names = dict.fromkeys([*self.by_metric, *other.by_metric])
        return Sums(
            self.rows + other.rows,
            {name: self.by_metric.get(name, 0.0) + other.by_metric.get(name, 0.0) for name in names},
        )


@dataclass(frozen=True, eq=False)
class Tally:
    """Everything that judging adds up; tallies of parts add up to the tally of the whole.

    Attributes
    ----------
    model, baseline : sums of the model and of the trivial baseline
    confusion : rows by true and predicted label, float64 (labels, labels); empty for regression
    calibration : by bin of the top probability: rows, sum of the probability, rows that were right
    slices : sums of the model by (column, value)
    """

    model: Sums
    baseline: Sums
    confusion: np.ndarray
    calibration: np.ndarray
    slices: Mapping[tuple[str, str | None], Sums]

    def __add__(self, other: Tally) -> Tally:
        names = dict.fromkeys([*self.slices, *other.slices])
        nothing = Sums(0, {})
        return Tally(
            self.model + other.model,
            self.baseline + other.baseline,
            self.confusion + other.confusion,
            self.calibration + other.calibration,
            {name: self.slices.get(name, nothing) + other.slices.get(name, nothing) for name in names},
        )


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
            _sliced(model, {column: values[rows] for column, values in judged.slices.items()}, metrics),
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
    usable = [metric for metric in metrics if answers.proba is not None or not metric.needs_proba]
    return Sums(len(answers.truth), {metric.kind: metric.sums(answers) for metric in usable})


def _sliced(
    answers: Answers, slices: Mapping[str, np.ndarray], metrics: Sequence[Metric]
) -> dict[tuple[str, str | None], Sums]:
    found = {}
    for column, values in slices.items():
        for value in dict.fromkeys(values.tolist()):
            rows = np.asarray(values == value, dtype=bool)
            part = Answers(
                answers.truth[rows],
                answers.predicted[rows],
                None if answers.proba is None else answers.proba[rows],
                answers.labels,
                answers.weights[rows, : 1 + SLICE_REPLICATES],
            )
            found[column, value] = _sums(part, metrics)
    return found


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
    """The evaluation as JSON values: metrics with 95 % intervals, the baseline beside them, confusion, calibration, slices."""
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
    return {
        metric.kind: {
            **_with_interval(metric.value(sums.by_metric[metric.kind])),
            "greater_is_better": metric.greater_is_better,
        }
        for metric in metrics
        if metric.kind in sums.by_metric
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


def _slices(total: Tally, metrics: Sequence[Metric]) -> dict[str, list[dict[str, Any]]]:
    by_column: dict[str, list[dict[str, Any]]] = {}
    ordered = sorted(total.slices.items(), key=lambda item: (-item[1].rows, str(item[0])))
    for (column, value), sums in ordered:
        shown = by_column.setdefault(column, [])
        if len(shown) < SLICE_VALUES:
            shown.append({"value": value, "rows": sums.rows, "metrics": _values(sums, metrics)})
    return by_column


def _calibration_table(sums: np.ndarray) -> list[dict[str, float | int]]:
    return [
        {"rows": int(rows), "mean_probability": float(probability / rows), "share_right": float(right / rows)}
        for rows, probability, right in sums
        if rows
    ]


def failed_rules(found: Mapping[str, Any], rules: Sequence[GateRule]) -> list[Problem]:
    """The rules of the gate that a report does not pass, as problems; empty when it passes all."""
    return [problem for rule in rules if (problem := _failed(found, rule)) is not None]


def _failed(found: Mapping[str, Any], rule: GateRule) -> Problem | None:
    reached = found.get("metrics", {}).get(rule.metric, {})
    value = reached.get("value")
    if value is None:
        return _refused(rule, f"{rule.metric} was not evaluated, or is not defined")
    if rule.min is not None and value < rule.min:
        return _refused(rule, f"{rule.metric} is {value:.4g}, and the gate asks for {rule.min:g} at least")
    if rule.max is not None and value > rule.max:
        return _refused(rule, f"{rule.metric} is {value:.4g}, and the gate asks for {rule.max:g} at most")
    trivial = found.get("baseline", {}).get("metrics", {}).get(rule.metric, {}).get("value")
    if rule.min_gain is not None:
        gain = None if trivial is None else (value - trivial) * (1 if reached["greater_is_better"] else -1)
        if gain is None or gain < rule.min_gain:
            return _refused(
                rule, f"{rule.metric} gains {gain} on the baseline, and the gate asks for {rule.min_gain:g}"
            )
    return None


def _refused(rule: GateRule, what: str) -> Problem:
    return Problem(
        f"the gate refuses the model: {what}",
        f"evaluate.gate, metric '{rule.metric}'",
        "improve the model or change the gate; the bundle and its metrics are kept, and nothing was predicted",
    )
