"""Trees and their ensembles: every prediction and probability of scikit-learn, to the last bit."""

import tracemalloc
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor
from tests.compiled.cases import NUMBER_KINDS, TEXT_KINDS, Case, columns, fit, fitted, some_rows, tables

from scoreline.compiled import ranks
from scoreline.compiled.answers import Answers, is_identical
from scoreline.compiled.descent import Going
from scoreline.compiled.dictionary import Declined
from scoreline.compiled.edges import at_edges
from scoreline.compiled.mask_kernel import MaskKernel
from scoreline.compiled.matrix import Encoding, layout_of
from scoreline.compiled.plan import NotCompilable
from scoreline.compiled.ranks import Ranks, ranks_of
from scoreline.compiled.tree_model import TreeModel, compile_trees
from scoreline.compiled.trees import Ensemble, asked_once, read_trees
from scoreline.compiled.way import Way, no_look_up

CLASSIFIERS = {
    "tree": DecisionTreeClassifier(random_state=0),
    "extra_tree": ExtraTreeClassifier(random_state=0),
    "forest": RandomForestClassifier(6, random_state=0, n_jobs=1),
    "forest_of_many": RandomForestClassifier(40, max_depth=7, random_state=0, n_jobs=1),
    "extra_trees": ExtraTreesClassifier(5, random_state=0, bootstrap=True),
    "boosting": GradientBoostingClassifier(n_estimators=6, random_state=0),
    "deep_boosting": GradientBoostingClassifier(n_estimators=4, max_depth=None, random_state=0, init="zero"),
    "histogram": HistGradientBoostingClassifier(max_iter=6, min_samples_leaf=3, random_state=0),
    "wide_histogram": HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=1, max_leaf_nodes=60),
}
REGRESSORS = {
    "tree": DecisionTreeRegressor(random_state=0),
    "extra_tree": ExtraTreeRegressor(random_state=0, max_leaf_nodes=12),
    "forest": RandomForestRegressor(5, random_state=0),
    "small_forest": RandomForestRegressor(5, max_depth=4, random_state=0),
    "extra_trees": ExtraTreesRegressor(5, random_state=0),
    "boosting": GradientBoostingRegressor(n_estimators=6, random_state=0),
    "histogram": HistGradientBoostingRegressor(max_iter=6, min_samples_leaf=3, random_state=0),
    "deep_histogram": HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=1, max_leaf_nodes=None),
    "poisson_histogram": HistGradientBoostingRegressor(loss="poisson", max_iter=4, min_samples_leaf=3, random_state=0),
}
MODELS = {**{name: (model, "four") for name, model in CLASSIFIERS.items()}}
MODELS |= {f"{name}_of_two": (model, "two") for name, model in CLASSIFIERS.items()}
MODELS |= {f"{name}_of_numbers": (model, "number") for name, model in REGRESSORS.items()}
TAKES_NAN = ("forest", "tree", "histogram")


def blocks_of(case: Case, table: pa.Table) -> tuple[Encoding, Any]:
    encoding = Encoding(case.plan, case.schema, case.frame, no_look_up)
    return encoding, encoding.blocks(table)


def compiled(case: Case) -> TreeModel | NotCompilable:
    encoding, blocks = blocks_of(case, some_rows(20))
    return compile_trees(case.plan, layout_of(blocks, encoding.stacked(blocks, 20)))


@cache
def way(case: Case) -> Way:
    model = compiled(case)
    assert isinstance(model, TreeModel), model
    return Way(Encoding(case.plan, case.schema, case.frame, model.derive), case.plan.model, model)


def of_kernels(case: Case, table: pa.Table, work: Way) -> Answers:
    """The answers of the compiled model itself. Raises Declined as it does."""
    assert work.compiled is not None
    return work.compiled.answers(work.encoding.blocks(table), table.num_rows, proba=case.proba)


def case_of(name: str, number: str = "standard", text: str = "one_hot", threshold: float = 0.0) -> Case:
    model, target = MODELS[name]
    return fitted(number, text, model, target, threshold)


def tried(case: Case, table: pa.Table, work: Way | None = None) -> None:
    expected = case.expected(table, case.proba)
    try:
        found = of_kernels(case, table, work or way(case))
    except Declined:
        # A doubt is allowed only where scikit-learn refuses a row.
        assert expected is None
    except Exception:  # noqa: BLE001
        assert expected is None
    else:
        assert expected is not None
        assert found.agrees(expected, 0)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(MODELS)),
    st.sampled_from([kind for kind in NUMBER_KINDS if kind not in ("unfilled", "passthrough")]),
    st.sampled_from(TEXT_KINDS),
    tables(),
)
def test_answers_are_those_of_scikit_learn(name: str, number: str, text: str, table: pa.Table) -> None:
    tried(case_of(name, number, text), table)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([name for name in sorted(MODELS) if name.startswith(TAKES_NAN)]),
    st.sampled_from(["unfilled", "passthrough"]),
    st.sampled_from(TEXT_KINDS),
    tables(),
)
def test_nan_goes_where_scikit_learn_sends_it(name: str, number: str, text: str, table: pa.Table) -> None:
    tried(case_of(name, number, text), table)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([name for name in sorted(MODELS) if "histogram" not in name]),
    st.sampled_from(["one_hot", "sparse", "filled"]),
    tables(),
)
def test_sparse_matrices_give_the_same(name: str, text: str, table: pa.Table) -> None:
    tried(case_of(name, "standard", text, 1.0), table)


