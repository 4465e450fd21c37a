import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import ValidationError
from sklearn.impute import SimpleImputer

from scoreline.errors import StepError
from scoreline.transformers.impute import Impute

FRAME = pd.DataFrame({"a": [3.0, None, 1.0, 1.0, 10.0, 3.0], "b": [None, 0.5, 0.5, None, 2.0, 4.0]})
TEXT = pd.DataFrame({"t": ["b", None, "a", "a", "b", None]}, dtype="str")


@pytest.mark.parametrize(
    ("strategy", "expected"), [("mean", [3.6, 1.75]), ("median", [3.0, 1.25]), ("most_frequent", [1, 0.5])]
)
def test_nulls_take_the_statistic_of_their_column(fit, strategy: str, expected: list[float]) -> None:
    imputer = fit(Impute(columns=("a", "b"), strategy=strategy), FRAME)
    np.testing.assert_allclose(imputer.transform(FRAME[1:2])[0, 0], expected[0])
    np.testing.assert_allclose(imputer.statistics_, expected)


def test_a_tie_between_texts_goes_to_the_first(fit) -> None:
    imputer = fit(Impute(columns=("t",), strategy="most_frequent"), TEXT)
    assert imputer.transform(TEXT)[:, 0].tolist() == ["b", "a", "a", "a", "b", "a"]


def test_a_constant_fills_text_and_numbers(fit) -> None:
    text = fit(Impute(columns=("t",), strategy="constant", fill_value="?"), TEXT)
    assert text.transform(TEXT)[:, 0].tolist() == ["b", "?", "a", "a", "b", "?"]
    number = fit(Impute(columns=("a",), strategy="constant"), FRAME)
    assert number.transform(FRAME[["a"]])[1].tolist() == [0]


def test_the_indicator_is_there_for_columns_that_had_nulls(fit) -> None:
    frame = FRAME.assign(b=1.0)
    imputer = fit(Impute(columns=("a", "b"), indicator=True), frame)
    assert imputer.get_feature_names_out().tolist() == ["a", "b", "missingindicator_a"]
    assert imputer.transform(frame)[:, 2].tolist() == [0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("strategy", ["median", "most_frequent"])
def test_many_different_values_are_imputed_exactly(fit, strategy: str) -> None:
    column = np.random.default_rng(1).normal(size=20_001)
    column[::7] = np.nan
    column[3:9] = 0.125
    frame = pd.DataFrame({"a": column})
    expected = SimpleImputer(strategy=strategy).fit(frame).statistics_
    assert fit(Impute(columns=("a",), strategy=strategy), frame).statistics_.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, pa.field("x", pa.string())),
        ({"strategy": "median"}, pa.field("x", pa.dictionary(pa.int8(), pa.string()))),
        ({"strategy": "constant", "fill_value": 1}, pa.field("x", pa.string())),
        ({"strategy": "constant", "fill_value": "none"}, pa.field("x", pa.float64())),
        ({"strategy": "constant", "fill_value": 0.5}, pa.field("x", pa.int64(), nullable=False)),
        ({"strategy": "most_frequent"}, pa.field("x", pa.bool_(), nullable=False)),
        ({"strategy": "most_frequent"}, pa.field("x", pa.timestamp("us"))),
    ],
)
def test_what_scikit_learn_would_refuse_is_refused_before(options: dict, field: pa.Field) -> None:
    with pytest.raises(StepError, match="impute cannot take column 'x' of type"):
        Impute(columns=("x",), **options).check(pa.schema([field]))


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, pa.field("x", pa.bool_())),
        ({}, pa.field("x", pa.bool_(), nullable=False)),
        ({"strategy": "constant", "fill_value": 0.5}, pa.field("x", pa.int64())),
        ({"strategy": "constant"}, pa.field("x", pa.string())),
    ],
)
def test_what_scikit_learn_takes_is_taken(options: dict, field: pa.Field) -> None:
    Impute(columns=("x",), **options).check(pa.schema([field]))


def test_a_fill_value_without_its_strategy_is_refused() -> None:
    with pytest.raises(ValidationError, match="fill_value needs"):
        Impute(columns=("x",), fill_value=1)
