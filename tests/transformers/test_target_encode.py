import numpy as np
import pandas as pd
import pytest

from scoreline.errors import DataError
from scoreline.transformers.target_encode import MOST_CLASSES, TargetEncode

CITY = pd.DataFrame({"city": ["Natal", "Recife", "Natal", None, "Recife", "Natal"]}, dtype="str")
AMOUNT = pd.Series([1.5, 10.0, 2.5, 7.0, 20.0, 3.5])


def test_without_smoothing_a_category_is_the_mean_of_its_rows(fit) -> None:
    encoder = fit(TargetEncode(columns=("city",), smooth=0), CITY, AMOUNT)
    assert encoder.transform(CITY)[:, 0].tolist() == [2.5, 15.0, 2.5, 7.0, 15.0, 2.5]


def test_an_unknown_category_is_the_mean_of_all_rows(fit) -> None:
    new = pd.DataFrame({"city": ["Olinda"]}, dtype="str")
    np.testing.assert_allclose(fit(TargetEncode(columns=("city",)), CITY, AMOUNT).transform(new), AMOUNT.mean())


def test_three_classes_have_a_column_each(fit) -> None:
    target = pd.Series(["x", "y", "z", "x", "y", "x"], dtype="category")
    encoder = fit(TargetEncode(columns=("city",), smooth=0), CITY, target)
    assert encoder.get_feature_names_out().tolist() == ["city_x", "city_y", "city_z"]
    np.testing.assert_allclose(encoder.transform(CITY[:1]), [[2 / 3, 0, 1 / 3]])


def test_whole_amounts_are_classes_unless_they_are_said_to_be_amounts(fit) -> None:
    target = pd.Series([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert fit(TargetEncode(columns=("city",)), CITY, target).target_type_ == "multiclass"
    said = TargetEncode(columns=("city",), target_type="continuous")
    assert fit(said, CITY, target).target_type_ == "continuous"
    assert not said.widens


def test_one_fraction_in_any_part_makes_an_amount(fit) -> None:
    target = pd.Series([1.0, 2.0, 3.0, 4.0, 5.0, 6.5])
    assert fit(TargetEncode(columns=("city",)), CITY, target, parts=6).target_type_ == "continuous"


@pytest.mark.parametrize("parts", [1, 3])
def test_too_many_classes_are_refused_for_any_parts(fit, parts: int) -> None:
    rows = MOST_CLASSES + 1
    frame = pd.DataFrame({"city": ["Natal"] * rows}, dtype="str")
    with pytest.raises(DataError, match="more than 1000 classes"):
        fit(TargetEncode(columns=("city",)), frame, pd.Series(range(rows)), parts=parts)


@pytest.mark.parametrize(
    ("said", "target"),
    [("binary", list("abcabc")), ("multiclass", list("ababab")), ("continuous", list("ababab"))],
)
def test_a_target_that_is_not_what_it_is_said_to_be_is_refused(fit, said: str, target: list[str]) -> None:
    with pytest.raises(DataError, match="target"):
        fit(TargetEncode(columns=("city",), target_type=said), CITY, pd.Series(target, dtype="str"))
