"""The scorer answers by the fastest way that has proven itself, and by none where a doubt is left."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from tests.compiled.cases import SCHEMA, Case, columns, fitted, labels, some_rows

from scoreline.compiled import scorer as scorer_module
from scoreline.compiled.answers import Answers
from scoreline.compiled.doubts import Partial
from scoreline.compiled.matrix import Encoding, Layout
from scoreline.compiled.plan import NotCompilable, Plan, worthwhile
from scoreline.compiled.sampling import Place
from scoreline.compiled.scorer import KERNEL_ROWS, LEAST_ROWS, Scorer, Tier
from scoreline.compiled.tree_model import TreeModel, compile_trees
from scoreline.frame import to_frame

PART = some_rows(LEAST_ROWS, seed=5)
LINEAR = fitted("standard", "one_hot", LogisticRegression(max_iter=24))
FOREST = fitted("standard", "one_hot", RandomForestClassifier(4, random_state=0, n_jobs=1))


@pytest.fixture(scope="module", autouse=True)
def _at_once() -> Iterator[None]:
    """Parts are compiled from the first one on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scorer_module, "FIRST_ROWS", 1)
        patch.setattr(scorer_module, "FEW_TREES", 1)
        yield


def scorer(case: Case, reference: Any = None) -> Scorer:
    return Scorer(case.plan, case.schema, case.frame, reference or case.reference)


@pytest.mark.parametrize(
    ("case", "tier"),
    [
        (LINEAR, Tier.COMPILED),
        (fitted("standard", "one_hot", KNeighborsClassifier()), Tier.ENCODED),
        (fitted("standard", "target", Ridge(), "number"), Tier.COMPILED),
    ],
)
def test_a_part_is_answered_by_the_fastest_tier(case: Case, tier: Tier) -> None:
    work = scorer(case)
    assert work.tier == Tier.PLAIN
    found, expected = work.answers(PART, proba=case.proba), case.reference(PART, case.proba)
    assert work.tier == tier
    assert isinstance(found, Answers)
    assert found.agrees(expected, 0)


def test_nothing_is_compiled_before_it_is_worth_its_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorer_module, "FIRST_ROWS", 2 * LEAST_ROWS)
    work = scorer(LINEAR)
    assert work.answers(PART, proba=True) is None
    assert work.tier == Tier.PLAIN
    assert work.answers(PART, proba=True) is not None
    assert work.tier == Tier.COMPILED


def test_parts_that_are_left_to_scikit_learn_unseen_count_until_a_look_is_worth_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scorer_module, "FIRST_ROWS", 3 * LEAST_ROWS)
    work = scorer(LINEAR)
    assert work.leaves(LEAST_ROWS - 1)
    assert [work.leaves(LEAST_ROWS) for _ in range(4)] == [True, True, False, False]
    assert work.answers(PART.slice(0, LEAST_ROWS), proba=False) is not None
    assert not work.leaves(LEAST_ROWS)
    assert work.leaves(LEAST_ROWS - 1)


def test_why_nothing_can_be_compiled_is_said_once_a_part_is_large_enough() -> None:
    work = Scorer(NotCompilable("it is odd"), LINEAR.schema, LINEAR.frame, LINEAR.reference)
    assert not work.leaves(LEAST_ROWS)
    work.answers(PART, proba=False)
    assert (work.leaves(LEAST_ROWS), work.reasons) == (True, ("it is odd",))


@pytest.mark.parametrize("encoded", [False, True])
def test_values_that_do_not_repeat_are_not_encoded_one_by_one(encoded: bool) -> None:
    cities = pa.array([f"city {number}" for number in range(PART.num_rows)])
    part = PART.set_column(0, "city", cities.dictionary_encode() if encoded else cities)
    assert isinstance(LINEAR.plan, Plan)
    widths = {branch.columns: branch.widths for branch in worthwhile(LINEAR.plan, part).branches}
    assert [columns for columns, given in widths.items() if given is None and "city" in columns]
    found = scorer(LINEAR).answers(part, proba=True)
    assert found is None or (isinstance(found, Answers) and found.agrees(LINEAR.reference(part, True), 0))


