"""Train: gather the sample, search parameters, fit the model, and make the bundle."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle, answer_type_of
from scoreline.bundle.files import MODEL, dumped, write_bundle
from scoreline.bundle.golden import ROWS, golden_rows
from scoreline.cleaning import Cleaning, admitted
from scoreline.compiled.trials import REAL_ROWS
from scoreline.errors import DataError, Problem, ScorelineError
from scoreline.population import GROUP_HASH, row_groups
from scoreline.storage import create, join
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scoreline.clusters.base import Session
    from scoreline.contract import Contract
    from scoreline.population import Population
    from scoreline.recipe import Recipe
    from scoreline.search import SearchConfig, Searched
    from scoreline.sources.base import Source
    from scoreline.units import Unit


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


def search_parameters(session: Session, recipe: Recipe, search: SearchConfig) -> Searched:
    """Score the parameters to try. Eager, one task for each candidate and fold. Raises ModelError when none is good."""
    from scoreline.search import Searched, candidates

    tried = candidates(search, recipe.seed)
    pairs = [(candidate, fold) for candidate in tried for fold in range(search.folds)]
    found = dict(session.map(partial(score_one, recipe, search), pairs, "search"))
    cuts = range(search.folds)
    return Searched(tried, tuple(tuple(found[n * search.folds + fold] for fold in cuts) for n in range(len(tried))))


def score_one(recipe: Recipe, search: SearchConfig, pair: tuple[Mapping[str, Any], int]) -> float:
    """The score of one candidate on one fold of the sample."""
    from scoreline.search import folds, score_candidate

    candidate, fold = pair
    sample = recipe.sample()
    features, target = recipe.matrix(recipe.features(), sample)
    groups = sample[GROUP_HASH].to_numpy() if GROUP_HASH in sample.column_names else None
    rows = folds(target, recipe.task, search.folds, recipe.seed, groups)[fold]
    with limited(recipe.threads):
        return score_candidate(recipe.trying(candidate).estimator(), features, target, rows, search.metric)


def train(session: Session, task: BundleTask, searched: Searched | None) -> MadeBundle:
    """Fit the model, with the best parameters of a search, and make the bundle, in one task on the cluster. Eager.

    A model that learns in parts goes over all training rows first, from one batch to the next.
    """
    params = {} if searched is None else searched.best
    provenance = {**task.provenance, **({} if searched is None else {"search": searched.as_json()})}
    task = replace(task, recipe=task.recipe.trying(params), provenance=provenance)
    learned = None if task.recipe.population is None else learn_in_parts(session, task.recipe, task.recipe.population)
    ((_, made),) = session.map(partial(make_bundle, params=params, learned=learned), [task], "train")
    return made


def make_bundle(task: BundleTask, params: Mapping[str, Any], learned: Learned | None = None) -> MadeBundle:
    """Fit and write the bundle in this process. The same task gives the same predictions anywhere."""
    pipeline, rows = _fitted(task.recipe, learned)
    body = dumped(pipeline)
    sha256 = hashlib.sha256(body).hexdigest()
    uri = join(task.models, f"{task.train_key[:12]}-{sha256[:8]}")
    create(join(uri, MODEL), body)
    bundle = _bundle(task, pipeline, ArtifactConfig(uri=join(uri, MODEL), sha256=sha256, trust=True))
    provenance = {**task.provenance, "train_key": task.train_key, "rows": rows, "params": dict(params)}
    golden = golden_rows(bundle, _raw_rows(task.origin))
    write_bundle(uri, bundle, pipeline, golden, provenance, real=task.recipe.head(REAL_ROWS))
    return MadeBundle(uri, sha256, rows, dict(params))


def _fitted(recipe: Recipe, learned: Learned | None) -> tuple[Any, int]:
    from sklearn.pipeline import Pipeline

    features = recipe.features()
    if learned is not None:
        return Pipeline([("features", features), ("model", learned.estimator)]), learned.rows
    sample = recipe.sample()
    rows, target = recipe.matrix(features, sample)
    with limited(recipe.threads), _told(recipe):
        estimator = recipe.estimator().fit(rows, target)
    return Pipeline([("features", features), ("model", estimator)]), sample.num_rows


@contextmanager
def _told(recipe: Recipe) -> Iterator[None]:
    """Raise DataError for what an estimator says of rows from which it cannot learn."""
    try:
        yield
    except (ScorelineError, ImportError, OSError, MemoryError):
        raise
    except Exception as error:  # estimators of other packages have exceptions of their own
        what = f"{recipe.model.kind} cannot learn from these rows: {str(error).partition(chr(10))[0]}"
        advice = f"look at the target '{recipe.target}', at the features, and at the parameters of the model"
        raise DataError(Problem(what, "$.train.model", advice)) from error


@dataclass(frozen=True, eq=False)
class Learned:
    """An estimator that learned in parts, and from how many rows."""

    estimator: Any
    rows: int


def learn_in_parts(session: Session, recipe: Recipe, population: Population) -> Learned:
    """Fit the estimator on all training rows, a batch at a time in input order; eager.

    With workers, batches are loaded and transformed side by side while the estimator goes from one to the next; the
    result is the same. BLAS has one thread in both, since workers have one.
    """
    from scoreline.incremental import fit_incremental, fit_incremental_on

    features = recipe.features()
    counts = dict(session.map(partial(_labels, recipe), [population.only(unit) for unit in population.units], "labels"))
    loaders = [
        partial(load_batch, recipe, features, population.only(unit), group)
        for unit in population.units
        for group in range(row_groups(unit))
    ]
    classes = (
        None if recipe.task == "regression" else np.unique(np.concatenate([found for _, found in counts.values()]))
    )
    rows = sum(count for count, _ in counts.values())
    if session.client is not None:
        with _told(recipe):
            return Learned(fit_incremental_on(session.client, recipe.estimator(), loaders, classes), rows)
    with limited(1), _told(recipe):
        return Learned(fit_incremental(recipe.estimator(), (load() for load in loaders), classes), rows)


def _labels(recipe: Recipe, population: Population) -> tuple[int, np.ndarray]:
    """Training rows of a unit, and the labels among them."""
    values = [recipe.target_values(batch.table) for batch in population.batches([recipe.target], "train")]
    return sum(map(len, values)), np.unique(np.concatenate(values)) if values else np.empty(0, dtype=object)


def load_batch(recipe: Recipe, features: Any, population: Population, group: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and target of the training rows in one row group of a unit."""
    columns = [*recipe.inputs.names, recipe.target]
    for batch in population.batches(columns, "train", group):
        return recipe.matrix(features, batch.table)
    return np.empty((0, len(features.get_feature_names_out()))), np.empty(0, dtype=object)


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
