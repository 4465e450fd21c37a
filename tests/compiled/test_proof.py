"""A way that differs from scikit-learn anywhere is found out."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tests.compiled.cases import CITIES, Case, fitted, some_rows

from scoreline.compiled.answers import Answers
from scoreline.compiled.dictionary import Declined
from scoreline.compiled.matrix import Encoding
from scoreline.compiled.proof import fault, holds, pieces, together
from scoreline.compiled.sampling import Place
from scoreline.compiled.trials import trials
from scoreline.compiled.way import Way, no_look_up

CASE = fitted("standard", "strict", LogisticRegression(max_iter=23))
LENIENT = fitted("standard", "one_hot", LogisticRegression(max_iter=23))


SOME = Place("unit", 0, 1).rows(1_000)


class Bent(Way):
    """Answers wrongly where a test says so."""

    def __init__(self, case: Case, bend: Any) -> None:
        super().__init__(Encoding(case.plan, case.schema, case.frame, no_look_up), case.plan.model)
        self._bend = bend

    def answers(self, table: pa.Table, *, proba: bool) -> Answers:
        return self._bend(table, super().answers(table, proba=proba))


def straight(_: pa.Table, answers: Answers) -> Answers:
    return answers


def wrong_label_for_null(table: pa.Table, answers: Answers) -> Answers:
    nulls = table["city"].is_null().to_numpy()
    return Answers(np.where(nulls, "none", answers.predictions).astype(object), answers.proba)


def almost_right(_: pa.Table, answers: Answers) -> Answers:
    return Answers(answers.predictions, None if answers.proba is None else np.nextafter(answers.proba, 2))


def tried(rows: pa.Table) -> list[Any]:
    return together(trials(rows, CASE.schema), CASE.reference, proba=True)


@pytest.mark.parametrize(("bend", "good"), [(straight, True), (wrong_label_for_null, False), (almost_right, False)])
def test_only_the_same_answers_pass(bend: Any, good: bool) -> None:
    assert (fault(Bent(CASE, bend), tried(some_rows(60)), CASE.reference) is None) == good


def test_answers_for_a_row_that_scikit_learn_refuses_are_found_out() -> None:
    class Lenient(Way):
        def answers(self, table: pa.Table, *, proba: bool) -> Answers:
            known = [value if value in (*CITIES, None) else "Natal" for value in table["city"].to_pylist()]
            return super().answers(table.set_column(0, "city", pa.array(known)), proba=proba)

    rows = some_rows(60).set_column(0, "city", pa.array(["Natal", "Olinda"] * 30))
    way = Lenient(Encoding(CASE.plan, CASE.schema, CASE.frame, no_look_up), CASE.plan.model)
    found = fault(way, tried(rows), CASE.reference)
    assert found is not None
    assert "refuses" in found.reason


def test_another_matrix_is_found_out_though_labels_are_equal() -> None:
    class Shifted(Encoding):
        def stacked(self, blocks: Any, rows: int) -> Any:
            return np.asfortranarray(super().stacked(blocks, rows))

    way = Way(Shifted(CASE.plan, CASE.schema, CASE.frame, no_look_up), CASE.plan.model)
    found = fault(way, tried(some_rows(60)), CASE.reference)
    assert found is not None
    assert "matrix" in found.reason


def test_hard_rows_of_all_kinds_that_are_taken_are_asked_for_at_once() -> None:
    asked = []

    def counted(table: pa.Table, proba: bool) -> Answers:
        asked.append(table.num_rows)
        return LENIENT.reference(table, proba)

    kinds = list(trials(some_rows(60), LENIENT.schema))
    found = together(kinds, counted, proba=True)
    merged = [piece for piece in found if piece.kinds]
    assert [piece.table.num_rows for piece in merged] == [sum(table.num_rows for table in merged[0].kinds)]
    # Without infinite numbers, those that single precision makes infinite, and null where the schema allows none.
    assert len(merged[0].kinds) == len(kinds) - 4
    assert sum(piece.table.num_rows for piece in found) == sum(table.num_rows for table in kinds)
    assert len(asked) < len(pieces(kinds, counted, proba=True)) + 3


def test_a_way_that_leaves_one_kind_to_scikit_learn_is_tried_on_the_others() -> None:
    def wrong_but_for_whole_numbers(table: pa.Table, answers: Answers) -> Answers:
        if table.num_rows < 60 and any(abs(value or 0) == 2**53 for value in table["age"].to_pylist()):
            raise Declined("large whole numbers")
        return almost_right(table, answers) if table.num_rows < 60 else answers

    def fine_but_for_whole_numbers(table: pa.Table, answers: Answers) -> Answers:
        wrong_but_for_whole_numbers(table, answers)
        return answers

    def found(bend: Any) -> Any:
        tables = trials(some_rows(600), LENIENT.schema)
        return fault(Bent(LENIENT, bend), together(tables, LENIENT.reference, proba=True), LENIENT.reference)

    assert found(fine_but_for_whole_numbers) is None
    assert found(wrong_but_for_whole_numbers) is not None


def test_wide_tables_are_proven_in_a_few_calls() -> None:
    names = [f"n{place}" for place in range(80)]
    numbers = np.random.default_rng(0).normal(size=(300, 80))
    table = pa.table({**dict(zip(names, numbers.T, strict=True)), "city": np.resize(CITIES, 300)})
    columns = make_column_transformer((StandardScaler(), names), (OneHotEncoder(handle_unknown="ignore"), ["city"]))
    pipeline = make_pipeline(columns, LogisticRegression()).fit(table.to_pandas(), numbers[:, 0] > 0)
    case, asked = Case(pipeline, table.schema), []

    def counted(rows: pa.Table, proba: bool) -> Answers:
        asked.append(rows.num_rows)
        return case.reference(rows, proba)

    way = Way(Encoding(case.plan, case.schema, case.frame, no_look_up), case.plan.model)
    assert fault(way, together(trials(table, case.schema), counted, proba=True), counted) is None
    # Five rows a column have a number that is refused: none of them costs a call.
    assert len(asked) < 20


def test_refused_rows_are_cut_out_of_real_ones_and_the_others_still_count() -> None:
    cities = ["nowhere" if row == 700 else "Natal" for row in range(1_000)]
    rows = some_rows(1_000).set_column(0, "city", pa.array(cities))
    found = pieces([rows], CASE.reference, proba=False)
    assert sum(piece.table.num_rows for piece in found if piece.expected is None) <= 64
    assert sum(piece.table.num_rows for piece in found) == 1_000


def test_a_part_holds_when_its_sample_agrees() -> None:
    way, table = Bent(CASE, straight), some_rows(2_000)
    answers = way.answers(table, proba=True)
    assert holds(way, table, answers, CASE.reference, SOME)
    others = Answers(answers.predictions[::-1].copy(), answers.proba)
    assert not holds(way, table, others, CASE.reference, SOME)


def test_a_sample_that_scikit_learn_refuses_does_not_hold() -> None:
    way, table = Bent(CASE, straight), some_rows(2_000)
    answers = way.answers(table, proba=False)
    strange = table.set_column(0, "city", pa.array(["nowhere"] * 2_000))
    assert not holds(way, strange, answers, CASE.reference, SOME)


def test_a_difference_of_the_sample_that_all_rows_do_not_show_is_no_fault() -> None:
    way, table = Bent(CASE, straight), some_rows(2_000)
    answers = way.answers(table, proba=True)

    def like_blas(rows: pa.Table, proba: bool) -> Answers:
        found = CASE.reference(rows, proba)
        return found if rows.num_rows == 2_000 else almost_right(rows, found)

    assert holds(way, table, answers, like_blas, SOME)


def test_a_part_of_types_that_arrow_takes_no_rows_of_holds_too() -> None:
    table = some_rows(1000)
    listed = pa.DictionaryArray.from_arrays(pa.array([0, 1] * 250, pa.int8()), ["Natal", None])
    other = pa.DictionaryArray.from_arrays(pa.array([0, 0] * 250, pa.int8()), ["Recife"])
    for column in (table["city"].cast(pa.string_view()), pa.chunked_array([listed, other])):
        part = table.set_column(0, "city", column)
        assert holds(Bent(LENIENT, straight), part, LENIENT.reference(part, True), LENIENT.reference, SOME)
