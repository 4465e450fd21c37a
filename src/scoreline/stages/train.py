"""Train: gather the sample, search parameters, fit the model, and make the bundle."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle, answer_type_of
from scoreline.bundle.files import MODEL, dumped, write_bundle
from scoreline.bundle.golden import ROWS, golden_rows
from scoreline.cleaning import Cleaning, admitted
from scoreline.frame import to_frame
from scoreline.storage import create, join, open_input
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scoreline.clusters.base import Session
    from scoreline.contract import Contract
    from scoreline.features import FeatureFit
    from scoreline.models.base import Model
    from scoreline.population import Population
    from scoreline.search import SearchConfig
    from scoreline.sources.base import Source
    from scoreline.task import Task
    from scoreline.units import Unit


@dataclass(frozen=True, eq=False)
class Recipe:
    """How a model is fitted once the transformers are.

    Attributes
    ----------
    inputs : the feature columns after cleaning
    threads : threads that BLAS, OpenMP and the estimator may use; part of what makes the same model twice
    sample_uri : the rows that the model is fitted on
    population : when the model learns in parts: all rows, of which the training rows are used
    """

    model: Model
    task: Task
    fit: FeatureFit
    inputs: pa.Schema
    target: str
    seed: int
    threads: int
    sample_uri: str
    population: Population | None


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a bundle's input comes from: what raw rows are, and what cleaning makes of them at prediction.

    Attributes
    ----------
    needs : raw columns that the features need
    cleaning : the steps that feed the features
    modules : names of own modules
    """

    source: Source
    contract: Contract
    needs: tuple[str, ...]
    cleaning: Cleaning
    unit: Unit
    modules: tuple[str, ...]


@dataclass(frozen=True)
class MadeBundle:
    """A bundle that was made.

    Attributes
    ----------
    uri, sha256 : its folder, and the hash of its pipeline.joblib
    rows : rows that the model was fitted on
    params : parameters of the estimator that a search found best; empty without a search
    """

    uri: str
    sha256: str
    rows: int
    params: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class BundleTask:
    """Everything the one task that fits the model needs."""

    recipe: Recipe
    origin: Origin
    models: str
    train_key: str
    provenance: Mapping[str, Any]


def search_parameters(session: Session, recipe: Recipe, search: SearchConfig | None) -> dict[str, Any]:
    """The best of the parameters to try; empty without a search. Eager, one task for each candidate and fold."""
    if search is None:
        return {}
    from scoreline.search import best, candidates

    tried = candidates(search, recipe.seed)
    pairs = [(candidate, fold) for candidate in tried for fold in range(search.folds)]
    found = dict(session.map(partial(score_one, recipe, search), pairs, "search"))
    scores = [[found[number * search.folds + fold] for fold in range(search.folds)] for number in range(len(tried))]
    found_best: dict[str, Any] = best(tried, scores)
    return found_best


def score_one(recipe: Recipe, search: SearchConfig, pair: tuple[Mapping[str, Any], int]) -> float:
    """The score of one candidate on one fold of the sample."""
    from scoreline.search import folds, score_candidate

    candidate, fold = pair
    features, target = _sample_matrix(recipe)
    rows = folds(target, recipe.task, search.folds, recipe.seed)[fold]
    with limited(recipe.threads):
        estimator = _with(recipe.model, candidate).build(recipe.task, recipe.seed, recipe.threads)
        return score_candidate(estimator, features, target, rows, search.metric)


