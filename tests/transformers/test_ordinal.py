import numpy as np
import pandas as pd
import pytest

from scoreline.errors import DataError
from scoreline.transformers.ordinal import Ordinal

FRAME = pd.DataFrame({"t": ["b", None, "a", "c"]}, dtype="str")
NEW = pd.DataFrame({"t": ["c", "new", None]}, dtype="str")


@pytest.mark.parametrize(("unknown", "code"), [(-1, -1.0), (99, 99.0), ("null", np.nan)])
def test_categories_are_numbered_in_sorted_order(fit, unknown: object, code: float) -> None:
    encoder = fit(Ordinal(columns=("t",), unknown=unknown), FRAME)
    np.testing.assert_array_equal(encoder.transform(NEW)[:, 0], [2, code, np.nan])


def test_unknown_categories_may_be_refused(fit) -> None:
    encoder = fit(Ordinal(columns=("t",), unknown="refuse"), FRAME)
    with pytest.raises(ValueError, match="unknown categories"):
        encoder.transform(NEW)


def test_a_number_that_a_known_category_has_is_refused(fit) -> None:
    with pytest.raises(DataError, match="unknown 2 is the number of a known category of column 't'"):
        fit(Ordinal(columns=("t",), unknown=2), FRAME)