@pytest.mark.parametrize("name", MODELS)
def test_answers_at_every_threshold_and_beside_it_are_those_of_scikit_learn(name: str) -> None:
    for number in ("standard", "unfilled") if name.startswith(TAKES_NAN) else ("standard",):
        work = way(case_of(name, number))
        assert work.compiled is not None
        blocks, rows = at_edges(work.encoding.blocks(some_rows(500, seed=9)), work.compiled.edges)
        proba = case_of(name).proba
        found = work.compiled.answers(blocks, rows, proba=proba)
        assert found.agrees(work.of_matrix(blocks, rows, proba=proba), 0)


@pytest.mark.parametrize("name", ["forest", "boosting", "histogram", "small_forest_of_numbers"])
def test_many_rows_in_blocks_are_answered(name: str) -> None:
    case, table = case_of(name), some_rows(20_003, seed=11)
    assert of_kernels(case, table, way(case)).agrees(case.reference(table, case.proba), 0)


def test_small_trees_are_told_apart_and_rows_go_down_deep_ones() -> None:
    names = ("histogram", "wide_histogram", "deep_histogram_of_numbers", "forest")
    packed = {name: compiled(case_of(name)) for name in names}
    kinds = {name: type(model.packed) for name, model in packed.items() if isinstance(model, TreeModel)}
    assert kinds == dict(zip(names, [MaskKernel, MaskKernel, Going, Going], strict=True))


@pytest.mark.parametrize("model", [HistGradientBoostingClassifier(max_iter=3, random_state=0), LogisticRegression()])
@pytest.mark.parametrize("target", ["two", "four"])
def test_a_model_that_is_asked_once_gives_both_of_its_answers(model: Any, target: str) -> None:
    case = fitted("standard", "one_hot", model, target)
    encoding, blocks = blocks_of(case, some_rows(300, seed=4))
    matrix = encoding.after(encoding.stacked(blocks, 300))
    model = case.plan.model
    once = asked_once(model, matrix)
    for _ in range(2):
        assert is_identical(once.predict_proba(matrix), model.predict_proba(matrix))
        assert is_identical(once.predict(matrix), model.predict(matrix))
    assert asked_once(model, matrix[:5]).predict_proba(matrix).shape[0] == 5


@pytest.mark.parametrize(
    "model",
    [
        HistGradientBoostingClassifier(max_iter=2, random_state=0),
        RandomForestClassifier(4, random_state=0),
        LogisticRegression(),
    ],
)
def test_many_probabilities_are_added_up_in_the_order_in_which_they_lie(model: Any) -> None:
    matrix = np.random.default_rng(0).normal(size=(600, 3))
    model.fit(matrix, np.arange(600) % 20)
    assert is_identical(asked_once(model, matrix).predict_proba(matrix), model.predict_proba(matrix))


def test_the_columns_of_a_one_hot_encoder_are_one_column_of_codes() -> None:
    model = compiled(case_of("forest"))
    assert isinstance(model, TreeModel)
    assert len(model.ranks.columns) == 6


def test_infinite_and_too_large_numbers_are_left_to_scikit_learn() -> None:
    case = case_of("forest", "passthrough")
    for value in (np.inf, 1e39):
        table = some_rows(8).set_column(2, "amount", pa.array([value] * 8))
        with pytest.raises(Declined, match="refuses"):
            of_kernels(case, table, way(case))


def test_trees_that_ask_nothing_are_not_compiled() -> None:
    stumps = fit(columns("standard", "one_hot"), RandomForestClassifier(3, max_depth=1, min_samples_leaf=200))
    assert isinstance(compiled(stumps), NotCompilable)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        GradientBoostingClassifier(init=LogisticRegression(), n_estimators=2),
    ],
)
def test_other_models_are_not_compiled(model: Any) -> None:
    assert isinstance(compiled(fit(columns("standard", "ordinal"), model)), NotCompilable)


class Doubtful(DecisionTreeClassifier):  # type: ignore[misc]
    """A tree that is never sure."""

    def predict_proba(self, X: Any, check_input: bool = True) -> Any:
        return super().predict_proba(X, check_input) / 2


