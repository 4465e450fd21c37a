"""A fitted object ready to predict: one scikit-learn pipeline, or a transformer and a model that were kept apart."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.bundle.artifact import ArtifactConfig, load_artifact
from scoreline.bundle.code_inside import brings_code
from scoreline.compiled.answers import as_probabilities, as_rows, class_labels
from scoreline.compiled.trees import asked_once, goes_once
from scoreline.errors import ModelError, Problem, nearest
from scoreline.frame import selected_columns
from scoreline.models.base import single_threaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    import pandas as pd


_FIT = "fit it, then save the fitted object"


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model, with the transformer that makes its features when they are two objects.

    Attributes
    ----------
    model, transformer : fitted objects of scikit-learn's form; `transformer` is None when the model is a whole pipeline
    names : columns that it takes, in order; it does without those that are `dropped`
    named : whether it takes DataFrames; False when it was fitted on an array and takes arrays
    uri : where the model lies
    hashes : the sha256 of each file that it was loaded from
    """

    model: Any
    transformer: Any
    names: tuple[str, ...]
    named: bool
    uri: str = ""
    hashes: tuple[str, ...] = ()

    @property
    def first(self) -> Any:
        """The object that is given the columns."""
        return self.model if self.transformer is None else self.transformer

    @property
    def dropped(self) -> frozenset[str]:
        """The columns that a ColumnTransformer at the beginning drops: it does not ask whether a frame has them."""
        from sklearn.compose import ColumnTransformer

        step: Any = _first_learner(getattr(self.first, "best_estimator_", self.first)) if self.named else None
        if type(step) is not ColumnTransformer or not hasattr(step, "feature_names_in_"):
            return frozenset()
        known = [str(name) for name in step.feature_names_in_]
        asked = (columns for _, inner, columns in step.transformers_ if not isinstance(inner, str) or inner != "drop")
        return frozenset(known).difference(*(selected_columns(columns, known) for columns in asked))

    @property
    def labels(self) -> tuple[Any, ...] | None:
        """The class labels in the order of the columns of `predict_proba`, as `class_labels` names them."""
        return class_labels(self.model)

    @property
    def gives_proba(self) -> bool:
        """Whether it gives a probability for each label."""
        return bool(self.labels) and hasattr(self.model, "predict_proba")

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """One prediction a row, shape (rows,), or of several outputs (rows, outputs). Raises what the objects raise."""
        features, last = self.at_last_step(frame)
        return as_rows(last.predict(features))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Probabilities, float64 (rows, labels)."""
        features, last = self.at_last_step(frame)
        return as_probabilities(last.predict_proba(features))

    def both(self, frame: pd.DataFrame) -> Iterator[np.ndarray]:
        """What `predict` gives, then what `predict_proba` gives; computed one after the other.

        A pipeline of scikit-learn's own steps makes its features once for both, and histogram boosting goes through its
        trees once.
        """
        if not goes_once(self.model) and not self._shares_features:
            yield self.predict(frame)
            yield self.predict_proba(frame)
            return
        features, last = self.at_last_step(frame)
        model = asked_once(last, features)
        yield as_rows(model.predict(features))
        yield as_probabilities(model.predict_proba(features))

    @cached_property
    def _writes(self) -> bool:
        """Whether a transformer writes into the memory of what it is given: scikit-learn's do so with ``copy=False``.

        Functions that set columns only change the frame that they hold, which may share its memory.
        """
        try:
            parameters = self.first.get_params()
        except Exception:  # noqa: BLE001  an object from elsewhere, which need not have parameters
            return True
        return any(name.rpartition("__")[2] == "copy" and not value for name, value in parameters.items())

    @cached_property
    def only_reads(self) -> bool:
        """Whether scikit-learn's own steps alone see what is given, and leave it as it is.

        Its estimators are tested with memory that cannot be written to.
        """
        return not self._writes and all(map(_is_well_known, [self.first, *self.first.get_params().values()]))

    @cached_property
    def ends_plainly(self) -> bool:
        """Whether all steps are scikit-learn's own and look at each row alone, and the last has no estimator inside."""
        before, last = self._steps
        steps = [self.first, *before, last]
        if not self.only_reads or not all(_is_row_wise(step) and hasattr(step, "get_params") for step in steps):
            return False
        inside = [value for step in steps for value in step.get_params().values()]
        return all(map(_is_row_wise, inside)) and not any(
            hasattr(value, "get_params") for value in last.get_params().values()
        )

    @cached_property
    def brings_code(self) -> bool:
        """Whether it is made of anything but what known packages define: its hash then does not tell all."""
        return brings_code([self.first, self.model])

    @cached_property
    def _shares_features(self) -> bool:
        """Whether the last step of a pipeline may be asked twice about the features that the others make."""
        _, last = self._steps
        return (
            self.only_reads and self.transformer is None and last is not self.model and hasattr(last, "predict_proba")
        )

    @cached_property
    def _steps(self) -> tuple[tuple[Any, ...], Any]:
        """What makes the features of a pipeline of scikit-learn's, and its last step; other models are one step."""
        from sklearn.pipeline import Pipeline

        if type(self.model) is not Pipeline:
            return (), self.model
        *before, last = (step for _, step in self.model.steps)
        return tuple(step for step in before if step not in (None, "passthrough")), last

    def at_last_step(self, frame: pd.DataFrame) -> tuple[Any, Any]:
        """What the last step is given, and that step.

        Steps are called as a pipeline does itself, but that it looks each time whether it is fitted, which takes longer
        than some models do; loading has looked.
        """
        before, last = self._steps
        features = self._features(frame)
        for step in before:
            features = step.transform(features)
        return features, last

    def _features(self, frame: pd.DataFrame) -> Any:
        # The same frame is asked again, for probabilities and by halving, so that nobody may change it.
        given = frame.to_numpy() if not self.named else frame if self.only_reads else frame.copy(deep=self._writes)
        return given if self.transformer is None else _for_model(self.transformer.transform(given), self)


