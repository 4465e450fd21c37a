"""A bundle answers for large parts as for small ones: the same rows, values and reasons, whichever tier answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bisection import MANY, predict_or_refuse
from scoreline.bundle.bundle import Bundle, Scored
from scoreline.bundle.compiling import stated_of
from scoreline.cleaning import Cleaning, CleanPart
from scoreline.compiled import scorer as scorer_module
from scoreline.compiled.doubts import MOST_DOUBTS
from scoreline.compiled.scorer import KERNEL_ROWS, LEAST_ROWS
from scoreline.contract import Contract

CITIES = ["Natal", "Olinda", "Recife"]
SCHEMA = pa.schema([("city", pa.string()), ("amount", pa.float64())])


@pytest.fixture(scope="module", autouse=True)
def _at_once() -> Iterator[None]:
    """Parts are compiled from the first one on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scorer_module, "FIRST_ROWS", 1)
        patch.setattr(scorer_module, "FEW_TREES", 1)
        yield


def rows(count: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    amounts = pa.array(rng.normal(0, 1, count), mask=rng.random(count) < 0.1)
    return pa.table([pa.array(rng.choice(CITIES, count)), amounts], schema=SCHEMA)


def bundle(folder: Path, model: Any, *, apart: bool = False, from_pandas: bool = False) -> Bundle:
    """A bundle whose encoder refuses cities that it does not know."""
    table = rows(300, 1)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer((OneHotEncoder(sparse_output=False), ["city"]), (numbers, ["amount"]))
    target = np.nan_to_num(table["amount"].to_numpy()) + np.array([len(city) for city in table["city"].to_pylist()])
    classes = np.digitize(target, [5, 6])
    frame = table.to_pandas()
    pipeline = make_pipeline(columns, model).fit(frame, target if isinstance(model, KNeighborsRegressor) else classes)
    artifacts = [kept(folder / "transformer.joblib", pipeline[0]), kept(folder / "model.joblib", pipeline[1])]
    return Bundle(
        contract=Contract(SCHEMA, {}),
        needs=("city", "amount"),
        cleaning=Cleaning(()),
        inputs=SCHEMA,
        model=artifacts[1] if apart else kept(folder / "pipeline.joblib", pipeline),
        transformer=artifacts[0] if apart else None,
        answer_type=pa.float64() if isinstance(model, KNeighborsRegressor) else pa.int64(),
        labels=None if isinstance(model, KNeighborsRegressor) else (0, 1, 2),
        from_pandas=from_pandas,
    )


def kept(path: Path, fitted: Pipeline) -> ArtifactConfig:
    joblib.dump(fitted, path)
    return ArtifactConfig(uri=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), trust=True)


def part(table: pa.Table) -> CleanPart:
    return CleanPart(table, np.arange(table.num_rows) * 2)


def same(made: Bundle, table: pa.Table, *, proba: bool) -> Scored:
    """The part scored, after a comparison with scikit-learn alone."""
    scored = made.score(part(table), proba=proba)
    expected = predict_or_refuse(made.fitted, made.frame(table), proba=proba)
    assert scored.predictions.to_pylist() == expected.predictions.tolist()
    assert scored.positions.tolist() == (expected.positions * 2).tolist()
    found = [(r.rows.tolist(), r.reason, r.detail, r.column, r.stage) for r in scored.refusals]
    assert found == [((r.rows * 2).tolist(), r.reason, r.detail, r.column, r.stage) for r in expected.refusals]
    if proba:
        assert scored.proba is not None
        assert expected.proba is not None
        assert scored.proba.tobytes() == expected.proba.tobytes()
    return scored


