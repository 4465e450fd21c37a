import numpy as np
import pandas as pd
import pytest

from scoreline.transformers._target_sums import category_moments, class_counts, merged_category_moments, merged_counts

RNG = np.random.default_rng(4)
COLUMN = RNG.choice(np.array(["a", "b", "c", np.nan], dtype=object), 200)
AMOUNT = RNG.normal(1e9, 2, 200)
LABELS = RNG.choice(np.array(["x", "y", "z"], dtype=object), 200)
SPLITS = [[], [70], [0, 3, 3, 90, 150]]


@pytest.mark.parametrize("cuts", SPLITS)
def test_counts_are_those_of_a_cross_table(cuts: list[int]) -> None:
    pairs = zip(np.split(COLUMN, cuts), np.split(LABELS, cuts), strict=True)
    found = merged_counts([class_counts(column, target) for column, target in pairs])
    table = pd.DataFrame(found.rows, index=found.categories, columns=found.classes).rename(index={np.nan: "null"})
    expected = pd.crosstab(pd.Series(COLUMN).fillna("null"), LABELS)
    assert table.loc[expected.index, expected.columns].to_numpy().tolist() == expected.to_numpy().tolist()


@pytest.mark.parametrize("cuts", SPLITS)
def test_moments_are_those_of_the_rows_of_each_category(cuts: list[int]) -> None:
    pairs = zip(np.split(COLUMN, cuts), np.split(AMOUNT, cuts), strict=True)
    found = merged_category_moments([category_moments(column, target) for column, target in pairs])
    for place, category in enumerate(found.categories):
        rows = AMOUNT[pd.isna(COLUMN) if pd.isna(category) else category == COLUMN]
        assert found.count[place] == len(rows)
        np.testing.assert_allclose(found.mean[place], rows.mean(), rtol=1e-14)
        np.testing.assert_allclose(found.squares[place], ((rows - rows.mean()) ** 2).sum(), rtol=1e-9)


def test_categories_add_up_to_the_moments_of_all_rows() -> None:
    total = category_moments(COLUMN, AMOUNT).total
    np.testing.assert_allclose((total.mean, total.variance), (AMOUNT.mean(), AMOUNT.var()), rtol=1e-9)
