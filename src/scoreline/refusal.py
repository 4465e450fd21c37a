"""Why a row is not predicted: stable reason codes and the rows they apply to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Reason(StrEnum):
    """The reason codes written to quarantine files. Codes are never renamed."""

    UNREADABLE_LINE = "unreadable_line"
    UNREADABLE_BYTES = "unreadable_bytes"
    BAD_VALUE = "bad_value"
    NULL_NOT_ALLOWED = "null_not_allowed"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    VALUE_NOT_ALLOWED = "value_not_allowed"
    NO_MATCH = "no_match"
    UNKNOWN_CATEGORY = "unknown_category"
    NOT_FINITE = "not_finite"
    PREDICT_FAILED = "predict_failed"


@dataclass(frozen=True, slots=True, eq=False)
class Refusal:
    """Rows of one part that are refused for one reason.

    Attributes
    ----------
    rows : ndarray of int64, sorted, positions in the part that was given to the step (not record numbers)
    reason, column, stage : the code, the column at fault (None for the whole row), and where it was noticed
        ("read", "contract", the step's kind, "predict")
    detail : a short sentence for a person. It never quotes a value: the quarantined row itself keeps the values.
    """

    rows: np.ndarray
    reason: Reason
    detail: str
    column: str | None = None
    stage: str = ""


def refused_rows(refusals: Sequence[Refusal], count: int) -> np.ndarray:
    """A boolean mask of length `count`: True where any refusal names the row.

    >>> refused_rows([Refusal(np.array([1]), Reason.BAD_VALUE, "not a number")], 3).tolist()
    [False, True, False]
    """
    mask = np.zeros(count, dtype=bool)
    for refusal in refusals:
        mask[refusal.rows] = True
    return mask


class ErrorBudget(BaseModel):
    """How many refused rows a run may have and still be published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: float = Field(0.01, ge=0, le=1, description="Largest share of refused rows.")
    count: int | None = Field(None, ge=0, description="Largest number of refused rows.")
    reasons: dict[Reason, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description='Largest share of rows refused for one reason, such as {"no_match": 0.001}.'
    )

    def exceeded(self, refused: Mapping[str, int], rows: int) -> str | None:
        """What of the budget is exceeded by rows refused for these reasons, of `rows`; None when nothing is.

        >>> budget = ErrorBudget(rate=0.5, reasons={"no_match": 0.01})
        >>> budget.exceeded({"no_match": 2}, 100)
        'of 1.00% for no_match'
        """
        count, rows = sum(refused.values()), max(rows, 1)
        # The quotient, and not the product, is the very number that a config spells: 29 of 100 is 0.29.
        if count / rows > self.rate:
            return f"of {self.rate:.2%}"
        if self.count is not None and count > self.count:
            return f"of {self.count:,} rows"
        over = (reason for reason, rate in self.reasons.items() if refused.get(reason, 0) / rows > rate)
        return next((f"of {self.reasons[reason]:.2%} for {reason}" for reason in over), None)


def first_reasons(refusals: Sequence[Refusal]) -> dict[int, Reason]:
    """The reason of each refused row: the first one that was found.

    >>> rows = np.array([4])
    >>> first_reasons([Refusal(rows, Reason.BAD_VALUE, ""), Refusal(rows, Reason.NO_MATCH, "")])
    {4: <Reason.BAD_VALUE: 'bad_value'>}
    """
    reasons: dict[int, Reason] = {}
    for refusal in refusals:
        for row in refusal.rows.tolist():
            reasons.setdefault(row, refusal.reason)
    return reasons
