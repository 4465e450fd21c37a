from collections.abc import Callable

import pytest
from sklearn.metrics import matthews_corrcoef
from tests.metrics.conftest import Case

from scoreline.metrics.base import Answers


@pytest.mark.filterwarnings("ignore:A single label was found")
def test_it_is_what_scikit_learn_says(case: Case, measured: Callable[[str, Answers], float]) -> None:
    expected = matthews_corrcoef(case.truth, case.predicted)
    assert measured("matthews_corrcoef", case.answers) == pytest.approx(expected, rel=1e-12)
