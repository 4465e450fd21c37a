from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from scoreline.bundle.unknown_categories import unknown_categories

TRAIN = pd.DataFrame(
    {"city": ["Natal", "Recife", None], "sex": ["F", "M", "F"], "code": [1, 2, 3], "x": [0.0, 1.0, 5.0]}
)
NEW = pd.DataFrame(
    {"city": ["Olinda", None, "Natal"], "sex": ["F", None, "X"], "code": [3, 9, 1], "x": [1.0, np.nan, 2.0]}
)
FILL = SimpleImputer(strategy="most_frequent")


def masks(found: dict[str, np.ndarray]) -> dict[str, list[bool]]:
    return {name: rows.tolist() for name, rows in found.items()}


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()])
def test_rows_that_an_encoder_would_raise_for_are_found_by_column(encoder: Any) -> None:
    columns = ["city", "sex", "code"]
    found = unknown_categories(encoder.fit(TRAIN[columns]), NEW[columns])
    assert masks(found) == {"city": [True, False, False], "sex": [False, True, True], "code": [False, True, False]}


def test_encoders_are_found_behind_the_steps_before_them() -> None:
    columns = ColumnTransformer(
        [
            ("text", make_pipeline(FILL, OneHotEncoder()), ["sex", "city"]),
            ("scale", StandardScaler(), ["x"]),
            ("lenient", OneHotEncoder(handle_unknown="ignore"), ["code"]),
            ("nothing", "drop", ["code"]),
        ]
    )
    model = make_pipeline("passthrough", columns, LogisticRegression()).fit(TRAIN, [0, 1, 0])
    assert masks(unknown_categories(model, NEW)) == {"sex": [False, False, True], "city": [True, False, False]}


def test_without_the_rows_found_the_encoder_raises_no_more() -> None:
    model = make_pipeline(OneHotEncoder()).fit(TRAIN[["city", "sex"]])
    good = ~np.logical_or.reduce(list(unknown_categories(model, NEW[["city", "sex"]]).values()))
    assert good.tolist() == [False, False, False]
    rows = pd.concat([NEW, TRAIN], ignore_index=True)[["city", "sex"]]
    good = ~np.logical_or.reduce(list(unknown_categories(model, rows).values()))
    assert model.transform(rows[good]).shape == (3, 5)


def test_no_unknown_category_gives_nothing() -> None:
    assert unknown_categories(OneHotEncoder().fit(TRAIN), TRAIN) == {}
    assert unknown_categories(StandardScaler().fit(TRAIN[["x"]]), NEW[["x"]]) == {}


class Trimmed(OrdinalEncoder):  # type: ignore[misc]
    """Takes text with spaces around it."""

    def transform(self, X: pd.DataFrame) -> Any:
        return super().transform(X.apply(lambda column: column.str.strip()))


def test_what_a_transform_of_ones_own_takes_is_left_to_it() -> None:
    encoder = Trimmed().fit(pd.DataFrame({"sex": ["F", "M"]}))
    assert unknown_categories(encoder, pd.DataFrame({"sex": [" F", "M "]})) == {}