@pytest.fixture(scope="module")
def logistic(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle(tmp_path_factory.mktemp("logistic"), LogisticRegression())


@pytest.mark.parametrize(
    ("model", "tier"),
    [(LogisticRegression(), "A"), (KNeighborsRegressor(), "B"), (HistGradientBoostingClassifier(max_iter=3), "B")],
)
@pytest.mark.parametrize("apart", [True, False])
def test_large_parts_are_scored_by_a_faster_tier_which_is_told(
    tmp_path: Path, model: Any, tier: str, apart: bool
) -> None:
    made = bundle(tmp_path, model, apart=apart)
    scored = same(made, rows(LEAST_ROWS, 2), proba=made.labels is not None)
    assert scored.tier == tier == made.scorer.tier


def test_frames_as_pandas_reads_them_are_compiled_too(tmp_path: Path) -> None:
    made = bundle(tmp_path, LogisticRegression(), from_pandas=True)
    assert same(made, rows(LEAST_ROWS, 2), proba=True).tier == "A"


def test_small_parts_are_scored_by_scikit_learn_alone(logistic: Bundle) -> None:
    assert same(logistic, rows(LEAST_ROWS - 1, 2), proba=True).tier == "C"


def test_a_process_compiles_a_bundle_once(logistic: Bundle) -> None:
    assert logistic.scorer is logistic.scorer


BAD = st.tuples(
    st.integers(0, LEAST_ROWS - 1),
    st.sampled_from(["Porto", "", None, "Natal"]),
    st.sampled_from([None, np.inf, 1e308]),
)
MODELS = {
    "A": LogisticRegression(),
    "A by row": DecisionTreeClassifier(random_state=0),
    "B": MLPClassifier((4,), max_iter=3, random_state=0),
}


@pytest.fixture(scope="module", params=MODELS)
def tiered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Bundle]:
    made = bundle(tmp_path_factory.mktemp("tiered"), clone(MODELS[request.param]))
    # Trees are compiled once so many rows have come.
    for seed in range(-(-KERNEL_ROWS // (8 * LEAST_ROWS))):
        made.score(part(rows(8 * LEAST_ROWS, seed)))
    return request.param[0], made


def with_bad(bad: list[tuple[int, Any, Any]]) -> pa.Table:
    table = rows(LEAST_ROWS, 3)
    columns = [table[name].to_pylist() for name in SCHEMA.names]
    for row, city, amount in bad:
        columns[0][row], columns[1][row] = city, amount
    return pa.table(columns, schema=SCHEMA)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=15, deadline=None)
@given(st.lists(BAD, max_size=6), st.booleans())
def test_rows_in_doubt_alone_are_left_to_scikit_learn(
    tiered: tuple[str, Bundle], bad: list[tuple[int, Any, Any]], proba: bool
) -> None:
    tier, made = tiered
    assert same(made, with_bad(bad), proba=proba).tier == tier


@pytest.mark.filterwarnings("ignore")
def test_more_rows_in_doubt_than_are_worth_telling_apart_are_left_to_scikit_learn_together(
    tiered: tuple[str, Bundle],
) -> None:
    _, made = tiered
    assert MOST_DOUBTS <= MANY
    assert same(made, with_bad([(row, "Porto", 1.0) for row in range(MOST_DOUBTS)]), proba=False).tier != "C"
    assert same(made, with_bad([(row, "Porto", 1.0) for row in range(MOST_DOUBTS + 1)]), proba=False).tier == "C"


def test_a_bundle_states_what_its_proof_depends_on(logistic: Bundle) -> None:
    stated = stated_of(logistic.fitted, logistic.inputs, from_pandas=True)
    assert stated is not None
    assert stated["fitted"] == (logistic.model.sha256,)
    others = [
        stated_of(logistic.fitted, logistic.inputs, from_pandas=False),
        stated_of(logistic.fitted, SCHEMA.set(1, pa.field("amount", pa.float32())), from_pandas=True),
        stated_of(logistic.fitted, SCHEMA.set(1, pa.field("amount", pa.float64(), nullable=False)), from_pandas=True),
    ]
    assert stated not in others


def test_what_brings_code_of_its_own_is_proven_by_every_process(logistic: Bundle) -> None:
    unknown = replace(logistic.fitted, hashes=())
    own = replace(logistic.fitted, transformer=FunctionTransformer(np.nan_to_num).set_params(func=rows))
    assert [stated_of(each, SCHEMA, from_pandas=True) for each in (unknown, own)] == [None, None]
