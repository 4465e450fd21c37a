"""The compiled half of scoring: how a process answers for parts of a bundle faster than by calling the pipeline."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from scoreline.bundle.frames import frames_of
from scoreline.compiled.answers import Answers
from scoreline.compiled.plan import read
from scoreline.compiled.scorer import Scorer

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from scoreline.bundle.fitted import Fitted
    from scoreline.compiled.dictionary import MakeFrame
    from scoreline.compiled.plan import NotCompilable, Plan
    from scoreline.compiled.proof import Reference


@lru_cache(maxsize=4)
def scorer_of(fitted: Fitted, inputs: pa.Schema, *, from_pandas: bool) -> Scorer:
    """The scorer of what was fitted, once per process; `inputs` and `from_pandas` are those of the bundle."""
    plan, frame, reference = made_of(fitted, inputs, from_pandas=from_pandas)
    return Scorer(plan, inputs, frame, reference, partial(stated_of, fitted, inputs, from_pandas=from_pandas))


def stated_of(fitted: Fitted, inputs: pa.Schema, *, from_pandas: bool) -> Mapping[str, Any] | None:
    """What a certificate states of what was fitted; None where its files do not tell all that it is."""
    if not fitted.hashes or fitted.brings_code:
        return None
    columns = [[field.name, str(field.type), field.nullable] for field in inputs]
    return {"fitted": fitted.hashes, "columns": columns, "named": fitted.named, "from_pandas": from_pandas}


def made_of(
    fitted: Fitted, inputs: pa.Schema, *, from_pandas: bool
) -> tuple[Plan | NotCompilable, MakeFrame, Reference]:
    """What compiling needs of what was fitted: its plan, the frames that it takes, and its own answers."""
    frames = frames_of(fitted, inputs, from_pandas=from_pandas)

    def reference(table: pa.Table, proba: bool) -> Answers:  # noqa: FBT001  passed on by position
        given = frames.of_table(table)
        return Answers(*fitted.both(given)) if proba else Answers(fitted.predict(given))

    return read(fitted.model, fitted.transformer, inputs, named=fitted.named), frames.of_columns, reference
