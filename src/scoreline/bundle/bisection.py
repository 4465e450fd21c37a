"""Prediction that one bad row cannot stop: a batch that fails is halved until the rows at fault stand alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreline.bundle.not_finite import refused_alike
from scoreline.bundle.unknown_categories import unknown_categories
from scoreline.compiled.answers import is_row_by_row
from scoreline.errors import ModelError, Problem
from scoreline.parts import every_row
from scoreline.refusal import Reason, Refusal, refused_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from scoreline.bundle.fitted import Fitted
    from scoreline.compiled.answers import Chosen

_QUOTED = re.compile(r"(?<!\w)(?:'[^']*'|\"[^\"]*\")")

MANY, TRIED = 1_000, 20
"""After so many failing rows, if they are most of those so far, so many of all are tried alone. Unless one of these is
answered the model is at fault, and not the rows."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Predictions of the rows that could be predicted, where they stood, and the refusals of the others.

    `set_aside` are rows that were refused before all others were asked at once.
    """

    predictions: np.ndarray | Chosen
    proba: np.ndarray | None
    positions: np.ndarray
    refusals: tuple[Refusal, ...] = ()
    set_aside: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))


def predict_or_refuse(fitted: Fitted, frame: pd.DataFrame, *, proba: bool) -> Outcome:
    """Predict every row that can be predicted. One call when none fails; k failing rows cost O(k log n) calls.

    Rows that are known to be refused are set aside first, with few calls: those with a category that a strict encoder
    does not know, and those for which one that is alike speaks, see `refused_alike`.
    Raises ModelError when more than a thousand rows fail, and so do all of some that are spread over the frame: then it
    is the model that does not fit the data.
    """
    if 0 in frame.shape:
        return _no_rows(fitted, proba=proba)
    try:
        # Strict encoders look for unknown categories themselves; looking before them would do it twice.
        return _predicted(fitted, frame, 0, proba=proba)
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001  whatever it raises, the rows are the ones to find
        known = _unknown_categories(fitted, frame) or _not_finite(fitted, frame, error, proba=proba)
        if known:
            return _without(fitted, frame, known, proba=proba)
        return _bisected(fitted, frame, error, proba=proba)


def _bisected(fitted: Fitted, frame: pd.DataFrame, error: Exception, *, proba: bool) -> Outcome:
    """The outcome for a frame that raised an error; no category is to blame."""
    failures = _Failures(partial(_raised, fitted, frame, proba=proba), len(frame), fitted)
    done = _apart(fitted, frame, 0, failures, error, proba=proba)
    refusals = _refusals(failures.said)
    if not done:
        return replace(_no_rows(fitted, proba=proba), refusals=refusals)
    return Outcome(
        together(done),
        np.concatenate([piece.proba for piece in done if piece.proba is not None]) if proba else None,
        np.concatenate([piece.positions for piece in done]),
        refusals,
    )


class _Failures:
    """The rows of a frame on which a fitted object fails, by what it says; found one after another."""

    def __init__(self, raised: Callable[[int], Exception | None], rows: int, fitted: Fitted) -> None:
        self.said: dict[int, str] = {}
        self._raised, self._rows, self._fitted = raised, rows, fitted
        self._most = MANY

    def add(self, row: int, error: Exception) -> None:
        """Book a row. Raises ModelError when the model seems to be at fault, see `predict_or_refuse`."""
        self.said[row] = said(error)
        if len(self.said) <= max(self._most, (row + 1) / 2):
            return
        # Bad rows often stand together, such as nulls that were sorted to one end.
        self._most *= 2
        some = np.linspace(0, self._rows, TRIED, endpoint=False).astype(np.int64).tolist()
        if all(other in self.said or self._raised(other) is not None for other in some):
            raise ModelError(_always_fails(self._fitted, self.said)) from error


def _piece(frame: pd.DataFrame, rows: Any) -> pd.DataFrame:
    """Some rows as a frame of their own, numbered from 0 as every frame is: functions may go by the numbers."""
    piece: pd.DataFrame = frame.iloc[rows].reset_index(drop=True)
    return piece


def _unknown_categories(fitted: Fitted, frame: pd.DataFrame) -> tuple[Refusal, ...]:
    """Refusals of rows with a category that an encoder would raise for."""
    first = fitted.model if fitted.transformer is None else fitted.transformer
    try:
        found = unknown_categories(first, frame) if fitted.named else {}
    except Exception:  # noqa: BLE001  a step before the encoder fails, on rows that are found by halving
        found = {}
    text = "a category that was not there when the encoder was fitted"
    return tuple(
        Refusal(np.flatnonzero(rows), Reason.UNKNOWN_CATEGORY, text, column=name, stage="predict")
        for name, rows in found.items()
    )


def _not_finite(fitted: Fitted, frame: pd.DataFrame, error: Exception, *, proba: bool) -> tuple[Refusal, ...]:
    """Refusals of rows with missing or infinite numbers, for each of which another one was asked."""
    # A row that is alone has been asked.
    raised_by = partial(_raised, fitted, frame, proba=proba)
    known = refused_alike(fitted, frame, error, raised_by) if len(frame) > 1 else {}
    return _refusals({row: said(raised) for row, raised in known.items()})


def _raised(fitted: Fitted, frame: pd.DataFrame, row: int, *, proba: bool) -> Exception | None:
    """What a fitted object raises for a row of a frame alone."""
    try:
        _predicted(fitted, _piece(frame, slice(row, row + 1)), row, proba=proba)
    except Exception as error:  # noqa: BLE001  whatever the fitted object raises
        return error
    return None


def _refusals(failures: dict[int, str]) -> tuple[Refusal, ...]:
    """Refusals of rows on which a model fails, by what it says."""
    return tuple(
        Refusal(np.array(rows, dtype=np.int64), Reason.PREDICT_FAILED, text, stage="predict")
        for text, rows in _grouped(failures).items()
    )


def _without(fitted: Fitted, frame: pd.DataFrame, refusals: tuple[Refusal, ...], *, proba: bool) -> Outcome:
    """The outcome for the rows that are not refused yet, in terms of all rows."""
    refused = refused_rows(refusals, len(frame))
    left = np.flatnonzero(~refused)
    outcome = moved(predict_or_refuse(fitted, _piece(frame, left), proba=proba), left)
    aside = np.concatenate([np.flatnonzero(refused), outcome.set_aside])
    return replace(outcome, refusals=refusals + outcome.refusals, set_aside=aside)


def together(pieces: Sequence[Outcome]) -> np.ndarray:
    """The predictions of some pieces, one after another. Raises ModelError unless all have as many outputs."""
    made = [np.asarray(piece.predictions) for piece in pieces]
    if len({each.shape[1:] for each in made}) > 1:
        raise ModelError(other_outputs())
    return np.concatenate(made)


def other_outputs() -> Problem:
    """The problem of a model that predicts one value for some rows, and several for others."""
    what = "the model predicts another number of values for some rows than for others"
    return Problem(what, "predict", "hand over a model that predicts as many values for every row")


def moved(outcome: Outcome, rows: np.ndarray) -> Outcome:
    """The outcome for some rows of a part, in terms of the part: `rows` are their positions in there."""
    refusals = (Refusal(rows[r.rows], r.reason, r.detail, r.column, r.stage) for r in outcome.refusals)
    return Outcome(
        outcome.predictions, outcome.proba, rows[outcome.positions], tuple(refusals), rows[outcome.set_aside]
    )


def _halved(fitted: Fitted, frame: pd.DataFrame, start: int, failures: _Failures, *, proba: bool) -> list[Outcome]:
    try:
        return [_predicted(fitted, frame, start, proba=proba)]
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001  whatever the fitted object raises, its row is refused with it
        return _apart(fitted, frame, start, failures, error, proba=proba)


def _apart(
    fitted: Fitted, frame: pd.DataFrame, start: int, failures: _Failures, error: Exception, *, proba: bool
) -> list[Outcome]:
    if len(frame) > 1:
        middle = len(frame) // 2
        first = _halved(fitted, _piece(frame, slice(None, middle)), start, failures, proba=proba)
        return first + _halved(fitted, _piece(frame, slice(middle, None)), start + middle, failures, proba=proba)
    failures.add(start, error)
    return []


def _predicted(fitted: Fitted, frame: pd.DataFrame, start: int, *, proba: bool) -> Outcome:
    both = fitted.both(frame)
    predictions = next(both) if proba else fitted.predict(frame)
    if not is_row_by_row(predictions, len(frame)):
        raise ModelError(_wrong_shape(fitted, predictions.shape, len(frame)))
    positions = every_row(len(frame)) + start if start else every_row(len(frame))
    return Outcome(predictions, _probabilities(fitted, next(both), len(frame)) if proba else None, positions)


def _probabilities(fitted: Fitted, found: np.ndarray, rows: int) -> np.ndarray:
    labels = len(fitted.labels or ())
    if found.shape != (rows, labels):
        what = f"the model's probabilities have shape {found.shape} for {rows} rows and {labels} labels"
        raise ModelError(
            Problem(what, fitted.uri, 'hand over a model that gives one for each label, or set "proba": false')
        )
    return found


def _no_rows(fitted: Fitted, *, proba: bool) -> Outcome:
    labels = fitted.labels or ()
    nothing = np.empty(0, dtype=object if labels and isinstance(labels[0], str) else np.float64)
    return Outcome(nothing, np.empty((0, len(labels))) if proba else None, np.empty(0, dtype=np.int64))


def _grouped(failures: dict[int, str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for row, text in sorted(failures.items()):
        groups.setdefault(text, []).append(row)
    return groups


def said(error: Exception) -> str:
    """What an exception says, in one line and without the values that it quotes.

    >>> said(ValueError("could not convert string to float: 'Maria'"))
    'ValueError: could not convert string to float: ...'
    """
    first = str(error).partition("\n")[0]
    about_values = isinstance(error, ValueError | TypeError)
    return f"{type(error).__name__}: {_QUOTED.sub('...', first) if about_values else first}"[:200]


def _always_fails(fitted: Fitted, failures: dict[int, str]) -> Problem:
    return Problem(
        f"the model fails on nearly every row that it is given: {next(iter(failures.values()))}",
        fitted.uri,
        "check its parameters, and that it was fitted on columns of these names and types (scoreline check CONFIG), "
        "or keep such rows from it, by the contract or filter_rows",
    )


def _wrong_shape(fitted: Fitted, shape: tuple[int, ...], rows: int) -> Problem:
    return Problem(
        f"the model's predictions have shape {shape} for {rows} rows",
        fitted.uri,
        "only models that predict one value a row, or as many for every row, can be used",
    )