def test_trees_are_compiled_once_enough_rows_have_come() -> None:
    work = scorer(FOREST)
    part = some_rows(KERNEL_ROWS // 2, seed=6)
    first, second = work.answers(part, proba=True), None
    assert work.tier == Tier.ENCODED
    second = work.answers(part, proba=True)
    assert work.tier == Tier.COMPILED
    assert isinstance(first, Answers)
    assert isinstance(second, Answers)
    assert first.agrees(second, 0)
    assert work.reasons == ()


def test_numba_that_does_not_work_leaves_trees_to_the_next_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(scorer_module, "compile_trees", broken)
    work = scorer(FOREST)
    assert work.answers(some_rows(KERNEL_ROWS, seed=6), proba=True) is not None
    assert (work.tier, work.reasons) == (Tier.ENCODED, ("A: OSError: no space left",))


def test_trees_with_a_wrong_threshold_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def bent(plan: Plan, layout: Layout, *_: object) -> TreeModel | NotCompilable:
        made = compile_trees(plan, layout)
        assert isinstance(made, TreeModel)
        cuts = next(column.cuts for column in made.ranks.columns if column.place is None)
        cuts[0] = np.nextafter(np.float32(cuts[0]), np.float32(np.inf))
        return made

    monkeypatch.setattr(scorer_module, "compile_trees", bent)
    work = scorer(FOREST)
    work.answers(some_rows(KERNEL_ROWS, seed=6), proba=True)
    assert work.tier == Tier.ENCODED
    assert "threshold" in work.reasons[0]


def test_steps_after_the_columns_are_left_to_scikit_learn() -> None:
    table = some_rows(240)
    features = columns("standard", "one_hot")
    pipeline = make_pipeline(features, StandardScaler(), LogisticRegression()).fit(
        to_frame(table, SCHEMA), labels(table, "four")
    )
    work = scorer(Case(pipeline, SCHEMA))
    found = work.answers(PART, proba=True)
    assert isinstance(found, Answers)
    assert found.agrees(Case(pipeline, SCHEMA).reference(PART, True), 0)
    assert work.tier == Tier.ENCODED
    assert "StandardScaler follows" in work.reasons[0]


def test_small_parts_are_left_to_scikit_learn_whatever_came_before() -> None:
    work = scorer(LINEAR)
    assert work.answers(PART.slice(0, LEAST_ROWS - 1), proba=False) is None
    assert work.answers(PART, proba=False) is not None
    assert work.answers(PART.slice(0, LEAST_ROWS - 1), proba=False) is None


def test_a_row_that_scikit_learn_refuses_is_left_to_it_and_the_others_are_not() -> None:
    case = fitted("standard", "strict", LogisticRegression(max_iter=25))
    work = scorer(case)
    cities = ["nowhere", *PART["city"].to_pylist()[1:]]
    found = work.answers(PART.set_column(0, "city", pa.array(cities)), proba=False)
    assert isinstance(found, Partial)
    assert found.doubts.tolist() == [0]
    assert found.answers.agrees(case.reference(PART.slice(1), False), 0)
    assert work.answers(PART, proba=False) is not None
    assert work.tier == Tier.COMPILED


def test_what_cannot_be_compiled_says_why() -> None:
    work = Scorer(NotCompilable("it is odd"), LINEAR.schema, LINEAR.frame, LINEAR.reference)
    assert work.answers(PART, proba=False) is None
    assert (work.tier, work.reasons) == (Tier.PLAIN, ("it is odd",))


def test_a_lower_tier_says_why_the_higher_one_is_not_used() -> None:
    work = scorer(fitted("standard", "one_hot", KNeighborsClassifier()))
    work.answers(PART, proba=False)
    assert len(work.reasons) == 1
    assert work.reasons[0].startswith("A: KNeighborsClassifier")


def test_a_way_that_fails_its_trial_is_never_used() -> None:
    def always_first(table: pa.Table, proba: bool) -> Answers:
        found = LINEAR.reference(table, proba)
        return Answers(np.full(table.num_rows, "low", dtype=object), found.proba)

    work = scorer(LINEAR, always_first)
    assert work.answers(PART, proba=False) is None
    assert work.tier == Tier.PLAIN
    assert [reason[:2] for reason in work.reasons] == ["A:", "B:"]


def test_a_difference_in_a_part_ends_one_tier_after_the_other(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A command that ran before in this process keeps its log to itself.
    monkeypatch.setattr(logging.getLogger("scoreline"), "propagate", True)
    lying = False

    def reference(table: pa.Table, proba: bool) -> Answers:
        found = LINEAR.reference(table, proba)
        return Answers(found.predictions[::-1].copy(), found.proba) if lying else found

    work = scorer(LINEAR, reference)
    assert work.answers(PART, proba=False, place=Place("unit", 0, 1)) is not None
    lying = True
    with caplog.at_level(logging.WARNING):
        assert work.answers(PART, proba=False, place=Place("unit", 0, 1)) is None
        assert work.tier == Tier.PLAIN
        lying = False
        assert work.answers(PART, proba=False, place=Place("unit", 0, 1)) is not None
        assert work.tier == Tier.ENCODED
        lying = True
        assert work.answers(PART, proba=False, place=Place("unit", 0, 1)) is None
    assert work.tier == Tier.PLAIN
    assert len([record for record in caplog.records if record.name == scorer_module.__name__]) == 2
    assert work.answers(PART, proba=False, place=Place("unit", 0, 1)) is None


def test_parts_in_doubt_come_from_the_model_of_scikit_learn() -> None:
    case = fitted("standard", "one_hot", LogisticRegression(max_iter=26))
    case.pipeline[-1].coef_ = np.zeros((4, 14))
    case.pipeline[-1].intercept_ = np.zeros(4)
    found = scorer(case).answers(PART, proba=True)
    assert isinstance(found, Answers)
    assert found.agrees(case.reference(PART, True), 0)


def as_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers unless some text has a fraction."""
    return frame.apply(lambda column: pd.to_numeric(column.fillna("0")))


def test_a_part_of_which_a_function_makes_another_type_is_left_to_scikit_learn() -> None:
    schema = pa.schema([("text", pa.string())])
    rng = np.random.default_rng(0)
    train = pd.DataFrame({"text": [f"{value:.1f}" for value in rng.uniform(0, 9, 400)]})
    features = make_column_transformer((FunctionTransformer(as_numbers), ["text"]))
    target = (pd.to_numeric(train["text"]) * 10).astype(int) % 7
    case = Case(make_pipeline(features, DecisionTreeClassifier(random_state=0)).fit(train, target), schema)
    whole = pa.table({"text": pa.array([str(value) for value in rng.integers(0, 9, LEAST_ROWS)])})
    one = pa.table({"text": pa.array([*whole["text"].to_pylist()[:-1], "3.5"])})
    work = scorer(case)
    work._rows = KERNEL_ROWS
    for part in [whole] * 5 + [one] * 3:
        found = work.answers(part, proba=True)
        assert work.tier == Tier.COMPILED
        assert isinstance(found, Answers)
        assert found.agrees(case.reference(part, True), 0)


def test_a_proof_that_fails_leaves_everything_to_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise AttributeError("no such thing")

    monkeypatch.setattr(Encoding, "settle", broken)
    work = scorer(LINEAR)
    assert work.answers(PART, proba=True) is None
    assert (work.tier, work.reasons[0]) == (Tier.PLAIN, "A: AttributeError: no such thing")


def test_few_trees_are_compiled_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorer_module, "FEW_TREES", 8)
    work = scorer(FOREST)
    work.answers(some_rows(KERNEL_ROWS, seed=6), proba=False)
    assert work.tier == Tier.ENCODED
    work.answers(some_rows(KERNEL_ROWS, seed=7), proba=False)
    assert work.tier == Tier.COMPILED


def test_a_linear_model_of_numbers_alone_is_compiled_later(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = pa.schema([("a", pa.float64()), ("b", pa.float64())])
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(400, 2)), columns=["a", "b"])
    case = Case(make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, frame["a"] > 0), schema)
    part = pa.table({"a": np.linspace(-3, 3, LEAST_ROWS), "b": np.linspace(3, -2, LEAST_ROWS)})
    monkeypatch.setattr(scorer_module, "FIRST_ROWS", LEAST_ROWS)
    work = scorer(case)
    tiers = []
    for _ in range(5):
        work.answers(part, proba=False)
        tiers.append(work.tier)
    assert tiers == [Tier.PLAIN] * 3 + [Tier.COMPILED] * 2


def test_many_trees_are_compiled_with_the_first_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorer_module, "MANY_TREES", 4)
    work = scorer(FOREST)
    found = work.answers(PART, proba=True)
    assert work.tier == Tier.COMPILED
    assert isinstance(found, Answers)
    assert found.agrees(FOREST.reference(PART, True), 0)


def test_the_next_tier_is_tried_once_a_faster_one_is_given_up() -> None:
    work = scorer(LINEAR)
    work.answers(PART, proba=False)
    assert list(work._ways) == [Tier.COMPILED]
    work._end(Tier.COMPILED, Place("", 0, 1))
    found = work.answers(PART, proba=True)
    assert work.tier == Tier.ENCODED
    assert isinstance(found, Answers)
    assert found.agrees(LINEAR.reference(PART, True), 0)
