"""Learning from more rows than fit in memory: one pass of ``partial_fit`` over parts, in their order."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from distributed import Client

    Part = tuple[np.ndarray, np.ndarray]
    """Features, float64 (rows, features), and target of the same rows."""


def fit_incremental(estimator: Any, parts: Iterable[Part], classes: np.ndarray | None) -> Any:
    """Fit `estimator` itself, part after part, in this process; return it. Memory: one part.

    `classes` are all labels of all parts, sorted; None for regression. A part without rows changes nothing.
    """
    learner = _SkipsEmptyParts(estimator)
    for features, target in parts:
        learner.partial_fit(features, target, **_labels(classes))
    return estimator


def fit_incremental_on(
    client: Client, estimator: Any, parts: Sequence[Callable[[], Part]], classes: np.ndarray | None
) -> Any:
    """The fitted scikit-learn estimator that `fit_incremental` would give, by dask-ml's ``Incremental`` on a cluster.

    Workers load parts side by side, each in one call that must give the same part every time; the estimator goes from
    one part to the next. The given `estimator` stays as it is. Eager. Memory: a few parts on each worker.
    """
    import cloudpickle
    import dask.array as da
    from dask.delayed import delayed
    from dask_ml.wrappers import Incremental

    from scoreline.clusters._session import losses_told

    # As bytes, a part may refer to the user's own modules, which the scheduler does not have.
    load = delayed(_loaded, pure=False, nout=2)
    loaded = [load(cloudpickle.dumps(part)) for part in parts]
    features = [da.from_delayed(pair[0], shape=(np.nan, np.nan), dtype=np.float64) for pair in loaded]
    target = [da.from_delayed(pair[1], shape=(np.nan,), dtype=object) for pair in loaded]
    # Without a scoring, Incremental asks for a `score` that it never calls.
    learner = Incremental(_SkipsEmptyParts(estimator), scoring="r2", shuffle_blocks=False)
    with client.as_current(), losses_told("learning in parts"):
        learner.fit(_joined(da, features), _joined(da, target), **_labels(classes))
    return learner.estimator_.estimator


def _loaded(part: bytes) -> Part:
    features, target = pickle.loads(part)()
    return features, target


def _joined(da: Any, arrays: list[Any]) -> Any:
    return da.concatenate(arrays, allow_unknown_chunksizes=True)


def _labels(classes: np.ndarray | None) -> dict[str, np.ndarray]:
    return {} if classes is None else {"classes": classes}


class _SkipsEmptyParts(BaseEstimator):  # type: ignore[misc]
    """An estimator that lets parts without rows pass; scikit-learn's refuse them."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, features: np.ndarray, target: np.ndarray) -> Self:
        """Learn from one part alone."""
        return self.partial_fit(features, target)

    def partial_fit(self, features: np.ndarray, target: np.ndarray, **labels: np.ndarray) -> Self:
        """Learn from one more part, in place."""
        if len(target):
            self.estimator.partial_fit(features, target, **labels)
        return self
