"""Reading what a fitted model of trees makes of the sums of its leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.compiled.baked.finish import Finish
from scoreline.compiled.plan import NotCompilable

if TYPE_CHECKING:
    from scoreline.compiled.baked.finish import Choice, Link


def finish_of(model: Any) -> Finish | NotCompilable:
    """The finish of a model that `compiled.trees` reads."""
    from sklearn import ensemble

    labels = labels_of(model)
    if isinstance(labels, NotCompilable):
        return labels
    if isinstance(model, ensemble.GradientBoostingClassifier | ensemble.HistGradientBoostingClassifier):
        return _boosted(model, labels, by_column=not isinstance(model, ensemble.GradientBoostingClassifier))
    if isinstance(model, ensemble.HistGradientBoostingRegressor) and not _is_identity(model._loss.link):  # noqa: SLF001
        return NotCompilable(f"the loss '{model.loss}', whose sums are not the answers")
    divisor = float(len(model.estimators_)) if _is_forest(model) else 1.0
    return Finish("number", divisor=divisor) if labels is None else Finish("largest", "score", divisor, labels)


def labels_of(model: Any) -> np.ndarray | NotCompilable | None:
    """The classes of a model, when a file can hold them; None for a model without."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        return None
    if not (isinstance(classes, np.ndarray) and classes.ndim == 1):
        return NotCompilable("classes of several outputs")
    kinds = set(map(type, classes.tolist()))
    if len(kinds) != 1 or kinds.pop() not in (str, int, float, bool) or classes.dtype.kind not in "OUbif":
        return NotCompilable("classes that are not all text, or all numbers")
    return classes


def _is_forest(model: Any) -> bool:
    from sklearn.ensemble._forest import BaseForest

    return isinstance(model, BaseForest)


def _is_identity(link: Any) -> bool:
    return type(link).__name__ == "IdentityLink"


def _boosted(model: Any, labels: np.ndarray | None, *, by_column: bool) -> Finish:
    links: dict[str, Link] = {
        "HalfBinomialLoss": "logit",
        "ExponentialLoss": "half_logit",
        "HalfMultinomialLoss": "softmax",
    }
    loss = links.get(type(model._loss).__name__, "none")  # noqa: SLF001  scikit-learn has no public way to it
    binary: Choice = "above_zero" if by_column else "from_zero"
    return Finish("largest" if loss == "softmax" else binary, loss, labels=labels, by_column=by_column)
