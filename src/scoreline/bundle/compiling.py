"""The compiled half of scoring: how a process answers for parts of a bundle faster than by calling the pipeline."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from scoreline.bundle.as_pandas import as_pandas
from scoreline.compiled.answers import Answers
from scoreline.compiled.plan import read
from scoreline.compiled.scorer import Scorer
from scoreline.frame import markers_of, to_frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from scoreline.bundle.fitted import Fitted
    from scoreline.compiled.dictionary import MakeFrame
    from scoreline.compiled.plan import NotCompilable, Plan
    from scoreline.compiled.proof import Reference


@lru_cache(maxsize=4)
def scorer_of(fitted: Fitted, inputs: pa.Schema, *, from_pandas: bool) -> Scorer:
    """The scorer of what was fitted, once per process; `inputs` and `from_pandas` are those of the bundle."""
    plan, frame, reference = made_of(fitted, inputs, from_pandas=from_pandas)
    return Scorer(plan, inputs, frame, reference)


def made_of(
    fitted: Fitted, inputs: pa.Schema, *, from_pandas: bool
) -> tuple[Plan | NotCompilable, MakeFrame, Reference]:
    """What compiling needs of what was fitted: its plan, the frames that it takes, and its own answers."""
    markers = markers_of(fitted.first, inputs.names)
    make = as_pandas if from_pandas else to_frame

    def frame(table: pa.Table, schema: pa.Schema) -> pd.DataFrame:
        return make(table, schema, markers)

    def reference(table: pa.Table, proba: bool) -> Answers:  # noqa: FBT001  passed on by position
        given = frame(table, inputs)
        return Answers(*fitted.both(given)) if proba else Answers(fitted.predict(given))

    return read(fitted.model, fitted.transformer, inputs, named=fitted.named), frame, reference
