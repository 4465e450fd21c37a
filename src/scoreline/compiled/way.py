"""A way to answer for the rows of a part that is faster than calling the whole pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from scoreline.compiled.answers import ROUNDING, Answers, as_probabilities, as_rows, class_labels, is_row_by_row
from scoreline.compiled.dictionary import Declined, NotYet
from scoreline.compiled.doubts import suspects
from scoreline.compiled.trees import asked_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from scoreline.compiled.matrix import Block, Encoding, Layout


class CompiledModel(Protocol):
    """A model that answers from blocks, with no matrix."""

    @property
    def tolerance(self) -> float:
        """By how much a probability may differ with the rows beside it."""
        ...

    @property
    def layout(self) -> Layout:
        """Where its features come from."""
        ...

    @property
    def edges(self) -> Mapping[tuple[int, int], np.ndarray]:
        """Numbers at which its answer may change, by branch and feature in there."""
        ...

    def derive(self, branch: int, place: int, rows: Any) -> np.ndarray:
        """What it looks up for encoded rows of a column, an entry a row; by the numbers of branch and column."""
        ...

    def answers(self, blocks: Sequence[Block], count: int, *, proba: bool) -> Answers:
        """The answers of scikit-learn. Raises Declined where they are not certain."""
        ...


class Way:
    """Blocks from dictionaries, then a compiled model, or the matrix and scikit-learn's own model. Safe for threads."""

    def __init__(self, encoding: Encoding, model: Any, compiled: CompiledModel | None = None) -> None:
        self.encoding = encoding
        self.compiled = compiled
        self._model = model

    @property
    def gives_proba(self) -> bool:
        """Whether the model gives probabilities."""
        return hasattr(self._model, "predict_proba")

    @property
    def by_row(self) -> bool:
        """Whether the answer for a row is the same to the last bit whatever rows are beside it."""
        return self.tolerance == 0

    @property
    def tolerance(self) -> float:
        """By how much a probability may differ with the rows beside it."""
        return ROUNDING if self.compiled is None else self.compiled.tolerance

    @property
    def described(self) -> dict[str, Any]:
        """All that it is made by beside what was fitted, as JSON values."""
        model = None if self.compiled is None else self.compiled.layout.described
        return {"encoding": self.encoding.described, "compiled": model}

    def answers(self, table: pa.Table, *, proba: bool) -> Answers:
        """The answers of scikit-learn for all rows.

        Raises Declined where they are not certain, with the rows at fault where they are known, and anything where
        scikit-learn raises for some row.
        """
        blocks = self.encoding.blocks(table)
        if self.compiled is not None:
            try:
                return self.compiled.answers(blocks, table.num_rows, proba=proba)
            except NotYet as why:
                why.learn(blocks, table.num_rows, self.encoding.stacked)
            except Declined as why:
                if why.rows is not None:
                    raise
        return self.of_matrix(blocks, table.num_rows, proba=proba)

    def of_matrix(self, blocks: Sequence[Block], rows: int, *, proba: bool) -> Answers:
        """The answers of scikit-learn's own model for the matrix that blocks make."""
        made = self.encoding.stacked(blocks, rows)
        try:
            return self._of_stacked(made, rows, proba=proba)
        except Exception as error:
            raise Declined(f"{type(error).__name__}: {error}", suspects(made)) from error

    def _of_stacked(self, made: Any, rows: int, *, proba: bool) -> Answers:
        matrix = self.encoding.after(made)
        model = asked_once(self._model, matrix) if proba else self._model
        answers = Answers(
            as_rows(model.predict(matrix)), as_probabilities(model.predict_proba(matrix)) if proba else None
        )
        labels = len(class_labels(self._model) or ()) if proba else 0
        if not is_row_by_row(answers.predictions, rows) or (
            answers.proba is not None and answers.proba.shape != (rows, labels)
        ):
            raise Declined("answers of another shape than rows and labels")
        return answers


def no_look_up(_branch: int, _place: int, rows: Any) -> np.ndarray:
    """For a way without a compiled model: nothing is looked up."""
    return np.empty((rows.shape[0], 0))