def _is_well_known(value: Any) -> bool:
    """Whether an estimator or a parameter of one brings no code from elsewhere."""
    origin = value if callable(value) and hasattr(value, "__name__") else type(value)
    package, _, module = str(getattr(origin, "__module__", "")).partition(".")
    # What a search found may hold other parameters than its own.
    return package in ("builtins", "numpy", "sklearn") and not module.startswith("model_selection")


def _is_row_wise(value: Any) -> bool:
    """Whether an estimator or a parameter brings no code that may look at several rows."""
    function = getattr(value, "func", None)
    return _is_well_known(value) and (function is None or isinstance(function, np.ufunc))


def _for_model(features: Any, fitted: Fitted) -> Any:
    """What the model takes of the transformer's output: columns by name where both know names."""
    import pandas as pd

    wanted = getattr(fitted.model, "feature_names_in_", None)
    if wanted is None:
        return features.to_numpy() if isinstance(features, pd.DataFrame) else features
    if not isinstance(features, pd.DataFrame):
        features = _named(features, fitted.transformer, wanted)
    return features[list(wanted)]


def _named(features: Any, transformer: Any, wanted: np.ndarray) -> pd.DataFrame:
    """An array with the names that its transformer gives; by position where it gives none, as scikit-learn does."""
    import pandas as pd
    from scipy import sparse

    dense = features.toarray() if sparse.issparse(features) else features
    made = _names_made(transformer)
    return pd.DataFrame(dense, columns=wanted if made is None else made)


def _names_made(transformer: Any) -> list[str] | None:
    """The names of the features that a transformer makes; None when it cannot tell."""
    try:
        return [str(name) for name in transformer.get_feature_names_out()]
    except (AttributeError, ValueError):
        return None


def load_fitted(model: ArtifactConfig, transformer: ArtifactConfig | None, modules: Sequence[str]) -> Fitted:
    """Load once per process what was fitted, after its hashes were checked.

    Own modules stand in for ``__main__``. Raises ModelError as `load_artifact` does, for own modules that were not
    given, and for objects that cannot predict or whose columns nobody knows.
    """
    missing = [name for name in modules if name not in sys.modules]
    if missing:
        raise ModelError(*(_no_module(model.uri, name) for name in missing))
    return _load_once(model, transformer, tuple(sys.modules[name] for name in modules))


def _no_module(uri: str, name: str) -> Problem:
    return Problem(f"it was made with the module '{name}', which is not here", uri, f"add --module {name}.py")


@lru_cache(maxsize=4)
def _load_once(model: ArtifactConfig, transformer: ArtifactConfig | None, modules: tuple[ModuleType, ...]) -> Fitted:
    # A module of another text is another object, so that nothing loaded with the old text is used again.
    with _main_knows(modules):
        first, *own = (None,) if transformer is None else load_artifact(transformer, modules)
        last, sha256 = load_artifact(model, modules)
    _check_methods(model, last, transformer, first)
    _check_fitted([(model, last), *([] if transformer is None else [(transformer, first)])])
    names, named = _input_names(model if transformer is None else transformer, last if first is None else first)
    asked = single_threaded(last), None if first is None else single_threaded(first)
    fitted = Fitted(*asked, names, named, model.uri, (*own, sha256))
    _check_pair(model, fitted)
    return fitted


@contextmanager
def _main_knows(modules: Sequence[ModuleType]) -> Iterator[None]:
    """Lend ``__main__`` the names of own modules: a script's pickle refers to its functions as ``__main__.name``."""
    main = vars(sys.modules["__main__"])
    lent = {name: value for module in modules for name, value in vars(module).items() if not name.startswith("__")}
    before = {name: main[name] for name in lent if name in main}
    main.update(lent)
    try:
        yield
    finally:
        for name in lent:
            del main[name]
        main.update(before)


