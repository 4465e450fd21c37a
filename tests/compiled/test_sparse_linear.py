"""Linear models of sparse matrices: every prediction and probability of scikit-learn, to the last bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.svm import LinearSVC, LinearSVR
from tests.compiled.cases import Case, columns, fit, fitted, some_rows, tables

from scoreline.compiled import linear_kernel
from scoreline.compiled.answers import Answers
from scoreline.compiled.dictionary import Declined
from scoreline.compiled.linear import compile_linear
from scoreline.compiled.matrix import Encoding, layout_of
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.sparse_linear import SparseLinear, scoring_method
from scoreline.compiled.way import Way, no_look_up

STEPS: dict[str, Any] = {"max_iter": 20, "tol": None, "random_state": 0}
MODELS: dict[str, tuple[Any, str]] = {
    "logistic": (LogisticRegression(max_iter=20), "four"),
    "logistic_of_two": (LogisticRegression(max_iter=20), "two"),
    "ridge_classifier": (RidgeClassifier(), "four"),
    "hinge": (SGDClassifier(**STEPS), "two"),
    "sgd": (SGDClassifier(loss="modified_huber", **STEPS), "four"),
    "perceptron": (Perceptron(**STEPS), "four"),
    "svm": (LinearSVC(random_state=0, max_iter=50), "two"),
    "least_squares": (LinearRegression(), "number"),
    "ridge": (Ridge(), "number"),
    "lasso": (Lasso(0.01), "number"),
    "elastic": (ElasticNet(0.01), "number"),
    "steps": (SGDRegressor(**STEPS), "number"),
    "poisson": (PoissonRegressor(max_iter=10), "number"),
    "tweedie": (TweedieRegressor(power=1.5, link="log", max_iter=10), "number"),
    "huber": (HuberRegressor(max_iter=10), "number"),
    "support": (LinearSVR(random_state=0, max_iter=20), "number"),
}
NUMBER_KINDS = ("standard", "min_max", "robust", "max_abs", "quantile", "bins", "function")


def case_of(name: str, number: str = "standard", text: str = "sparse") -> Case:
    model, target = MODELS[name]
    return fitted(number, text, model, target, 1.0)


def way(case: Case) -> Way:
    encoding = Encoding(case.plan, case.schema, case.frame, no_look_up)
    blocks = encoding.blocks(some_rows(20))
    model = compile_linear(case.plan, layout_of(blocks, encoding.stacked(blocks, 20)))
    assert isinstance(model, SparseLinear), model
    return Way(Encoding(case.plan, case.schema, case.frame, model.derive), case.plan.model, model)


def answered(case: Case, table: Any) -> Answers:
    """The answers of the compiled model itself. Raises Declined as it does."""
    work = way(case)
    assert work.compiled is not None
    return work.compiled.answers(work.encoding.blocks(table), table.num_rows, proba=case.proba)


CHOOSING = [name for name, (_, target) in MODELS.items() if target != "number"]


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CHOOSING), st.sampled_from(NUMBER_KINDS), st.sampled_from(["sparse", "filled"]), tables())
def test_labels_by_machine_code_are_those_of_scikit_learn(name: str, number: str, text: str, table: Any) -> None:
    case = case_of(name, number, text)
    work = way(case)
    assert isinstance(work.compiled, SparseLinear)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_kernel, "KERNEL_ROWS", 1)
        work.answers(some_rows(50, nulls=False), proba=False)
    assert work.compiled.trial.kernel is not None
    expected = case.expected(table, False)
    try:
        found = work.answers(table, proba=False)
    except Exception:  # noqa: BLE001  whatever is refused
        return
    assert expected is not None
    assert found.agrees(expected, 0)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(MODELS)), st.sampled_from(NUMBER_KINDS), st.sampled_from(["sparse", "filled"]), tables())
def test_answers_are_those_of_scikit_learn(name: str, number: str, text: str, table: Any) -> None:
    case = case_of(name, number, text)
    expected = case.expected(table, case.proba)
    try:
        found = answered(case, table)
    except Exception:  # noqa: BLE001
        assert expected is None
    else:
        assert expected is not None
        assert found.agrees(expected, 0)


@pytest.mark.parametrize("name", MODELS)
def test_many_rows_are_answered_to_the_last_bit(name: str) -> None:
    case, table = case_of(name), some_rows(9_001, seed=5)
    assert answered(case, table).agrees(case.reference(table, case.proba), 0)


def test_single_precision_is_added_up_in_single_precision() -> None:
    features = columns("standard", "float32", sparse_threshold=1.0)
    features.set_params(n="drop", t__sparse_output=True)
    case, table = fit(features, Ridge(), "number"), some_rows(500, seed=6)
    assert case.plan.model.coef_.dtype == np.float32
    assert answered(case, table).agrees(case.reference(table, False), 0)


def test_numbers_that_are_not_finite_are_left_to_scikit_learn() -> None:
    case = fit(columns("passthrough", "sparse", sparse_threshold=1.0), Ridge(), "number", nulls=False)
    with pytest.raises(Declined, match="refuses"):
        answered(case, some_rows(50))


def test_several_targets_are_not_compiled() -> None:
    case = case_of("ridge")
    case.plan.model.coef_ = np.stack([case.plan.model.coef_] * 2)
    encoding = Encoding(case.plan, case.schema, case.frame, no_look_up)
    blocks = encoding.blocks(some_rows(20))
    found = compile_linear(case.plan, layout_of(blocks, encoding.stacked(blocks, 20)))
    case.plan.model.coef_ = case.plan.model.coef_[0]
    assert isinstance(found, NotCompilable)


def test_flags_that_were_learned_together_are_no_classes() -> None:
    flags = np.array([[0, 1], [1, 0], [1, 1]])
    assert scoring_method(RidgeClassifier().fit(np.eye(3), flags)) is None
    assert scoring_method(RidgeClassifier().fit(np.eye(3), [0, 1, 1])) == "decision_function"
