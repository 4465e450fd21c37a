"""Refused rows are counted once, and a budget is exceeded by the first row too many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scoreline.refusal import ErrorBudget, Reason, Refusal, first_reasons, refused_rows

REFUSALS = st.lists(
    st.builds(
        lambda rows, reason: Refusal(np.array(sorted(rows), dtype=np.int64), reason, "because"),
        st.sets(st.integers(0, 19), max_size=8),
        st.sampled_from(Reason),
    ),
    max_size=5,
)


@given(REFUSALS)
def test_a_row_is_refused_when_any_reason_names_it(refusals: list[Refusal]) -> None:
    named = {int(row) for refusal in refusals for row in refusal.rows}
    assert np.flatnonzero(refused_rows(refusals, 20)).tolist() == sorted(named)
    assert len(refused_rows(refusals, 20)) == 20


@given(REFUSALS)
def test_the_first_reason_found_counts(refusals: list[Refusal]) -> None:
    reasons = first_reasons(refusals)
    assert set(reasons) == set(np.flatnonzero(refused_rows(refusals, 20)).tolist())
    for row, reason in reasons.items():
        assert next(refusal.reason for refusal in refusals if row in refusal.rows) == reason


def test_a_part_without_rows_has_none_refused() -> None:
    assert refused_rows([Refusal(np.empty(0, np.int64), Reason.BAD_VALUE, "")], 0).tolist() == []


def test_reason_codes_are_what_stands_in_quarantine_files() -> None:
    assert all(reason.value == reason.name.lower() == str(reason) for reason in Reason)


@pytest.mark.parametrize(
    ("budget", "refused", "rows", "exceeded"),
    [
        (ErrorBudget(), 10, 1_000, False),
        (ErrorBudget(), 11, 1_000, True),
        (ErrorBudget(), 0, 0, False),
        (ErrorBudget(rate=0.29), 29, 100, False),
        (ErrorBudget(rate=0), 1, 10**9, True),
        (ErrorBudget(rate=0), 0, 10, False),
        (ErrorBudget(rate=1), 10, 10, False),
        (ErrorBudget(rate=1, count=3), 4, 10, True),
        (ErrorBudget(rate=1, count=3), 3, 10, False),
        (ErrorBudget(rate=1, count=0), 1, 10, True),
    ],
)
def test_a_budget_is_exceeded_by_the_first_row_too_many(
    budget: ErrorBudget, refused: int, rows: int, exceeded: bool
) -> None:
    assert (budget.exceeded({"bad_value": refused}, rows) is not None) is exceeded


@pytest.mark.parametrize("options", [{"rate": -0.1}, {"rate": 1.1}, {"count": -1}, {"share": 0.5}])
def test_a_budget_that_means_nothing_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ErrorBudget.model_validate(options)
