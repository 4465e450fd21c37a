"""Linear models: the labels of scikit-learn, or no answer; probabilities and predictions to the last bit."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from tests.compiled.blas import known_blas
from tests.compiled.cases import NUMBER_KINDS, TEXT_KINDS, Case, columns, fit, fitted, some_rows, tables

from scoreline.compiled import blas_scores, linear, linear_kernel
from scoreline.compiled.answers import Answers
from scoreline.compiled.blas_scores import ROWS, BlasScores
from scoreline.compiled.dictionary import Declined
from scoreline.compiled.linear import LinearModel, LinearRegressor, compile_linear
from scoreline.compiled.linear_kernel import Kernel
from scoreline.compiled.matrix import Encoding, Layout, layout_of
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.way import Way, no_look_up
from scoreline.threads import limited

MODELS = {
    "logistic": LogisticRegression(max_iter=20),
    "liblinear": LogisticRegression(solver="liblinear", random_state=0),
    "ridge": RidgeClassifier(),
    "hinge": SGDClassifier(random_state=0, max_iter=20, tol=None),
    "sgd": SGDClassifier(loss="log_loss", random_state=0, max_iter=20, tol=None),
    "svm": LinearSVC(random_state=0),
    "perceptron": Perceptron(random_state=0, max_iter=20, tol=None),
}
FILLED = [kind for kind in NUMBER_KINDS if kind not in ("unfilled", "passthrough")]


def compiled(case: Case) -> Any:
    encoding = Encoding(case.plan, case.schema, case.frame, no_look_up)
    blocks = encoding.blocks(some_rows(20))
    return compile_linear(case.plan, layout_of(blocks, encoding.stacked(blocks, 20)))


def answered(case: Case, table: pa.Table, *, in_code: bool = False) -> Answers:
    """The answers of the compiled model itself, by machine code or without. Raises Declined as it does."""
    model = compiled(case)
    assert isinstance(model, LinearModel)
    encoding = Encoding(case.plan, case.schema, case.frame, model.derive)
    if in_code:
        model.trial.kernel = model.kernel(encoding.blocks(some_rows(20)))
        assert model.trial.kernel is not None
    return model.answers(encoding.blocks(table), table.num_rows, proba=False)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(MODELS)),
    st.tuples(st.sampled_from(FILLED), st.sampled_from(TEXT_KINDS)),
    st.booleans(),
    st.booleans(),
    tables(),
)
def test_labels_are_those_of_scikit_learn(
    model: str, kinds: tuple[str, str], two: bool, in_code: bool, table: pa.Table
) -> None:
    case = fitted(*kinds, MODELS[model], "two" if two or model == "liblinear" else "four")
    expected = case.expected(table, False)
    try:
        found = answered(case, table, in_code=in_code)
    except Declined:
        return
    except Exception:  # noqa: BLE001
        assert expected is None
        return
    assert expected is not None
    assert found.agrees(expected, 0)


@pytest.mark.parametrize("in_code", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_ordinary_rows_are_never_declined(model: str, in_code: bool) -> None:
    case = fitted("standard", "one_hot", MODELS[model], "two" if model == "liblinear" else "four")
    table = some_rows(5_000, seed=7)
    expected = case.expected(table, False)
    assert expected is not None
    assert answered(case, table, in_code=in_code).agrees(expected, 0)


def test_probabilities_are_those_of_scikit_learn_to_the_last_bit() -> None:
    case = fitted("standard", "one_hot", MODELS["logistic"], "four")
    table = some_rows(5_000, seed=7)
    found, expected = Way(*_parts(case)).answers(table, proba=True), case.expected(table, True)
    assert expected is not None
    assert found.agrees(expected, 0)


REGRESSORS = [
    Ridge(),
    LinearRegression(),
    ElasticNet(0.01),
    SGDRegressor(random_state=0, max_iter=20, tol=None),
    HuberRegressor(max_iter=20),
    PoissonRegressor(max_iter=20),
]


@known_blas
@pytest.mark.parametrize("texts", ["one_hot", "ordinal", "target"])
@pytest.mark.parametrize("model", [MODELS["logistic"], MODELS["sgd"], *REGRESSORS], ids=repr)
def test_parts_are_answered_to_the_last_bit_once_the_order_of_blas_is_known(
    model: Any, texts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blas_scores, "ENOUGH_ROWS", ROWS[-1])
    for labels in ("two", "four") if hasattr(model, "predict_proba") else ("number",):
        case = fitted("standard", texts, model, labels)
        if case.plan.model.coef_.shape[0] == 4:
            # Small matrices are added up in another order where it is the other way round in memory.
            case.plan.model.coef_ = np.ascontiguousarray(case.plan.model.coef_)
        way = Way(*_parts(case))
        assert isinstance(way.compiled, LinearModel | LinearRegressor)
        with limited(1):
            for seed, count in enumerate([ROWS[-1], ROWS[0], ROWS[-1], 300, ROWS[0] + 3]):
                table = some_rows(count, seed=seed)
                expected = case.expected(table, case.proba)
                assert expected is not None
                assert way.answers(table, proba=case.proba).agrees(expected, 0)
                if count in ROWS:
                    assert way.compiled.blas.scores(way.encoding.blocks(table), count) is not None


def with_coefficients(coef: list[list[float]], intercept: list[float]) -> Case:
    """A logistic regression with these coefficients, as if it had learnt them."""
    case = fitted("standard", "one_hot", LogisticRegression(max_iter=21), "two" if len(coef) == 1 else "four")
    model = case.pipeline[-1]
    model.coef_, model.intercept_ = np.array(coef), np.array(intercept)
    return case


@pytest.mark.parametrize("in_code", [False, True])
@pytest.mark.parametrize("classes", [1, 4])
def test_equal_scores_are_left_to_scikit_learn(classes: int, in_code: bool) -> None:
    case = with_coefficients([[0.0] * 14] * classes, [0.0] * classes)
    with pytest.raises(Declined, match="too close"):
        answered(case, some_rows(50), in_code=in_code)


@pytest.mark.parametrize("rows_before", [0, 1 << 40])
@pytest.mark.parametrize("gap", [0.0, 1e-16, 1e-15, 1e-13])
def test_no_label_depends_on_the_order_of_adding(gap: float, rows_before: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_kernel, "KERNEL_ROWS", rows_before)
    case = with_coefficients([[0.1] * 14, [0.1] * 13 + [0.1 + gap], [0.1] * 14, [-9.0] * 14], [0.3, 0.3, 0.3, 0.0])
    table = some_rows(300, seed=3)
    expected = case.expected(table, False)
    way = Way(*_parts(case))
    assert expected is not None
    for _ in range(2):
        assert way.answers(table, proba=False).agrees(expected, 0)


def _parts(case: Case) -> tuple[Encoding, Any, Any]:
    model = compiled(case)
    assert not isinstance(model, NotCompilable)
    return Encoding(case.plan, case.schema, case.frame, model.derive), case.plan.model, model


@pytest.mark.parametrize("in_code", [False, True])
def test_numbers_that_are_not_finite_are_left_to_scikit_learn(in_code: bool) -> None:
    numbers = columns("unfilled", "one_hot").set_params(n=StandardScaler())
    case = fit(numbers, LogisticRegression(max_iter=22), nulls=False)
    table = some_rows(50)
    with pytest.raises(Declined, match="finite") as declined:
        answered(case, table, in_code=in_code)
    missing = [row for row in range(50) if None in (table["amount"][row].as_py(), table["age"][row].as_py())]
    assert declined.value.rows is not None
    assert set(missing) <= set(declined.value.rows.tolist())


def test_machine_code_is_made_once_enough_rows_have_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_kernel, "KERNEL_ROWS", 1_000)
    case = fitted("standard", "one_hot", MODELS["logistic"], "four")
    encoding, _, model = _parts(case)
    table = some_rows(400, seed=5)
    made = []
    for _ in range(4):
        model.answers(encoding.blocks(table), 400, proba=False)
        made.append(model.trial.kernel is not None)
    assert made == [False, False, True, True]


@pytest.mark.parametrize("fault", ["it does not work", "it chooses other labels"])
def test_without_machine_code_answers_stay_the_same(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Kernel):
        def labels(self, *given: Any) -> np.ndarray:
            if fault == "it does not work":
                raise OSError(fault)
            return (super().labels(*given) + 1) % 4

    monkeypatch.setattr(linear_kernel, "KERNEL_ROWS", 1)
    monkeypatch.setattr(linear, "Kernel", Broken)
    case = fitted("standard", "one_hot", MODELS["logistic"], "four")
    encoding, _, model = _parts(case)
    table = some_rows(400, seed=5)
    expected = case.expected(table, False)
    assert expected is not None
    for _ in range(3):
        assert model.answers(encoding.blocks(table), 400, proba=False).agrees(expected, 0)
        assert model.trial.kernel is None


def test_many_numbers_are_left_to_blas() -> None:
    layout, zeros = Layout(((600,),), np.dtype(np.float64)), np.zeros((600, 9))
    blas = BlasScores(np.asarray, zeros, np.zeros(9), layout, (False,))
    model = LinearModel(None, zeros, np.zeros(9), layout, blas)
    assert model.kernel([np.zeros((5, 600))]) is None


def test_bits_do_not_depend_on_what_came_before() -> None:
    case = fitted("standard", "target", MODELS["logistic"])
    first, second = some_rows(200, seed=1), some_rows(200, seed=2)
    fresh, used = Way(*_parts(case)), Way(*_parts(case))
    for part in (first.slice(0, 3), first):
        used.answers(part, proba=True)
    assert used.answers(second, proba=True).agrees(fresh.answers(second, proba=True), 0)


def test_other_models_and_features_of_other_types_are_not_compiled() -> None:
    assert isinstance(compiled(fitted("standard", "one_hot", PLSRegression(), "number")), NotCompilable)
    case = fitted("standard", "one_hot", MODELS["logistic"])
    single = Layout(((4,), (7, 3)), np.dtype(np.float32))
    assert isinstance(compile_linear(case.plan, single), NotCompilable)
