"""Thresholds are tried, and the numbers beside them."""

import numpy as np

from scoreline.compiled.edges import LEAST_ROWS, MOST_ROWS, at_edges


def test_each_threshold_is_tried_and_its_neighbours_in_both_precisions() -> None:
    cuts = np.random.default_rng(0).normal(size=400)
    (made,), rows = at_edges([np.ones((5, 2))], {(0, 1): cuts})
    assert LEAST_ROWS < rows < MOST_ROWS
    assert made.shape == (rows, 2)
    assert (made[:, 0] == 1).all()
    single = cuts.astype(np.float32)
    beside = [np.nextafter(values, side) for values in (cuts, single) for side in (-np.inf, np.inf)]
    assert set(np.concatenate([cuts, single, *beside]).tolist()) <= set(made[:, 1].tolist())


def test_of_very_many_thresholds_some_are_tried() -> None:
    cuts = np.arange(10_000.0)
    (made,), rows = at_edges([np.ones((5, 1))], {(0, 0): cuts})
    assert rows == MOST_ROWS
    assert np.isin(cuts, made).sum() > 500


def test_few_thresholds_are_tried_again_and_again() -> None:
    (made,), rows = at_edges([np.ones((5, 1))], {(0, 0): np.array([0.5])})
    assert rows == LEAST_ROWS
    assert (made == 0.5).sum() > rows // 10
