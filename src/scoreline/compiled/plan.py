"""Reading a fitted pipeline: which transformer makes which columns of the matrix that the model is given."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from scoreline.frame import family, selected_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Stack = Literal["none", "dense", "sparse"]


@dataclass(frozen=True)
class NotCompilable:
    """Why something is left to scikit-learn."""

    reason: str


@dataclass(frozen=True, eq=False)
class Branch:
    """Input columns and the fitted transformer that makes their block of the matrix.

    Attributes
    ----------
    transformer : a fitted transformer; None when the columns are passed on as they are
    columns : the input columns that it takes, in its order
    flat : whether it is given one column as a Series, and not a frame
    widths : for each column, how many columns it makes of it alone, row by row, so that the distinct values of a part
        tell all of its rows; None when it is called with all rows
    steps : the transformer, a pipeline taken apart
    """

    transformer: Any
    columns: tuple[str, ...]
    flat: bool = False
    widths: tuple[int, ...] | None = None
    steps: tuple[Any, ...] = ()

    @property
    def one_hot(self) -> bool:
        """Whether the last step is a ``OneHotEncoder``."""
        from sklearn.preprocessing import OneHotEncoder

        return bool(self.steps) and type(self.steps[-1]) is OneHotEncoder


@dataclass(frozen=True, eq=False)
class Plan:
    """A fitted pipeline, taken apart.

    Attributes
    ----------
    branches : the blocks of the matrix from left to right
    stack : how the blocks become one matrix; "none" when there is one block, as its transformer gives it
    first : the step that makes the matrix of the input columns; None when the model is given them as they are
    after : transformers that follow, each given the whole matrix
    model : the estimator that predicts
    as_array : whether the first step takes an array, and not a frame
    """

    branches: tuple[Branch, ...]
    stack: Stack
    first: Any
    after: tuple[Any, ...]
    model: Any
    as_array: bool = False

    @property
    def described(self) -> dict[str, Any]:
        """What of it the columns of a table decide, as JSON values."""
        by_value = [None if branch.widths is None else list(branch.widths) for branch in self.branches]
        return {"by_value": by_value, "stack": self.stack}


def read(model: Any, transformer: Any, schema: pa.Schema, *, named: bool) -> Plan | NotCompilable:
    """The plan of a fitted pipeline, or of a transformer and a model apart (else `transformer` is None).

    `schema` says what the input columns are, `named` whether they are given as a frame. Nothing is computed.
    """
    try:
        return _read(model, transformer, schema, named=named)
    except Exception as error:  # noqa: BLE001  objects from elsewhere need not be what they look like
        return NotCompilable(f"{type(error).__name__}: {error}")


def worthwhile(plan: Plan, table: pa.Table) -> Plan:
    """The plan with those branches encoded by value alone whose values repeat in a table: else it would only cost."""
    branches = (
        replace(branch, widths=None) if branch.widths and not _repeat(table, branch.columns) else branch
        for branch in plan.branches
    )
    return replace(plan, branches=tuple(branches))


def _repeat(table: pa.Table, columns: Sequence[str]) -> bool:
    return all(2 * len(_plain(table[name]).unique()) <= table.num_rows for name in columns)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in a type that Arrow finds distinct values of, whichever it came in."""
    return column.cast(pa.large_string()) if family(column.type) == "text" else column


def _read(model: Any, transformer: Any, schema: pa.Schema, *, named: bool) -> Plan | NotCompilable:
    if transformer is not None and getattr(model, "feature_names_in_", None) is not None:
        return NotCompilable("the model takes its features by name")
    *first, last = [*([] if transformer is None else _steps(transformer)), *_steps(model)]
    if not first and named:
        first, last = _without_preprocessor(last)
    if not hasattr(last, "predict"):
        return NotCompilable(f"{type(last).__name__} does not predict")
    own = [each for step in (*first, last) for each in (step, *_inside(step)) if has_own_methods(each)]
    if own:
        return NotCompilable(f"this {type(own[0]).__name__} has methods of its own")
    changed = [step for step in first if not _gives_arrays(step)]
    if changed:
        return NotCompilable(f"{type(changed[0]).__name__} does not give arrays")
    return _of_frames(first, last, schema) if named else _of_arrays(first, last, schema)


def _without_preprocessor(model: Any) -> tuple[list[Any], Any]:
    """What histogram boosting does to a frame with categories of its own as a step, and the model without it."""
    preprocessor = getattr(model, "_preprocessor", None)
    if not type(model).__name__.startswith("HistGradientBoosting") or preprocessor is None:
        return [], model
    bare = copy(model)
    bare._preprocessor = None  # noqa: SLF001  scikit-learn has no public way to its trees
    # The matrix has no names.
    vars(bare).pop("feature_names_in_", None)
    return [preprocessor], bare


