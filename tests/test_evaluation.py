import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from scoreline.catalogue import load_kind
from scoreline.evaluation import (
    BLOCK_ROWS,
    SLICE_LIMIT,
    GateRule,
    Judged,
    Tally,
    bootstrap_weights,
    failed_rules,
    in_order,
    report,
    tally,
)
from scoreline.metrics.base import Metric

LABELS = ("a", "b", "c")
REPLICATES = 60


def _metrics(*kinds: str) -> list[Metric]:
    found = [load_kind("metrics", kind)() for kind in kinds]
    return [metric for metric in found if isinstance(metric, Metric)]


def _judged(rows: int = 500, lowest: int = 0) -> Judged:
    generator = np.random.default_rng(2)
    truth = generator.integers(lowest, 3, rows)
    proba = generator.dirichlet(np.ones(3), rows)
    return Judged(
        truth=truth,
        predicted=np.where(generator.random(rows) < 0.6, np.maximum(truth, 0), generator.integers(0, 3, rows)),
        baseline=np.full(rows, 1),
        proba=proba,
        labels=LABELS,
        hashes=generator.integers(0, 2**64, rows, dtype=np.uint64),
        slices={"shop": generator.choice(np.array(["x", "y", None], dtype=object), rows)},
    )


def _rows(judged: Judged, rows: slice) -> Judged:
    return replace(
        judged,
        truth=judged.truth[rows],
        predicted=judged.predicted[rows],
        baseline=judged.baseline[rows],
        proba=None if judged.proba is None else judged.proba[rows],
        hashes=judged.hashes[rows],
        slices={column: values[rows] for column, values in judged.slices.items()},
    )


def _report(judged: Judged, *kinds: str) -> dict[str, Any]:
    metrics = _metrics(*kinds)
    return report(tally(judged, metrics, REPLICATES, seed=1), metrics, judged.labels)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 500), max_size=5))
def test_the_report_depends_on_no_partitioning(cuts: list[int]) -> None:
    judged, metrics = _judged(), _metrics("accuracy", "log_loss", "roc_auc")
    edges = [0, *sorted(cuts), 500]
    parts = [tally(_rows(judged, slice(*edge)), metrics, REPLICATES, seed=1) for edge in pairwise(edges)]
    total = in_order(enumerate(parts))
    assert total is not None
    whole = report(tally(judged, metrics, REPLICATES, seed=1), metrics, LABELS)
    _assert_close(report(total, metrics, LABELS), whole)


def _assert_close(left: Any, right: Any) -> None:
    """Equal, numbers to 1e-12."""
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            _assert_close(left[key], right[key])
    elif isinstance(left, list):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            _assert_close(one, other)
    elif isinstance(left, float):
        assert left == pytest.approx(right, rel=1e-12, abs=1e-12)
    else:
        assert left == right


def test_blocks_of_weights_change_nothing() -> None:
    rows = 2 * BLOCK_ROWS + 17
    judged, metrics = _judged(rows), _metrics("accuracy")
    weights = bootstrap_weights(judged.hashes, REPLICATES, seed=1)
    expected = (judged.truth == judged.predicted) @ weights / weights.sum(axis=0)
    found = tally(judged, metrics, REPLICATES, seed=1).model.values(metrics[0])
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_values_are_those_of_scikit_learn_for_the_model_the_baseline_and_each_slice() -> None:
    judged = _judged()
    found = _report(judged, "accuracy", "f1_macro")
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(accuracy_score(judged.truth, judged.predicted))
    trivial = f1_score(judged.truth, judged.baseline, average="macro", zero_division=0)
    assert found["baseline"]["metrics"]["f1_macro"]["value"] == pytest.approx(trivial)
    for shown in found["slices"]["shop"]["shown"]:
        rows = judged.slices["shop"] == shown["value"]
        assert shown["rows"] == rows.sum()
        expected = accuracy_score(judged.truth[rows], judged.predicted[rows])
        assert shown["metrics"]["accuracy"]["value"] == pytest.approx(expected)


def test_the_confusion_matrix_is_that_of_scikit_learn() -> None:
    judged = _judged()
    found = _report(judged, "accuracy")["confusion"]
    assert found == {"labels": list(LABELS), "rows": confusion_matrix(judged.truth, judged.predicted).tolist()}


def test_calibration_is_that_of_scikit_learn_for_the_top_label() -> None:
    proba = np.random.default_rng(3).dirichlet(np.ones(3), 500)
    judged = replace(_judged(), proba=proba, predicted=proba.argmax(axis=1))
    shares, means = calibration_curve(judged.truth == judged.predicted, proba.max(axis=1), n_bins=10)
    found = _report(judged, "accuracy")["calibration"]
    np.testing.assert_allclose([each["share_right"] for each in found], shares)
    np.testing.assert_allclose([each["mean_probability"] for each in found], means)


def test_a_row_whose_label_training_never_saw_is_wrong_and_counted() -> None:
    judged = _judged(lowest=-1)
    found = _report(judged, "accuracy")
    assert found["rows"] == 500
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(np.mean(judged.truth == judged.predicted))
    assert sum(map(sum, found["confusion"]["rows"])) == (judged.truth >= 0).sum()


def test_no_rows_give_no_numbers_and_valid_json() -> None:
    found = _report(_judged(rows=0), "accuracy", "log_loss")
    assert found["metrics"]["accuracy"]["value"] is None
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_regression_has_no_confusion_and_no_calibration() -> None:
    numbers = np.linspace(0.0, 1.0, 50)
    judged = replace(
        _judged(50), truth=numbers, predicted=numbers + 0.1, baseline=np.full(50, 0.5), proba=None, labels=()
    )
    found = _report(judged, "mae")
    assert found["metrics"]["mae"]["value"] == pytest.approx(0.1)
    assert {"confusion", "calibration"} & found.keys() == set()


