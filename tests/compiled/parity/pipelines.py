"""Pipelines as data scientists write them, drawn at random: columns, transformers, their layout, and a model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn import compose, decomposition, feature_extraction, feature_selection, impute, pipeline, preprocessing
from sklearn.base import clone
from tests.compiled.parity.rows import FLOATS, NUMBERS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.compiled.parity.models import Family


class Drawn(NamedTuple):
    """A pipeline that is not fitted yet.

    Attributes
    ----------
    columns : the input columns
    target : what it is to predict, see `rows.target`
    from_pandas : whether it is fitted on frames as pandas reads them
    encoded : text columns that files store as dictionaries, so that pandas makes categories of them
    """

    estimator: Any
    columns: tuple[str, ...]
    target: str
    from_pandas: bool
    encoded: tuple[str, ...]
    seed: int


def lower(frame: pd.DataFrame) -> pd.DataFrame:
    """Text in small letters."""
    return frame.apply(lambda column: column.str.lower())


def days(frame: pd.DataFrame) -> pd.DataFrame:
    """Month and weekday of dates."""
    moments = {name: pd.to_datetime(frame[name]).dt for name in frame}
    made = {f"{name}_{part}": getattr(each, part) for name, each in moments.items() for part in ("month", "weekday")}
    return frame.iloc[:, :0].assign(**made)


def _sometimes(rng: Random) -> bool:
    return rng.random() < 0.25


def _seldom(rng: Random) -> bool:
    return rng.random() < 0.08


def _one_hot(rng: Random) -> Any:
    rare = rng.choice([{}, {}, {"min_frequency": 40}, {"min_frequency": 0.2}, {"max_categories": 3}])
    unknown = ["ignore", "ignore", "error", "warn", *(["infrequent_if_exist"] if rare else [])]
    return preprocessing.OneHotEncoder(
        handle_unknown=rng.choice(unknown),
        drop=rng.choice([None, None, None, "first", "if_binary"]),
        sparse_output=rng.random() < 0.75,
        dtype=rng.choice([np.float64, np.float64, np.float32, np.int64]),
        **rare,
    )


def _ordinal(rng: Random) -> Any:
    unknown = rng.choice([{}, {"unknown_value": -1}, {"unknown_value": np.nan}])
    if unknown:
        unknown |= {"handle_unknown": "use_encoded_value"}
    missing = rng.choice([np.nan, -2])
    rare = rng.choice([None, 40]) if unknown else None
    return preprocessing.OrdinalEncoder(encoded_missing_value=missing, min_frequency=rare, **unknown)


def _target(rng: Random) -> Any:
    return preprocessing.TargetEncoder(smooth=rng.choice(["auto", 4.0]), cv=2, random_state=0)


def texts(rng: Random, *, filled: bool) -> Any:
    """A transformer of text; `filled` when the model takes no NaN."""
    encoder = rng.choice([_one_hot, _one_hot, _one_hot, _one_hot, _ordinal, _target])(rng)
    before: list[Any] = []
    if rng.random() < 0.5 or (filled and isinstance(encoder, preprocessing.OrdinalEncoder)):
        strategy = rng.choice(["constant", "most_frequent"])
        fill = "none" if strategy == "constant" else None
        before = [impute.SimpleImputer(strategy=strategy, fill_value=fill)]
    if _seldom(rng):
        before = [preprocessing.FunctionTransformer(lower), *before]
    return pipeline.make_pipeline(*before, encoder) if before else encoder


_IMPUTERS = (
    impute.SimpleImputer(),
    impute.SimpleImputer(strategy="median", add_indicator=True),
    impute.SimpleImputer(strategy="most_frequent"),
    impute.SimpleImputer(strategy="constant", fill_value=-1),
)
_SCALERS = (
    preprocessing.StandardScaler(),
    preprocessing.StandardScaler(with_mean=False),
    preprocessing.MinMaxScaler(clip=True),
    preprocessing.MinMaxScaler((-1, 1)),
    preprocessing.MaxAbsScaler(),
    preprocessing.RobustScaler(),
    preprocessing.QuantileTransformer(n_quantiles=20),
    preprocessing.PowerTransformer(),
    preprocessing.KBinsDiscretizer(4, encode="onehot", quantile_method="linear"),
    preprocessing.KBinsDiscretizer(4, encode="ordinal", strategy="uniform"),
    preprocessing.FunctionTransformer(np.cbrt),
    preprocessing.PolynomialFeatures(include_bias=False, interaction_only=True),
    preprocessing.Normalizer(),
)


def numbers(rng: Random, *, filled: bool) -> Any:
    """A transformer of numbers; `filled` when the model takes no NaN."""
    steps: list[Any] = [clone(rng.choice(_IMPUTERS))] if filled or rng.random() < 0.5 else []
    steps += [clone(each) for each in rng.sample(_SCALERS, rng.randrange(3))]
    if not steps:
        return "passthrough"
    return pipeline.make_pipeline(*steps) if len(steps) > 1 or rng.random() < 0.5 else steps[0]


def _chosen(rng: Random, names: Sequence[str], dtype: Any) -> Any:
    """Columns by name, or by the type of what is in them."""
    selector = compose.make_column_selector(dtype_include=dtype)
    return selector if _sometimes(rng) else list(names)


def _columns(rng: Random, chosen: Sequence[str], *, filled: bool) -> Any:
    text = [name for name in chosen if name in TEXTS]
    number = [name for name in chosen if name in NUMBERS]
    parts: list[Any] = []
    if text:
        words = _seldom(rng)
        parts += [("w", feature_extraction.text.CountVectorizer(analyzer="char"), text.pop())] if words else []
        parts += [("t", texts(rng, filled=filled), text)] if text else []
    if "day" in chosen:
        parts.append(
            ("d", pipeline.make_pipeline(preprocessing.FunctionTransformer(days), clone(_IMPUTERS[0])), ["day"])
        )
    passed = not filled and _sometimes(rng)
    if number and not passed:
        parts.append(("n", numbers(rng, filled=filled), _chosen(rng, number, "number")))
    made = compose.ColumnTransformer(
        rng.sample(parts, len(parts)),
        remainder="passthrough" if passed else "drop",
        sparse_threshold=rng.choice([0, 0.3, 1.0, 1.0, 1.0]),
    )
    return pipeline.make_pipeline(made) if _sometimes(rng) else made


_AFTER = (
    preprocessing.MaxAbsScaler(),
    feature_selection.VarianceThreshold(),
    decomposition.TruncatedSVD(2, random_state=0),
)


def drawn(rng: Random, family: Family) -> Drawn:
    """A pipeline whose model is one of a family; the same for the same numbers of `rng`."""
    model, target = rng.choice(family.models)
    text = rng.sample(TEXTS, rng.choice((0, 1, 2, 2, 3)))
    number = rng.sample(NUMBERS, rng.randrange(0 if text else 1, 5))
    if family.native:
        return _with_categories(rng, clone(model), target, text or ["city"], number or ["age"])
    day = ["day"] if _seldom(rng) else []
    steps: list[Any] = []
    if text or day or not _sometimes(rng):
        steps = [_columns(rng, [*text, *number, *day], filled=not family.takes_nan)]
    else:
        number = [name for name in number if name in FLOATS] or ["amount"]
        made = numbers(rng, filled=not family.takes_nan)
        steps = [] if made == "passthrough" else [made]
    if _seldom(rng):
        steps.append(clone(rng.choice(_AFTER)))
    estimator = pipeline.make_pipeline(*steps, clone(model))
    return Drawn(estimator, _mixed(rng, [*text, *number, *day]), target, _sometimes(rng), (), rng.randrange(2**31))


def _mixed(rng: Random, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(rng.sample(names, len(names)))


def _with_categories(rng: Random, model: Any, target: str, text: list[str], number: list[str]) -> Drawn:
    """A model that is told which of its features are categories, or finds them by their type."""
    columns = _mixed(rng, [*text, *number])
    kind = rng.choice(("from_dtype", "whole", "mask", "places"))
    if kind == "from_dtype":
        number = [name for name in number if name not in ("price", "asked")]
        columns = _mixed(rng, [*text, *number])
        return Drawn(model, columns, target, True, tuple(text), rng.randrange(2**31))
    if kind == "whole":
        model.set_params(categorical_features=["count", "level"])
        columns = _mixed(rng, ["count", "level", rng.choice(FLOATS)])
        return Drawn(model, columns, target, _sometimes(rng), (), rng.randrange(2**31))
    unknown = rng.choice(({}, {"handle_unknown": "use_encoded_value", "unknown_value": rng.choice((-1, np.nan))}))
    encoders = [("t", preprocessing.OrdinalEncoder(**unknown), text)]
    features = compose.ColumnTransformer(encoders, remainder=rng.choice(_REMAINDERS))
    mask = [True] * len(text) + [False] * len(number)
    model.set_params(categorical_features=mask if kind == "mask" else list(range(len(text))))
    return Drawn(pipeline.make_pipeline(features, model), columns, target, _sometimes(rng), (), rng.randrange(2**31))


_REMAINDERS = ("passthrough", preprocessing.StandardScaler(), impute.SimpleImputer())


def wanted() -> int:
    """How many pipelines all families together are tried with."""
    return int(os.environ.get("SCORELINE_PARITY", "220"))