def _steps(estimator: Any) -> list[Any]:
    """The steps of nested pipelines one after another; a search stands for the best estimator that it found."""
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
    from sklearn.pipeline import Pipeline

    if type(estimator) in (GridSearchCV, RandomizedSearchCV) and hasattr(estimator, "best_estimator_"):
        return _steps(estimator.best_estimator_)
    if type(estimator) is not Pipeline:
        return [estimator]
    steps = [step for _, step in estimator.steps if step is not None and step != "passthrough"]
    return [inner for step in steps for inner in _steps(step)]


def has_own_methods(step: Any) -> bool:
    """Whether an instance answers otherwise than its class does."""
    return any(callable(getattr(type(step), name, None)) for name in getattr(step, "__dict__", ()))


def _gives_arrays(transformer: Any) -> bool:
    """Whether a transformer and those inside it give arrays, and not frames of pandas or polars."""
    from sklearn.utils._set_output import _get_output_config

    inside = [transformer, *(inner for inner in _inside(transformer) if not isinstance(inner, str))]
    return all(_get_output_config("transform", each)["dense"] == "default" for each in inside)


def _inside(transformer: Any) -> Iterator[Any]:
    inner = [step for _, step in getattr(transformer, "steps", ())]
    inner += [step for _, step, _ in getattr(transformer, "transformers_", ())]
    for each in inner:
        yield each
        yield from _inside(each)


def _of_arrays(first: Sequence[Any], last: Any, schema: pa.Schema) -> Plan | NotCompilable:
    others = [field.name for field in schema if family(field.type) != "number"]
    if others:
        return NotCompilable(f"it was fitted on an array of objects (column '{others[0]}')")
    step = first[0] if first else None
    return Plan((Branch(step, tuple(schema.names)),), "none", step, tuple(first[1:]), last, as_array=True)


def _of_frames(first: Sequence[Any], last: Any, schema: pa.Schema) -> Plan | NotCompilable:
    from sklearn.compose import ColumnTransformer

    if not first:
        return Plan((Branch(None, tuple(schema.names)),), "none", None, (), last)
    after = tuple(first[1:])
    if type(first[0]) is not ColumnTransformer:
        return Plan((_branch(first[0], tuple(schema.names), schema),), "none", first[0], after, last)
    if first[0].transformer_weights:
        return NotCompilable("the ColumnTransformer weighs its transformers")
    if not hasattr(first[0], "feature_names_in_"):
        return NotCompilable("the ColumnTransformer was fitted without column names")
    branches = tuple(_branches(first[0], schema))
    return Plan(branches, "sparse" if first[0].sparse_output_ else "dense", first[0], after, last)


def _branches(columns: Any, schema: pa.Schema) -> Iterator[Branch]:
    known = [str(name) for name in columns.feature_names_in_]
    for _, transformer, selection in columns.transformers_:
        names = tuple(selected_columns(selection, known))
        if names and not isinstance(transformer, str):
            yield _branch(transformer, names, schema, flat=bool(np.isscalar(selection)))


def _branch(transformer: Any, columns: tuple[str, ...], schema: pa.Schema, *, flat: bool = False) -> Branch:
    steps = _steps(transformer)
    codable = not flat and all(_is_codable(schema.field(name).type, steps[0]) for name in columns)
    widths = _widths(steps, len(columns)) if codable and any(_is_encoder(step) for step in steps) else None
    return Branch(transformer, columns, flat, widths, tuple(steps))


def _is_codable(arrow_type: pa.DataType, first: Any) -> bool:
    """Whether equal values of the column are one entry of a dictionary: text, whole numbers and booleans.

    Categories of pandas are so for encoders alone, which look at the values; others may ask what else there is.
    """
    whole = pa.types.is_integer(arrow_type) or pa.types.is_boolean(arrow_type)
    is_category = pa.types.is_dictionary(arrow_type)
    return whole or (family(arrow_type) == "text" and (not is_category or _is_encoder(first)))


def _is_encoder(step: Any) -> bool:
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

    return type(step) in (OneHotEncoder, OrdinalEncoder, TargetEncoder)


def _widths(steps: Sequence[Any], count: int) -> tuple[int, ...] | None:
    """How many columns the steps make of each input column; None when they may mix columns or rows.

    Only steps before an encoder that widens keep one column each.
    """
    widths: tuple[int, ...] | None = (1,) * count
    for step in steps:
        if widths is None or sum(widths) != count:
            return None
        widths = _widths_of(step, count)
    return widths


def _widths_of(step: Any, count: int) -> tuple[int, ...] | None:
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

    if type(step) is OneHotEncoder:
        return tuple(int(width) for width in step._n_features_outs)  # noqa: SLF001  public: only their names, all together
    if type(step) is TargetEncoder:
        return (len(step.encodings_) // count,) * count
    if type(step) is SimpleImputer and not step.add_indicator and len(step.get_feature_names_out()) == count:
        return (1,) * count
    return (1,) * count if type(step) is OrdinalEncoder else None