def _sample_matrix(recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    sample = read_sample(recipe.sample_uri)
    return matrix(recipe, recipe.fit.export(to_frame(sample.slice(0, ROWS), recipe.inputs)), sample)


def train(session: Session, task: BundleTask, params: Mapping[str, Any]) -> MadeBundle:
    """Fit the model and make the bundle, in one task on the cluster; `params` are a search's. Eager."""
    ((_, trained),) = session.map(partial(make_bundle, params=params), [task], "train")
    return trained


def make_bundle(task: BundleTask, params: Mapping[str, Any]) -> MadeBundle:
    """Fit and write the bundle in this process. The same task gives the same predictions anywhere."""
    recipe = task.recipe
    with limited(recipe.threads):
        pipeline, rows = _fitted(recipe, _with(recipe.model, params))
    body = dumped(pipeline)
    sha256 = hashlib.sha256(body).hexdigest()
    uri = join(task.models, f"{task.train_key[:12]}-{sha256[:8]}")
    create(join(uri, MODEL), body)
    bundle = _bundle(task, pipeline, ArtifactConfig(uri=join(uri, MODEL), sha256=sha256, trust=True))
    provenance = {**task.provenance, "train_key": task.train_key, "rows": rows, "params": dict(params)}
    write_bundle(uri, bundle, pipeline, golden_rows(bundle, _raw_rows(task.origin)), provenance)
    return MadeBundle(uri, sha256, rows, dict(params))


def _with(model: Model, params: Mapping[str, Any]) -> Model:
    return model.model_copy(update={"params": {**model.params, **params}})


def _fitted(recipe: Recipe, model: Model) -> tuple[Any, int]:
    from sklearn.pipeline import Pipeline

    sample = read_sample(recipe.sample_uri)
    features = recipe.fit.export(to_frame(sample.slice(0, ROWS), recipe.inputs))
    estimator = model.build(recipe.task, recipe.seed, recipe.threads)
    if recipe.population is None:
        estimator.fit(*matrix(recipe, features, sample))
        rows = sample.num_rows
    else:
        rows = _fit_in_parts(recipe, features, estimator, recipe.population)
    return Pipeline([("features", features), ("model", estimator)]), rows


def _fit_in_parts(recipe: Recipe, features: Any, estimator: Any, population: Population) -> int:
    """Fit on all training rows, a batch at a time in input order."""
    from scoreline.incremental import fit_incremental

    rows = 0

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        nonlocal rows
        for batch in population.batches([*recipe.inputs.names, recipe.target], "train"):
            rows += batch.table.num_rows
            yield matrix(recipe, features, batch.table)

    classes = None
    if recipe.task == "classification":
        seen = (target_values(b.table, recipe) for b in population.batches([recipe.target], "train"))
        classes = np.unique(np.concatenate([np.unique(values) for values in seen]))
    fit_incremental(estimator, parts(), classes)
    return rows


def read_sample(uri: str) -> pa.Table:
    """The sample's rows."""
    with open_input(uri) as file:
        return pq.read_table(file, use_threads=False)


def matrix(recipe: Recipe, features: Any, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Features, float64 (rows, features), and target of a table of cleaned rows."""
    return np.asarray(features.transform(to_frame(table, recipe.inputs))), target_values(table, recipe)


def target_values(table: pa.Table, recipe: Recipe) -> np.ndarray:
    """The target as scikit-learn takes it: float64, or labels as object, int64 or bool."""
    column = table[recipe.target]
    if recipe.task == "regression":
        return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    return np.asarray(column.to_pylist(), dtype=object if _is_text(column.type) else None)


def _is_text(arrow_type: pa.DataType) -> bool:
    plain = arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))


def _bundle(task: BundleTask, pipeline: Any, model: ArtifactConfig) -> Bundle:
    recipe, origin = task.recipe, task.origin
    classes = pipeline.classes_ if recipe.task == "classification" else None
    return Bundle(
        contract=origin.contract,
        needs=origin.needs,
        cleaning=origin.cleaning,
        inputs=recipe.inputs,
        model=model,
        transformer=None,
        answer_type=pa.float64() if classes is None else answer_type_of(classes),
        labels=None if classes is None else tuple(classes.tolist()),
        modules=origin.modules,
        target=recipe.target,
    )


def _raw_rows(origin: Origin) -> pa.Table:
    """Raw rows for the golden file, evenly from the first part of one unit, refused ones left out."""
    contract = origin.contract.only(origin.needs)
    for raw in origin.source.read(origin.unit, contract, origin.needs, 20 * ROWS):
        rows = admitted(raw, contract).table
        return rows.take(
            pa.array(np.unique(np.linspace(0, max(rows.num_rows - 1, 0), min(ROWS, rows.num_rows)).astype(int)))
        )
    return contract.schema.empty_table()