def _check_methods(model: ArtifactConfig, last: Any, transformer: ArtifactConfig | None, first: Any) -> None:
    problems = []
    if not hasattr(last, "predict"):
        problems.append(_cannot(model.uri, last, "predict"))
    if transformer is not None and not hasattr(first, "transform"):
        problems.append(_cannot(transformer.uri, first, "transform"))
    if problems:
        raise ModelError(*problems)


def _cannot(uri: str, found: Any, method: str) -> Problem:
    return Problem(
        f"the file holds a {type(found).__name__}, which has no method '{method}'",
        uri,
        "hand over a fitted scikit-learn object; a model goes under 'model', a transformer under 'transformer'",
    )


def _check_fitted(artifacts: Sequence[tuple[ArtifactConfig, Any]]) -> None:
    problems = [Problem(what, artifact.uri, _FIT) for artifact, found in artifacts if (what := _unfitted(found))]
    if problems:
        raise ModelError(*problems)


def _unfitted(found: Any) -> str:
    """Why an object has learned nothing; empty when it has, as far as scikit-learn can tell."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if isinstance(found, type):
        return f"the file holds the class {found.__name__}, not a fitted object"
    # What a class from elsewhere learns, if anything, only it knows.
    if not hasattr(found, "fit") or type(found).__module__.partition(".")[0] != "sklearn":
        return ""
    try:
        check_is_fitted(found)
    except NotFittedError:
        return f"the {type(found).__name__} in the file is not fitted"
    return ""


def _input_names(artifact: ArtifactConfig, fitted: Any) -> tuple[tuple[str, ...], bool]:
    known = _names_of(fitted)
    if known is not None:
        _check_declared(artifact, tuple(known.tolist()))
        return tuple(known.tolist()), True
    count = getattr(fitted, "n_features_in_", None)
    if artifact.columns is None:
        raise ModelError(
            Problem(
                "the object was fitted without column names, so nobody can tell which columns it wants",
                artifact.uri,
                f'list its {count or ""} columns in order as "columns" beside "uri", or fit it on a DataFrame',
            )
        )
    if count is not None and count != len(artifact.columns):
        raise ModelError(
            Problem(
                f"the object was fitted on {count} columns, and the config lists {len(artifact.columns)}",
                artifact.uri,
                'list exactly the columns it was fitted on as "columns"',
            )
        )
    # An object that counted its columns was fitted on an array; one that did not look works with names, if anything.
    return artifact.columns, count is None


def _names_of(fitted: Any) -> np.ndarray | None:
    """The columns that an object was fitted on; a pipeline that begins by passing them on knows them one step later."""
    known: np.ndarray | None = getattr(fitted, "feature_names_in_", None)
    return getattr(_first_learner(fitted), "feature_names_in_", None) if known is None else known


def _first_learner(fitted: Any) -> Any:
    """What is given the columns inside of pipelines."""
    learners = (step for _, step in getattr(fitted, "steps", ()) if step is not None and step != "passthrough")
    first = next(learners, None)
    return fitted if first is None else _first_learner(first)


def _check_declared(artifact: ArtifactConfig, known: tuple[str, ...]) -> None:
    if artifact.columns is not None and artifact.columns != known:
        raise ModelError(
            Problem(
                f"the config lists the columns {', '.join(artifact.columns)}, "
                f"and the object was fitted on {', '.join(known)}",
                artifact.uri,
                'leave out "columns": the object knows its own',
            )
        )


def _check_pair(model: ArtifactConfig, fitted: Fitted) -> None:
    """Refuse a model that wants columns which its transformer does not make."""
    made = None if fitted.transformer is None else _names_made(fitted.transformer)
    if made is None:
        return
    wanted = getattr(fitted.model, "feature_names_in_", None)
    count = getattr(fitted.model, "n_features_in_", None)
    if wanted is not None:
        missing = [str(name) for name in wanted if str(name) not in made]
        if missing:
            raise ModelError(*(_not_made(model.uri, name, made) for name in missing[:5]))
    elif count is not None and count != len(made):
        raise ModelError(
            Problem(
                f"the model was fitted on {count} features, and the transformer makes {len(made)}",
                model.uri,
                "hand over the transformer and the model that were fitted together",
            )
        )


def _not_made(uri: str, name: str, made: Sequence[str]) -> Problem:
    close = nearest(name, made)
    hint = f"; it makes '{close[0]}'" if close else ""
    return Problem(
        f"the model wants the feature '{name}', which the transformer does not make{hint}",
        uri,
        "hand over the transformer and the model that were fitted together",
    )
