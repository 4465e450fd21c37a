"""Over two hundred pipelines drawn at random: every answer of a bundle, by whichever tier, is scikit-learn's own."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, note, reject, settings
from hypothesis import strategies as st
from sklearn.tree import BaseDecisionTree
from tests.compiled.parity.models import FAMILIES
from tests.compiled.parity.pipelines import Drawn, drawn, wanted
from tests.compiled.parity.rows import FLOATS, beside, hard, ordinary, schema_of, target

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.as_pandas import as_pandas, as_read
from scoreline.bundle.bisection import Outcome, predict_or_refuse
from scoreline.bundle.bundle import Bundle, answer_type_of
from scoreline.bundle.compiling import scorer_of
from scoreline.cleaning import Cleaning, CleanPart
from scoreline.compiled import blas_scores, linear_kernel
from scoreline.compiled import scorer as scorer_module
from scoreline.compiled.answers import as_rows, class_labels
from scoreline.compiled.cache import FOLDER
from scoreline.compiled.sparse_linear import scoring_method
from scoreline.contract import Contract
from scoreline.frame import to_frame
from scoreline.threads import limited

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from tests.compiled.parity.models import Family

EACH = -(-wanted() // len(FAMILIES))
TRAINING_ROWS, ROWS, HARD_ROWS = 160, 256, 24
OWN_DTYPES = {
    "bool": "boolean",
    "int64": "Int64",
    "int32": "Int32",
    "int16": "Int16",
    "float": "Float32",
    "double": "double[pyarrow]",
}
LARGE_ROWS = blas_scores.ROWS[0]
"""Of linear models: smaller matrices are added up in other orders."""


@pytest.fixture(scope="module", autouse=True)
def _at_once() -> Iterator[None]:
    """Every part is compiled from the first one on, by one thread; hard rows overflow on purpose."""
    with pytest.MonkeyPatch.context() as patch, limited(1), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name in ("FIRST_ROWS", "KERNEL_ROWS", "LEAST_ROWS"):
            patch.setattr(scorer_module, name, 1)
        patch.setattr(linear_kernel, "KERNEL_ROWS", 1)
        patch.setattr(blas_scores, "ENOUGH_ROWS", 1)
        yield


@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FAMILIES)
def test_every_answer_is_that_of_scikit_learn(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))
    tiers: Counter[str] = Counter()
    tried: set[str] = set()

    @settings(
        max_examples=EACH,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=True))
    def one(rng: Random) -> None:
        # Families are drawn apart, or all of them would have the same features.
        case = drawn(Random(f"{name} {rng.random()}"), FAMILIES[name])  # noqa: S311
        note(repr(case))
        bundle = fitted(case, tmp_path)
        asked = [(part, of_scikit_learn(bundle, part)) for part in parts(case, bundle)]
        for part, expected in asked:
            same(bundle, part, expected)
        tried.add(repr(case))
        tiers[bundle.scorer.tier] += 1
        # Another process, which need not prove what this one has proven, and is given the hardest rows first.
        scorer_of.cache_clear()
        again = replace(bundle)
        for part, expected in reversed(asked):
            same(again, part, expected)

    one()
    print(f"{name}: {len(tried)} pipelines, {dict(sorted(tiers.items()))}")  # noqa: T201
    check(FAMILIES[name], len(tried), tiers)


def check(family: Family, tried: int, tiers: Counter[str]) -> None:
    """Enough pipelines were tried, and enough of them in a fast tier, so that the comparison says something."""
    assert tried >= 0.95 * EACH
    assert tiers["A"] >= family.compiled * EACH
    assert tiers["A"] + tiers["B"] >= family.faster * EACH


def fitted(case: Drawn, folder: Path) -> Bundle:
    """A bundle of the pipeline, fitted; what cannot be fitted is drawn again."""
    schema = schema_of(case.columns)
    if case.from_pandas:
        stored = {name: pa.dictionary(pa.int32(), pa.string()) for name in case.encoded}
        if case.seed % 2:
            owned = (field for field in schema if str(field.type) in OWN_DTYPES)
            stored |= {field.name: pa.opaque(field.type, OWN_DTYPES[str(field.type)], "pandas") for field in owned}
        schema = pa.schema([as_read(field, stored.get(field.name, field.type)) for field in schema])
    table = ordinary(case.columns, TRAINING_ROWS, case.seed)
    frame = (as_pandas if case.from_pandas else to_frame)(table, schema, {})
    try:
        case.estimator.fit(frame, target(table, case.target, case.seed))
        answers = case.estimator.predict(frame)
    except (ArithmeticError, TypeError, ValueError):
        reject()
    path = folder / "pipeline.joblib"
    joblib.dump(case.estimator, path)
    return Bundle(
        contract=Contract(schema, {}),
        needs=case.columns,
        cleaning=Cleaning(()),
        inputs=schema,
        model=ArtifactConfig(uri=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), trust=True),
        transformer=None,
        answer_type=answer_type_of(as_rows(answers)),
        labels=class_labels(case.estimator),
        from_pandas=case.from_pandas,
    )


def parts(case: Drawn, bundle: Bundle) -> Iterator[pa.Table]:
    """Ordinary rows, hard ones that are mostly answered, and some with many hard values, of which many are refused."""
    pipeline = bundle.fitted.model
    near, model = thresholds(case, pipeline), getattr(pipeline, "steps", [("", pipeline)])[-1][1]
    yield ordinary(case.columns, ROWS, case.seed + 1)
    yield hard(ordinary(case.columns, ROWS, case.seed + 2), near, case.seed, often=0.003)
    yield hard(ordinary(case.columns, HARD_ROWS, case.seed + 3), near, case.seed + 1, often=0.15)
    if scoring_method(model) is not None:
        yield ordinary(case.columns, LARGE_ROWS, case.seed + 4)
        yield hard(ordinary(case.columns, LARGE_ROWS, case.seed + 5), near, case.seed + 2, often=0.0001)


def thresholds(case: Drawn, pipeline: Any) -> dict[str, np.ndarray]:
    """For every column of floats the numbers at which some tree may decide otherwise, and those beside them."""
    model = getattr(pipeline, "steps", [("", pipeline)])[-1][1]
    trees = [model] if isinstance(model, BaseDecisionTree) else np.ravel(getattr(model, "estimators_", []))
    cuts = [tree.tree_.threshold[tree.tree_.children_left != -1] for tree in trees if hasattr(tree, "tree_")]
    cuts += [each.nodes["num_threshold"] for stage in getattr(model, "_predictors", []) for each in stage]
    if not cuts:
        return {}
    every = np.unique(np.concatenate(cuts))
    raw = [every, *(every * scaler.scale_[0] + scaler.mean_[0] for scaler in _scalers(pipeline))]
    finite = np.concatenate(raw)
    return {name: beside(finite[np.isfinite(finite)]) for name in FLOATS if name in case.columns}


def _scalers(estimator: Any) -> Iterator[Any]:
    if getattr(estimator, "mean_", None) is not None and getattr(estimator, "scale_", None) is not None:
        yield estimator
    inside = [step for _, step, *_ in [*getattr(estimator, "steps", ()), *getattr(estimator, "transformers_", ())]]
    for each in inside:
        yield from _scalers(each)


def of_scikit_learn(bundle: Bundle, table: pa.Table) -> Outcome:
    """What scikit-learn itself answers, and what it refuses."""
    frame = bundle.frame(table)
    expected = predict_or_refuse(bundle.fitted, frame, proba=hasattr(bundle.fitted.model, "predict_proba"))
    answered(bundle.fitted.model, frame, np.setdiff1d(np.arange(table.num_rows), expected.positions))
    return expected


def same(bundle: Bundle, table: pa.Table, expected: Outcome) -> None:
    """The rows that scikit-learn answers are answered alike to the last bit, and those that it refuses are refused."""
    labels = bundle.score(CleanPart(table, np.arange(table.num_rows)))
    # As text NaN equals itself, and -0.0 is not 0.0.
    assert repr(row_by_row(labels.predictions)) == repr(np.asarray(expected.predictions).tolist())
    scored = bundle.score(CleanPart(table, np.arange(table.num_rows)), proba=expected.proba is not None)
    assert repr(row_by_row(scored.predictions)) == repr(row_by_row(labels.predictions))
    assert scored.positions.tolist() == expected.positions.tolist()
    found = [(r.rows.tolist(), r.reason, r.detail, r.column) for r in scored.refusals]
    assert found == [(r.rows.tolist(), r.reason, r.detail, r.column) for r in expected.refusals]
    if scored.proba is not None and expected.proba is not None:
        assert scored.proba.tobytes() == expected.proba.tobytes()


def row_by_row(predictions: pa.Array) -> list[Any]:
    """What is predicted for each row; of several outputs a list."""
    found = predictions.to_pylist()
    return [list(each.values()) for each in found] if pa.types.is_struct(predictions.type) else found


def answered(pipeline: Any, frame: pd.DataFrame, refused: np.ndarray) -> None:
    """scikit-learn itself raises for each of the refused rows, and for none of the others."""
    pipeline.predict(frame.drop(index=refused))
    for row in refused.tolist():
        with pytest.raises((TypeError, ValueError)):
            pipeline.predict(frame.iloc[[row]])