def test_metrics_that_need_probabilities_are_left_out_without_them() -> None:
    found = _report(replace(_judged(), proba=None), "accuracy", "log_loss")
    assert list(found["metrics"]) == ["accuracy"]


def test_a_column_with_too_many_values_is_left_out_whatever_the_parts() -> None:
    judged = _judged(SLICE_LIMIT + 1)
    judged = replace(judged, slices={"id": np.arange(SLICE_LIMIT + 1).astype(str).astype(object)})
    halves = [_rows(judged, slice(0, 600)), _rows(judged, slice(600, None))]
    metrics = _metrics("accuracy")
    parts = [tally(half, metrics, REPLICATES, seed=1) for half in halves]
    for total in (parts[0] + parts[1], tally(judged, metrics, REPLICATES, seed=1)):
        assert report(total, metrics, LABELS)["slices"]["id"]["values"] is None
    assert report(parts[0], metrics, LABELS)["slices"]["id"]["values"] == 600


def test_weights_are_poisson_with_mean_one_and_the_first_column_is_the_rows_themselves() -> None:
    hashes = np.random.default_rng(1).integers(0, 2**64, 4000, dtype=np.uint64)
    weights = bootstrap_weights(hashes, 100, seed=3)
    assert (weights[:, 0] == 1).all()
    assert weights[:, 1:].mean() == pytest.approx(1.0, abs=0.01)
    assert weights[:, 1:].var() == pytest.approx(1.0, abs=0.02)
    assert (weights[:, 1:] == 0).mean() == pytest.approx(np.exp(-1), abs=0.005)
    assert abs(np.corrcoef(weights[:, 1], weights[:, 2])[0, 1]) < 0.06


def test_weights_of_a_row_depend_on_its_hash_and_the_seed_alone() -> None:
    hashes = np.random.default_rng(1).integers(0, 2**64, 50, dtype=np.uint64)
    weights = bootstrap_weights(hashes, 20, seed=3)
    np.testing.assert_array_equal(bootstrap_weights(hashes[::-1], 20, seed=3), weights[::-1])
    np.testing.assert_array_equal(bootstrap_weights(hashes, 7, seed=3), weights[:, :8])
    assert (bootstrap_weights(hashes, 20, seed=4) != weights).any()


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    generator, covered = np.random.default_rng(9), 0
    metrics = _metrics("mae")
    for _ in range(100):
        errors = generator.exponential(1.0, 120)
        hashes = generator.integers(0, 2**64, 120, dtype=np.uint64)
        judged = Judged(errors, np.zeros(120), np.zeros(120), None, (), hashes)
        found = report(tally(judged, metrics, 200, seed=1), metrics, ())["metrics"]["mae"]
        covered += found["low"] <= 1.0 <= found["high"]
    assert 86 <= covered <= 100


def test_tallies_that_come_in_any_order_are_added_in_theirs() -> None:
    metrics = _metrics("log_loss")
    parts: list[Tally | None] = [
        tally(_rows(_judged(), slice(50 * n, 50 * n + 50)), metrics, REPLICATES, seed=1) for n in range(9)
    ]
    numbered = list(enumerate([*parts, None]))
    shuffled = [numbered[position] for position in (3, 0, 9, 8, 1, 2, 7, 4, 6, 5)]
    assert _logged(in_order(shuffled)) == _logged(in_order(numbered))
    assert in_order([]) is None


def _logged(total: Tally | None) -> bytes:
    assert total is not None
    return np.asarray(total.model.by_family["log_loss"]).tobytes()


REPORT = {
    "metrics": {
        "accuracy": {"value": 0.7, "greater_is_better": True},
        "mae": {"value": 2.0, "greater_is_better": False},
        "roc_auc": {"value": None, "greater_is_better": True},
    },
    "baseline": {"metrics": {"accuracy": {"value": 0.6}, "mae": {"value": 2.5}}},
}


@pytest.mark.parametrize(
    ("rule", "passes"),
    [
        ({"metric": "accuracy", "min": 0.7}, True),
        ({"metric": "accuracy", "min": 0.71}, False),
        ({"metric": "mae", "max": 2.0}, True),
        ({"metric": "mae", "max": 1.9}, False),
        ({"metric": "accuracy", "min_gain": 0.05}, True),
        ({"metric": "accuracy", "min_gain": 0.15}, False),
        ({"metric": "mae", "min_gain": 0.4}, True),
        ({"metric": "mae", "min_gain": 0.6}, False),
        ({"metric": "accuracy", "min": 0.5, "min_gain": 0.15}, False),
        ({"metric": "roc_auc", "min": 0.0}, False),
        ({"metric": "f1_macro", "min": 0.0}, False),
    ],
)
def test_the_gate_lets_through_what_reaches_it(rule: dict[str, Any], passes: bool) -> None:
    assert (failed_rules(REPORT, [GateRule.model_validate(rule)]) == []) == passes


def test_all_rules_that_fail_are_named() -> None:
    rules = [GateRule(metric="accuracy", min=0.9), GateRule(metric="mae", max=3.0), GateRule(metric="mae", max=1.0)]
    found = failed_rules(REPORT, rules)
    assert [problem.where for problem in found] == ["$.evaluate.gate[0]", "$.evaluate.gate[2]"]
    assert "accuracy is 0.7, and the gate asks for 0.9 at least" in found[0].what


def test_a_rule_that_asks_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="say at least one of min, max, min_gain"):
        GateRule(metric="accuracy")
