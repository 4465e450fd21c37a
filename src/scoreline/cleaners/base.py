"""What every cleaning step is: a frozen value that says what comes out before it is applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

    from scoreline.refusal import Refusal


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """What a step made of a part.

    Attributes
    ----------
    table : as many rows as the part, in the same order, with the columns of the step's `output_schema`
    refusals : rows that cannot be cleaned (positions in the part); they leave for quarantine. Their values in `table` are
        of no importance
    keep : boolean array, False for rows that the step filters out on purpose; None when it filters none
    """

    table: pa.Table
    refusals: tuple[Refusal, ...] = ()
    keep: np.ndarray | None = None


class Step(BaseModel):
    """One cleaning step.

    A kind defines ``kind`` as a literal, its options as fields, and the methods below. Steps are pure: the same part gives
    the same answer, the part is never edited, and rows never depend on one another
    (`apply` of a concatenation equals the concatenation of `apply`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    on: Literal["both", "train", "predict"] = Field("both", description="When the step is applied.")

    drops_rows: ClassVar[bool] = False
    """True for a step that filters rows; such a step declares ``on`` with the default "train"."""

    def output_schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns after the step. Raises StepError naming every column that is missing or of an unusable type."""
        raise NotImplementedError

    def apply(self, part: pa.Table) -> Cleaned:
        """Clean one part; eager, one pass. A string column may come as a dictionary column and may leave as one."""
        raise NotImplementedError

    def needs(self, wanted: frozenset[str], schema: pa.Schema) -> frozenset[str]:
        """Columns of `schema` (the columns before the step) without which the `wanted` columns after it cannot be made."""
        raise NotImplementedError

    def narrowed(self, wanted: frozenset[str], schema: pa.Schema) -> Self | None:
        """The step reduced to what the `wanted` columns after it need; None when it does nothing for them.

        So that a bundle asks new data only for columns that feed a feature: the target may be absent.
        """
        raise NotImplementedError

    def references(self) -> Sequence[str]:
        """Locations of outside data that the step reads; their content is part of the identity of results."""
        return ()

    def prepared(self, facts: dict[str, Any]) -> Self:
        """The step with what was found out about its references when the run was planned (`facts` by location)."""
        return self


class FrameStep(Step):
    """A step that must see all parts at once, such as the removal of duplicates. It works on training data only.

    `apply` is not used; the training stage calls `fingerprint` on each part and keeps, among the rows of all parts that have
    equal fingerprints, the one with the lowest row identity.
    """

    on: Literal["train"] = "train"
    drops_rows: ClassVar[bool] = True

    def fingerprint(self, part: pa.Table) -> np.ndarray:
        """uint64 array of shape (rows, 2): equal for rows that the step regards as equal, and only for those."""
        raise NotImplementedError
