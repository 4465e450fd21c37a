"""Every threshold is tried, and the numbers beside it."""

import numpy as np
import pytest

from scoreline.compiled.edges import LEAST_ROWS, MOST_ROWS, at_edges


@pytest.mark.parametrize("count", [3, 400])
def test_each_threshold_is_tried_and_its_neighbours_in_both_precisions(count: int) -> None:
    cuts = np.random.default_rng(0).normal(size=count)
    (made,), rows = at_edges([np.ones((5, 2))], {(0, 1): cuts})
    assert rows == len(made) == max(LEAST_ROWS, 6 * count + 1)
    assert (made[:, 0] == 1).all()
    single = cuts.astype(np.float32)
    beside = [np.nextafter(values, side) for values in (cuts, single) for side in (-np.inf, np.inf)]
    assert set(np.concatenate([cuts, single, *beside]).tolist()) <= set(made[:, 1].tolist())


def test_of_very_many_thresholds_some_are_tried() -> None:
    cuts = np.arange(10_000.0)
    (made,), rows = at_edges([np.ones((5, 1))], {(0, 0): cuts})
    assert rows == MOST_ROWS
    assert np.isin(cuts, made).sum() > 500