def _of_its_own(tree: Any) -> Any:
    tree.predict_proba = lambda values, **_: np.ones((len(values), len(tree.classes_)))
    return tree


def _of_another_kind(_: Any) -> Any:
    return Doubtful().fit(np.eye(9), np.arange(9) % 2)


@pytest.mark.parametrize("other", [_of_another_kind, _of_its_own])
def test_a_forest_with_a_tree_that_answers_otherwise_is_not_compiled(other: Any) -> None:
    model = RandomForestClassifier(3, random_state=0).fit(np.eye(9), np.arange(9) % 2)
    assert isinstance(read_trees(model), Ensemble)
    model.estimators_[1] = other(model.estimators_[1])
    found = read_trees(model)
    assert isinstance(found, NotCompilable)
    assert "than by its nodes" in found.reason


def test_histogram_boosting_takes_no_sparse_matrix() -> None:
    case = case_of("histogram")
    encoding, blocks = blocks_of(case, some_rows(20))
    layout = replace(layout_of(blocks, encoding.stacked(blocks, 20)), sparse=True)
    assert isinstance(compile_trees(case.plan, layout), NotCompilable)


def test_several_outputs_are_not_compiled() -> None:
    case = case_of("forest")
    model = RandomForestRegressor(2).fit(np.eye(3), np.eye(3))
    encoding, blocks = blocks_of(case, some_rows(20))
    plan = replace(case.plan, model=model)
    found = compile_trees(plan, layout_of(blocks, encoding.stacked(blocks, 20)))
    assert isinstance(found, NotCompilable)
    assert "outputs" in found.reason


@cache
def way_in_ranges(name: str, number: str, text: str) -> Way:
    """As `way`, but numbers have columns of codes for few thresholds each."""
    case = case_of(name, number, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranks, "MOST_CUTS", 2 if name == "tree" else 9)
        model = compiled(case)
        assert isinstance(model, TreeModel), model
    assert any(column.goes_on for column in model.ranks.columns)
    return Way(Encoding(case.plan, case.schema, case.frame, model.derive), case.plan.model, model)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["tree", "forest", "extra_trees_of_two", "forest_of_numbers", "boosting", "histogram"]),
    st.sampled_from(["standard", "passthrough"]),
    st.just("ordinal"),
    tables(),
)
def test_answers_are_the_same_where_thresholds_have_several_columns(
    name: str, number: str, text: str, table: pa.Table
) -> None:
    if number == "passthrough" and not name.startswith(TAKES_NAN):
        number = "standard"
    tried(case_of(name, number, text), table, way_in_ranges(name, number, text))


@pytest.mark.parametrize("name", ["forest", "histogram"])
def test_edges_are_all_thresholds_where_they_have_several_columns(name: str) -> None:
    whole, parts = way(case_of(name, text="ordinal")).compiled, way_in_ranges(name, "standard", "ordinal").compiled
    assert whole is not None
    assert parts is not None
    assert {key: cuts.tolist() for key, cuts in parts.edges.items()} == {
        key: cuts.tolist() for key, cuts in whole.edges.items()
    }


def test_a_one_hot_encoder_with_more_columns_than_codes_is_not_compiled() -> None:
    case = case_of("forest")
    encoding, blocks = blocks_of(case, some_rows(20))
    layout = layout_of(blocks, encoding.stacked(blocks, 20))
    wide = replace(layout, widths=((4,), (70_000, 3)))
    ensemble = read_trees(case.plan.model)
    assert isinstance(ensemble, Ensemble)
    assert isinstance(ranks_of(ensemble, case.plan, layout), Ranks)
    assert isinstance(ranks_of(replace(ensemble, features=70_007), case.plan, wide), NotCompilable)


def test_a_tree_that_answers_minus_zero_is_not_compiled() -> None:
    case = case_of("tree_of_numbers")
    model = DecisionTreeRegressor(criterion="absolute_error").fit(np.eye(3), [-0.0, 1.0, 2.0])
    found = read_trees(model)
    assert isinstance(found, NotCompilable)
    assert "minus zero" in found.reason
    assert isinstance(read_trees(case.plan.model), Ensemble)


def test_of_a_sparse_block_only_the_features_that_are_asked_for_are_made_dense() -> None:
    model = compiled(case_of("forest", threshold=1.0))
    assert isinstance(model, TreeModel)
    block = sparse.csr_array(sparse.random(2000, 5000, density=0.001, random_state=0))
    tracemalloc.start()
    found = model.ranks._asked(block, [7, 4999])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2000 * 5000
    assert np.array_equal(found, block.toarray().astype(np.float32)[:, [7, 4999]].T)
    block.data[0] = np.inf
    with pytest.raises(Declined):
        model.ranks._asked(block, [7])
