import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.preprocessing import OneHotEncoder

from scoreline.transformers.one_hot import OneHot

FRAME = pd.DataFrame({"t": ["b", None, "a", "b", "c", "b"]}, dtype="str")


def test_every_category_and_null_has_a_column(fit) -> None:
    encoder = fit(OneHot(columns=("t",)), FRAME)
    assert encoder.get_feature_names_out().tolist() == ["t_a", "t_b", "t_c", "t_nan"]
    assert encoder.transform(FRAME[1:3]).tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0, 0, 0, 0]),
        ({"min_frequency": 2, "unknown": "infrequent"}, [0, 1]),
        ({"min_frequency": 2}, [0, 0]),
    ],
)
def test_unknown_categories_are_zeros_or_infrequent(fit, options: dict, expected: list[int]) -> None:
    unknown = pd.DataFrame({"t": ["new"]}, dtype="str")
    assert fit(OneHot(columns=("t",), **options), FRAME).transform(unknown).tolist() == [expected]


def test_unknown_categories_may_be_refused(fit) -> None:
    encoder = fit(OneHot(columns=("t",), unknown="refuse"), FRAME)
    with pytest.raises(ValueError, match="unknown categories"):
        encoder.transform(pd.DataFrame({"t": ["new"]}, dtype="str"))


def test_a_share_of_all_rows_decides_what_is_infrequent(fit) -> None:
    frame = pd.DataFrame({"t": ["a"] * 90 + ["b"] * 6 + ["c"] * 4}, dtype="str")
    encoder = fit(OneHot(columns=("t",), min_frequency=0.05), frame, parts=7)
    assert encoder.infrequent_categories_[0].tolist() == ["c"]
    expected = OneHotEncoder(min_frequency=0.05).fit(frame).infrequent_categories_
    assert encoder.infrequent_categories_[0].tolist() == expected[0].tolist()


def test_columns_of_different_types_go_together(fit) -> None:
    frame = pd.DataFrame({"n": [3, 1, 3], "t": pd.Series(["x", "y", None], dtype="str"), "f": [0.5, None, 2.0]})
    encoder = fit(OneHot(columns=("n", "t", "f")), frame)
    assert [categories.dtype for categories in encoder.categories_] == [np.int64, object, np.float64]
    np.testing.assert_array_equal(encoder.transform(frame), OneHotEncoder(sparse_output=False).fit_transform(frame))


@pytest.mark.parametrize("options", [{"unknown": "infrequent"}, {"min_frequency": 0}, {"min_frequency": 1.5}])
def test_options_that_cannot_be_are_refused(options: dict) -> None:
    with pytest.raises(ValidationError):
        OneHot(columns=("t",), **options)
