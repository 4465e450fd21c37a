"""One path from raw rows to predictions: each row is predicted, refused with a reason, or filtered."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from scoreline.bundle.artifact import ArtifactConfig
from scoreline.bundle.bundle import Bundle, answer_type_of, as_answers
from scoreline.bundle.files import MODEL, dumped, write_bundle
from scoreline.bundle.golden import golden_rows
from scoreline.cleaners.filter_rows import FilterRows
from scoreline.cleaners.parse_numbers import ParseNumbers
from scoreline.cleaning import Cleaning
from scoreline.compiled.answers import Chosen
from scoreline.contract import Contract
from scoreline.errors import DataError, ModelError
from scoreline.refusal import Reason, refused_rows

FRAME = pd.DataFrame({"amount": [1.0, 2.0, 3.0, 4.0], "city": ["a", "b", "a", "b"]})
CLEAN = pa.table({"amount": pa.array([1.0, 2.0, 3.0, 4.0]), "city": pa.array(["a", "b", "a", "b"])})
LABELS = np.array([False, True, True, False])


def pipeline() -> Pipeline:
    columns = make_column_transformer((OneHotEncoder(), ["city"]), ("passthrough", ["amount"]))
    return make_pipeline(columns, LogisticRegression()).fit(FRAME, LABELS)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder, fitted = tmp_path_factory.mktemp("bundle"), pipeline()
    body = dumped(fitted)
    (folder / MODEL).write_bytes(body)
    made = Bundle(
        contract=Contract(pa.schema([("unused", pa.int64()), ("amount", pa.string()), ("city", pa.string())]), {}),
        needs=("amount", "city"),
        cleaning=Cleaning((ParseNumbers(columns=("amount",)), FilterRows(where="amount > 0", on="both"))),
        inputs=pa.schema([("amount", pa.float64()), ("city", pa.string())]),
        model=ArtifactConfig(uri=str(folder / MODEL), sha256=hashlib.sha256(body).hexdigest(), trust=True),
        transformer=None,
        answer_type=pa.bool_(),
        labels=(False, True),
    )
    write_bundle(str(folder), made, fitted, golden_rows(made, raw([("1", "a")])), {}, real=CLEAN)
    return made


def raw(rows: list[tuple[str | None, str]]) -> pa.Table:
    amounts, cities = [amount for amount, _ in rows], [city for _, city in rows]
    return pa.table(
        {"city": pa.array(cities, pa.string()), "x": range(len(rows)), "amount": pa.array(amounts, pa.string())}
    )


ROWS = st.lists(
    st.tuples(st.sampled_from(["1", "2.5", "-1", "what", None]), st.sampled_from(["a", "b", "elsewhere"])), max_size=15
)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_every_row_is_predicted_refused_or_filtered(bundle: Bundle, rows: list[tuple[str | None, str]]) -> None:
    scored = bundle.predict(raw(rows), proba=True)
    good = [place for place, (amount, city) in enumerate(rows) if amount in ("1", "2.5") and city != "elsewhere"]
    plain = pd.DataFrame([(float(rows[place][0] or 0), rows[place][1]) for place in good], columns=["amount", "city"])
    assert scored.positions.tolist() == good
    assert scored.predictions.type == pa.bool_()
    assert scored.predictions.to_pylist() == (pipeline().predict(plain).tolist() if good else [])
    expected = pipeline().predict_proba(plain).tolist() if good else []
    assert scored.proba is not None
    np.testing.assert_allclose(scored.proba.tolist(), expected)
    assert scored.filtered == sum(amount in ("-1", None) for amount, _ in rows)
    assert refused_rows(scored.refusals, len(rows)).sum() + scored.filtered + len(good) == len(rows)


def test_reasons_name_the_rows_of_the_part_that_was_given(bundle: Bundle) -> None:
    scored = bundle.predict(raw([("-1", "a"), ("what", "a"), ("1", "elsewhere"), ("1", "a")]))
    reasons = {refusal.reason: refusal.rows.tolist() for refusal in scored.refusals}
    assert reasons == {Reason.BAD_VALUE: [1], Reason.UNKNOWN_CATEGORY: [2]}


def test_a_frame_is_as_good_as_a_table(bundle: Bundle) -> None:
    table = raw([("1", "a"), ("2.5", "b")])
    assert bundle.predict(table.to_pandas()).predictions == bundle.predict(table).predictions


@pytest.mark.parametrize(
    ("part", "what"),
    [
        (pa.table({"city": ["a"]}), "there is no column 'amount'"),
        (pd.DataFrame({"amount": ["1"]}), "there is no column 'city'"),
        (pd.DataFrame({"amount": ["1"], "city": [3.5]}), "another type than the bundle's contract says"),
    ],
)
def test_columns_that_are_missing_or_of_another_type_are_errors_of_the_data(
    bundle: Bundle, part: pa.Table | pd.DataFrame, what: str
) -> None:
    with pytest.raises(DataError, match=what):
        bundle.predict(part)


def test_probabilities_come_only_when_asked_for(bundle: Bundle) -> None:
    assert bundle.predict(raw([("1", "a")])).proba is None


def test_loading_runs_no_code_unless_it_is_trusted_by_its_hash(bundle: Bundle) -> None:
    folder = str(Path(bundle.model.uri).parent)
    assert Bundle.load(folder).model.uri.endswith(".skops")
    assert Bundle.load(folder, trust=True).model.uri.endswith(".skops")
    trusted = Bundle.load(folder, sha256=bundle.identity, trust=True)
    assert trusted.model.uri.endswith(".joblib")
    assert trusted.predict(raw([("1", "a")])).predictions == bundle.predict(raw([("1", "a")])).predictions
    with pytest.raises(ModelError, match="was expected"):
        Bundle.load(folder, sha256="0" * 64)


def test_a_model_by_itself_is_known_by_its_own_hash(bundle: Bundle) -> None:
    assert bundle.identity == bundle.model.sha256
    assert replace(bundle, joblib_sha256="f" * 64).identity == "f" * 64


@pytest.mark.parametrize(
    ("predictions", "arrow_type"),
    [
        (np.array(["a", "b"], dtype=object), pa.string()),
        (np.array(["a", "b"]), pa.string()),
        (np.array([1, 2], dtype=np.uint8), pa.int64()),
        (np.array([1, 2**64 - 1], dtype=np.uint64), pa.uint64()),
        (np.array([1.5, 2.0], dtype=np.float32), pa.float64()),
        (np.array([True, False]), pa.bool_()),
        (np.array([1, 2], dtype=object), pa.int64()),
    ],
)
def test_answers_keep_their_kind(predictions: np.ndarray, arrow_type: pa.DataType) -> None:
    assert answer_type_of(predictions) == arrow_type
    assert as_answers(predictions, arrow_type).to_pylist() == predictions.tolist()
    chosen = Chosen(predictions, np.array([1, 0, 1, 1]))
    assert as_answers(chosen, arrow_type).to_pylist() == predictions[[1, 0, 1, 1]].tolist()


@pytest.mark.parametrize(
    "texts",
    [
        np.array(["sí", "no", "", "sí", "a\0b", "a", "\U0001f600"]),
        np.array(["b", "x", "a", "x", "b", "x"])[::2],
        np.array(["yes", "no", "yes"]).astype(">U3"),
        np.array([f"{place}" for place in range(2_000)]),
    ],
    ids=["any characters", "not side by side", "bytes the other way round", "nothing twice"],
)
def test_text_of_fixed_width_is_given_in_codes_of_what_occurs(texts: np.ndarray) -> None:
    answers = as_answers(texts, pa.string())
    assert answers.type == pa.dictionary(pa.int32(), pa.string())
    assert answers.to_pylist() == texts.tolist()
    assert sorted(answers.dictionary.to_pylist()) == sorted(set(texts.tolist()))


def test_text_of_fixed_width_that_no_file_can_hold_is_an_error() -> None:
    with pytest.raises(ModelError, match="not all"):
        as_answers(np.array(["a", "\ud800"]), pa.string())


@pytest.mark.parametrize(
    ("predictions", "arrow_type"), [(np.array([1.5]), pa.int64()), (np.array(["a"], dtype=object), pa.float64())]
)
def test_an_answer_of_another_type_is_an_error(predictions: Any, arrow_type: pa.DataType) -> None:
    with pytest.raises(ModelError, match="not all"):
        as_answers(predictions, arrow_type)


@pytest.mark.parametrize("other", [1.5, "\ud800"])
def test_classes_that_are_not_chosen_need_not_be_text(other: object) -> None:
    classes = np.array(["a", other], dtype=object)
    assert as_answers(Chosen(classes, np.array([0, 0])), pa.string()).to_pylist() == ["a", "a"]
    with pytest.raises(ModelError, match="not all"):
        as_answers(Chosen(classes, np.array([0, 1])), pa.string())


def test_answers_of_several_types_are_refused() -> None:
    with pytest.raises(ModelError, match="several types"):
        answer_type_of(np.array([1, "a"], dtype=object))


@pytest.mark.parametrize("kind", ["U2", object])
def test_answers_that_no_file_can_hold_are_refused(kind: Any) -> None:
    with pytest.raises(ModelError, match="not Unicode"):
        answer_type_of(np.array(["a", "\ud800"], dtype=kind))


def test_no_answers_have_the_type_of_the_others() -> None:
    assert as_answers(np.empty(0), pa.string()).type == pa.string()


TWO = pa.struct([("prediction_0", pa.string()), ("prediction_1", pa.string())])


def test_outputs_are_fields() -> None:
    answers = as_answers(np.array([["a", "b"], ["c", "d"]]), TWO)
    assert [list(row.values()) for row in answers.to_pylist()] == [["a", "b"], ["c", "d"]]
    assert answer_type_of(np.array([["a", "b"]])) == TWO
    assert as_answers(np.empty(0), TWO).to_pylist() == []


@pytest.mark.parametrize(
    ("predictions", "arrow_type"),
    [
        (np.array([["a", "b"], ["c", "d"]]), pa.string()),
        (np.array([[1.0, 2.0]]), pa.float64()),
        (np.array(["a", "b"]), TWO),
        (np.array([["a", "b", "c"]]), TWO),
    ],
)
def test_another_number_of_outputs_than_at_first_is_refused(predictions: np.ndarray, arrow_type: pa.DataType) -> None:
    with pytest.raises(ModelError, match="another number of values"):
        as_answers(predictions, arrow_type)


def test_what_predicts_dictionaries_has_one_output() -> None:
    predictions = np.array([{"low": 1.0, "high": 2.0}], dtype=object)
    assert as_answers(predictions, answer_type_of(predictions)).to_pylist() == predictions.tolist()
